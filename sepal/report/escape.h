#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sepal/report/json.h"

namespace sepal::report {

/// Text from a stranger for a place that knows no escapes for it: bytes that are no UTF-8 and control characters
/// (except tab, line feed and carriage return) become U+FFFD.
std::string cleaned(std::string_view text);

/// Text for between tags or within double-quoted attributes of HTML and SVG: cleaned, & < > " ' escaped.
std::string markup(std::string_view text);

/// JSON for between <script type="application/json"> and its end: no string in it can end the element.
std::string script_data(const Json& data);

/// At most `limit` characters: the middle of a longer one becomes one "…", because layers of a network differ
/// in the ends of their names.
std::string shortened(std::string_view text, std::size_t limit);

/// Each name as shortened() has it, but names that would become the same keep what tells them apart, if that fits:
/// "block11/de…pointwise" and "block12/de…pointwise" rather than "block1…e + pointwise" twice.
std::vector<std::string> shortened_apart(const std::vector<std::string>& names, std::size_t limit);

/// RFC 4648, with padding.
std::string base64(std::span<const std::byte> bytes);

/// Columns that a terminal takes for the text: 2 for East Asian characters and pictures, 0 for marks that combine
/// and for escape sequences that set colours. Broken UTF-8 counts a column a byte.
std::size_t display_width(std::string_view text);

}  // namespace sepal::report
