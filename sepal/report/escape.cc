#include "sepal/report/escape.h"

#include <algorithm>
#include <map>
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

using Characters = std::vector<std::string_view>;

Characters characters_of(std::string_view text) {
  Characters characters;
  for_each_character(text, [&](const Character&, std::string_view bytes) { characters.push_back(bytes); });
  return characters;
}

/// Characters `from` up to `to`, "…" where others are left out before or behind them.
std::string part(const Characters& characters, std::size_t from, std::size_t to) {
  std::string out;
  for (std::size_t i = from; i < to; ++i) out += characters[i];
  return out;
}

/// The first `before` characters and the last `after`, "…" between them.
std::string ends(const Characters& characters, std::size_t before, std::size_t after) {
  return part(characters, 0, before) + std::string(kEllipsis) +
         part(characters, characters.size() - after, characters.size());
}

/// How many characters all of these have in common at the front, or at the back.
std::size_t common(const std::vector<Characters>& names, bool front) {
  std::size_t shared = names[0].size();
  for (const Characters& name : names) {
    std::size_t same = 0;
    while (
        same < std::min(shared, name.size()) &&
        (front ? name[same] == names[0][same] : name[name.size() - 1 - same] == names[0][names[0].size() - 1 - same])) {
      ++same;
    }
    shared = same;
  }
  return shared;
}

/// `name` in `limit` characters with those that lie behind the first `front` and before the last `back`.
std::string around(const Characters& name, std::size_t front, std::size_t back, std::size_t limit) {
  const std::size_t kept = limit - 1;
  const std::size_t begin = std::min(front, name.size());
  const std::size_t end = name.size() - std::min(back, name.size() - begin);
  if (end <= kept) {
    const std::size_t before = std::max(end, kept / 3);
    return ends(name, before, kept - before);
  }
  if (name.size() - begin <= kept) return ends(name, kept - (name.size() - begin), name.size() - begin);
  return std::string(kEllipsis) + part(name, begin, std::min(begin + kept - 1, name.size())) + std::string(kEllipsis);
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
  const Characters characters = characters_of(text);
  if (characters.size() <= limit) return std::string(text);
  if (limit == 0) return {};
  const std::size_t before = (limit - 1) / 3;
  return ends(characters, before, limit - 1 - before);
}

std::vector<std::string> shortened_apart(const std::vector<std::string>& names, std::size_t limit) {
  std::vector<std::string> labels;
  std::map<std::string, std::vector<std::size_t>> alike;
  for (std::size_t i = 0; i < names.size(); ++i) {
    labels.push_back(shortened(names[i], limit));
    alike[labels[i]].push_back(i);
  }
  constexpr std::size_t kLeast = 4;  // below it there is no room for more than an end
  for (const auto& [label, places] : alike) {
    if (places.size() < 2 || label == names[places[0]] || limit < kLeast) continue;
    std::vector<Characters> group;
    for (const std::size_t place : places) group.push_back(characters_of(names[place]));
    const std::size_t front = common(group, true);
    const std::size_t back = common(group, false);
    if (front == group[0].size()) continue;  // the same name several times
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (group[i].size() > limit) labels[places[i]] = around(group[i], front, back, limit);
    }
  }
  return labels;
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

std::string base64(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t there = std::min<std::size_t>(bytes.size() - at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8 | (i < there ? std::to_integer<std::uint32_t>(bytes[at + i]) : 0);
    for (std::size_t i = 0; i < 4; ++i) text += i <= there ? kDigits[bits >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

}  // namespace sepal::report
