// The little of JSON that a safetensors header is made of, read by descent without recursion: its depth is known.

#include "sepal/formats/safetensors_header.h"

#include <charconv>
#include <set>

#include "sepal/base/text.h"

namespace sepal {
namespace {

/// The UTF-8 of a code point.
void append(std::string& text, char32_t code) {
  const auto byte = [&](char32_t bits) { text += static_cast<char>(bits); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3F));
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F));
  }
  byte(0x80 | (code & 0x3F));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  SafeTensorsHeader run() {
    SafeTensorsHeader header;
    std::set<std::string> names;
    members([&](std::string name) {
      if (!names.insert(name).second) invalid("\"{}\" comes twice", printable(name));
      if (name == "__metadata__") {
        members([&](const std::string& key) {
          if (!header.metadata.emplace(key, string()).second) invalid("metadata \"{}\" comes twice", printable(key));
        });
      } else {
        header.entries.push_back(in_place(printable(name), [&] { return entry(std::move(name)); }));
      }
    });
    skip();
    if (at_ != text_.size()) refuse("the end");
    return header;
  }

 private:
  [[noreturn]] void refuse(std::string_view wanted) const { invalid("byte {} of the header is not {}", at_, wanted); }

  void skip() {
    while (at_ < text_.size() && std::string_view(" \t\n\r").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  /// Whether `sign` comes next; taken if so.
  bool take(char sign) {
    skip();
    if (at_ >= text_.size() || text_[at_] != sign) return false;
    ++at_;
    return true;
  }
  void want(char sign) {
    if (!take(sign)) refuse(format("'{}'", sign));
  }

  /// An object: member(name) reads each value.
  template <typename Member>
  void members(const Member& member) {
    want('{');
    if (take('}')) return;
    do {
      std::string name = string();
      want(':');
      member(std::move(name));
    } while (take(','));
    want('}');
  }

  std::vector<std::int64_t> numbers() {
    std::vector<std::int64_t> result;
    want('[');
    if (take(']')) return result;
    do {
      result.push_back(number());
    } while (take(','));
    want(']');
    return result;
  }

  std::int64_t number() {
    skip();
    std::int64_t value = 0;
    const auto [end, problem] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (problem != std::errc() || value < 0) refuse("a whole number below 2^63");
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }

  std::string string() {
    want('"');
    std::string result;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') {
        ++at_;
        escape(result);
        continue;
      }
      const Character character = character_at(text_, at_);
      if (character.length == 0 || character.code < 0x20) refuse("text");
      result.append(text_, at_, character.length);
      at_ += character.length;
    }
    want('"');
    return result;
  }

  void escape(std::string& result) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char letter = at_ < text_.size() ? text_[at_] : '\0';
    if (const std::size_t which = kLetters.find(letter); letter != '\0' && which != std::string_view::npos) {
      result += kMeanings[which];
      ++at_;
      return;
    }
    char32_t code = code_unit();
    if (code >= 0xD800 && code < 0xDC00) {
      if (text_.substr(at_, 1) != "\\") refuse("the other half of a character");
      ++at_;
      const char32_t low = code_unit();
      if (low < 0xDC00 || low >= 0xE000) refuse("the other half of a character");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
      refuse("a character");
    }
    append(result, code);
  }

  /// Of "uXXXX".
  char32_t code_unit() {
    std::uint32_t code = 0;
    if (text_.substr(at_, 1) != "u" || text_.size() - at_ < 5) refuse("an escape");
    const char* const begin = text_.data() + at_ + 1;
    const auto [end, problem] = std::from_chars(begin, begin + 4, code, 16);
    if (problem != std::errc() || end != begin + 4) refuse("an escape");
    at_ += 5;
    return code;
  }

  SafeTensorsEntry entry(std::string name) {
    SafeTensorsEntry result{.name = std::move(name), .type = {}, .shape = {}};
    std::set<std::string> seen;
    members([&](const std::string& member) {
      if (!seen.insert(member).second) invalid("\"{}\" comes twice", printable(member));
      if (member == "dtype") {
        result.type = string();
      } else if (member == "shape") {
        result.shape = numbers();
      } else if (member == "data_offsets") {
        const std::vector<std::int64_t> offsets = numbers();
        if (offsets.size() != 2) invalid("{} data_offsets, not 2", offsets.size());
        result.begin = offsets[0];
        result.end = offsets[1];
      } else {
        invalid("\"{}\" is none of dtype, shape and data_offsets", printable(member));
      }
    });
    for (const char* member : {"dtype", "shape", "data_offsets"}) {
      if (!seen.contains(member)) invalid("no {}", member);
    }
    return result;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

SafeTensorsHeader parse_safetensors_header(std::string_view text) { return Parser(text).run(); }

std::string json_string(std::string_view text) {
  std::string result = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    if (character.length == 0) {
      result += "\xEF\xBF\xBD";
      ++at;
      continue;
    }
    if (character.code == '"' || character.code == '\\') {
      result += '\\';
      result += text[at];
    } else if (character.code < 0x20) {
      result += format("\\u{:04x}", static_cast<unsigned>(character.code));
    } else {
      result.append(text, at, character.length);
    }
    at += character.length;
  }
  return result + "\"";
}

}  // namespace sepal
