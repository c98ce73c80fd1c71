#include "sepal/report/escape.h"

#include <vector>

#include "sepal/base/text.h"

// Strings from model files, made fit for each place that they appear in. All ways out come through here or through
// printable(), which is the same for a terminal.

namespace sepal::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";     // U+2026

/// Calls visit(character, its bytes) for all characters; broken bytes come one at a time with length 0.
template <typename Visit>
void for_each_character(std::string_view text, const Visit& visit) {
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    const std::size_t bytes = character.length == 0 ? 1 : character.length;
    visit(character, text.substr(at, bytes));
    at += bytes;
  }
}

bool may_appear(const Character& character) {
  const char32_t code = character.code;
  if (character.length == 0 || code == 0xFFFE || code == 0xFFFF) return false;  // XML has no U+FFFE and U+FFFF
  return code == '\t' || code == '\n' || code == '\r' || !is_control(code);
}

/// Blocks that terminals show two columns wide: Hangul, CJK and their forms, pictures.
bool is_wide(char32_t code) {
  return (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
         (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
         (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
         (code >= 0x1F300 && code <= 0x1FAFF) || (code >= 0x20000 && code <= 0x3FFFD);
}

/// Accents and the like, which stand over the character before them.
bool is_combining(char32_t code) {
  return (code >= 0x0300 && code <= 0x036F) || (code >= 0x200B && code <= 0x200D) || (code >= 0xFE00 && code <= 0xFE0F);
}

}  // namespace

std::string cleaned(std::string_view text) {
  std::string out;
  for_each_character(text, [&](const Character& character, std::string_view bytes) {
    out += may_appear(character) ? bytes : kReplacement;
  });
  return out;
}

std::string markup(std::string_view text) {
  std::string out;
  for (const char c : cleaned(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string script_data(const Json& data) {
  std::string out;
  for (const char c : data.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    out += c == '<' ? std::string("\\u003c") : std::string(1, c);
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t limit) {
  std::vector<std::string_view> characters;
  for_each_character(text, [&](const Character&, std::string_view bytes) { characters.push_back(bytes); });
  if (characters.size() <= limit) return std::string(text);
  const std::size_t kept = limit == 0 ? 0 : limit - 1;
  const std::size_t before = kept / 3;
  std::string out;
  for (std::size_t i = 0; i < before; ++i) out += characters[i];
  if (limit > 0) out += kEllipsis;
  for (std::size_t i = characters.size() - (kept - before); i < characters.size(); ++i) out += characters[i];
  return out;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  bool escape = false;
  for_each_character(text, [&](const Character& character, std::string_view) {
    if (character.code == 0x1B) escape = true;
    if (!escape && !is_combining(character.code)) width += is_wide(character.code) ? 2u : 1u;
    if (escape && character.code == 'm') escape = false;
  });
  return width;
}

}  // namespace sepal::report
