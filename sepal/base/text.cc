#include "sepal/base/text.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace sepal {

Character character_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(at);
  if (first < 0x80) return {first, 1};
  const size_t length = first >= 0xC2 && first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (first < 0xC2 || first > 0xF4) return {};
  char32_t code = first & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(at + i) & 0x3F);
  }
  // Written longer than need be, half of a pair, or past the last.
  const bool broken = (length == 3 && code < 0x800) || (length == 4 && (code < 0x10000 || code > 0x10FFFF)) ||
                      (code >= 0xD800 && code < 0xE000);
  return broken ? Character{} : Character{code, length};
}

bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x061C || (code >= 0x200E && code <= 0x200F) ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

std::string printable(std::string_view text, size_t limit) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (out.size() >= limit) return out + "...";
    const auto [code, length] = character_at(text, at);
    const size_t bytes = std::max<size_t>(length, 1);
    if (length == 0 || is_control(code)) {
      for (const char byte : text.substr(at, bytes)) out += format("\\x{:02x}", static_cast<unsigned char>(byte));
    } else {
      out += text.substr(at, bytes);
    }
    at += bytes;
  }
  return out;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  // Edit distance with neighbours swapped as one edit ("rnu" for "run"), a row at a time; words here are short.
  std::string_view best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    std::vector<size_t> above(candidate.size() + 1);
    std::vector<size_t> row(candidate.size() + 1);
    std::iota(row.begin(), row.end(), size_t{0});
    for (size_t i = 0; i < word.size(); ++i) {
      std::vector<size_t> next(candidate.size() + 1, i + 1);
      for (size_t j = 0; j < candidate.size(); ++j) {
        next[j + 1] = std::min({row[j] + (word[i] != candidate[j]), next[j] + 1, row[j + 1] + 1});
        if (i > 0 && j > 0 && word[i] == candidate[j - 1] && word[i - 1] == candidate[j]) {
          next[j + 1] = std::min(next[j + 1], above[j - 1] + 1);
        }
      }
      above = std::move(row);
      row = std::move(next);
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

std::string human_bytes(double bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 ? format("{:.0f} B", bytes) : format("{:.1f} {}", bytes, kUnits[unit]);
}

std::string grouped(long long count) {
  std::string digits = format("{}", count);
  const size_t first = count < 0 ? 1 : 0;
  for (size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, ",");
  return digits;
}

}  // namespace sepal
