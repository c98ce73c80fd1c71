#pragma once

namespace sepal {

/// Allocations of the whole program so far, by operator new. (A file of its own: a compiler that sees new and delete
/// replaced beside their use takes them for mismatched.)
long allocations();

}  // namespace sepal
