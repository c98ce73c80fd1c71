#pragma once

// The one door to nlohmann-json.

#include <nlohmann/json.hpp>
#include <string>

namespace sepal::report {

/// Members stay in the order in which they were added.
using Json = nlohmann::ordered_json;

/// The document as text, two blanks deep, a newline at the end. Bytes that are no UTF-8 become U+FFFD;
/// NaN and infinities, which JSON does not have, become null.
std::string to_text(const Json& document);

}  // namespace sepal::report
