#pragma once

#include <cstddef>

namespace sepal {

/// Bytes of memory that this process can hope for: the machine's, or its control group's limit if that is less.
std::size_t machine_memory();

}  // namespace sepal
