#pragma once

// The one door to fmt, and the little that we do with words. Not a public header.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <span>
#include <string>
#include <string_view>

#include "sepal/base/error.h"

namespace sepal {

using fmt::format;
using fmt::join;

/// Throws Error(kind) with a formatted message: fail(ErrorKind::kInvalid, "a kernel of {} ...", 5).
template <typename... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> text, Args&&... args) {
  throw Error(kind, fmt::format(text, std::forward<Args>(args)...));
}

/// Bad input, the most common failure: fail(ErrorKind::kInvalid, ...).
template <typename... Args>
[[noreturn]] void invalid(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(ErrorKind::kInvalid, fmt::format(text, std::forward<Args>(args)...));
}

/// A character of a text: its code point and its bytes. Length 0: no valid UTF-8 begins there.
struct Character {
  char32_t code = 0;
  size_t length = 0;
};
Character character_at(std::string_view text, size_t at);

/// What would drive a terminal or a reader's eye instead of showing: control characters of both sets, and those that
/// turn the direction of writing or break a line.
bool is_control(char32_t code);

/// Text from a stranger made fit for one line of a terminal: control bytes and broken UTF-8 are shown as
/// \xNN, and what is longer than `limit` bytes ends in "...".
std::string printable(std::string_view text, size_t limit = 120);

/// The candidate nearest to `word` by edit distance, or "" if none is near enough to be what was meant.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

/// 1536 -> "1.5 KiB".
std::string human_bytes(double bytes);

/// "12,345,678".
std::string grouped(long long count);

}  // namespace sepal
