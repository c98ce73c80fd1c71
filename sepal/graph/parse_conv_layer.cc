// The text form of a single layer, as people type it: key=value, in any order.

#include <array>
#include <charconv>
#include <map>
#include <optional>

#include "sepal/base/text.h"
#include "sepal/graph/conv_layer.h"

namespace sepal {
namespace {

constexpr std::array<std::string_view, 10> kKeys = {"in",       "out",        "kernel", "size",    "stride",
                                                    "dilation", "multiplier", "bias",   "padding", "batch"};

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || value < 0 || value >= (std::int64_t{1} << 31))
    return std::nullopt;
  return value;
}

class Fields {
 public:
  explicit Fields(std::string_view text) {
    for (std::size_t at = 0; at <= text.size();) {
      const std::string_view item = text.substr(at, text.find(',', at) - at);
      at += item.size() + 1;
      const std::string_view key = item.substr(0, item.find('='));
      if (key.size() == item.size()) {
        fail(ErrorKind::kUsage, "a layer is in=512,out=512,kernel=3,size=14, but \"{}\" is no NAME=VALUE",
             printable(item));
      }
      if (std::ranges::find(kKeys, key) == kKeys.end()) {
        const std::string_view near = nearest(key, kKeys);
        fail(ErrorKind::kUsage, "a layer has no \"{}\"; {}", printable(key),
             near.empty() ? format("it has {}", join(kKeys, ", ")) : format("did you mean \"{}\"?", near));
      }
      if (!values_.emplace(key, item.substr(key.size() + 1)).second)
        fail(ErrorKind::kUsage, "a layer names {} twice", key);
    }
    for (const std::string_view key : {"in", "out", "kernel", "size"}) {
      if (!values_.contains(key))
        fail(ErrorKind::kUsage, "a layer needs {}, as in in=512,out=512,kernel=3,size=14", key);
    }
  }

  std::optional<std::string_view> text(std::string_view key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? std::nullopt : std::optional(found->second);
  }

  std::int64_t number(std::string_view key, std::int64_t otherwise) const {
    const std::optional<std::string_view> value = text(key);
    if (!value) return otherwise;
    if (const std::optional<std::int64_t> number = whole(*value)) return *number;
    refuse(key, *value, "a whole number below 2^31");
  }

  Extent extent(std::string_view key) const {
    const std::optional<std::string_view> value = text(key);
    if (!value) return {1, 1};
    const std::size_t by = value->find('x');
    const std::optional<std::int64_t> h = whole(value->substr(0, by));
    const std::optional<std::int64_t> w = by == std::string_view::npos ? h : whole(value->substr(by + 1));
    if (!h || !w) refuse(key, *value, "a whole number below 2^31, or two as in 3x5");
    return {*h, *w};
  }

  [[noreturn]] static void refuse(std::string_view key, std::string_view value, std::string_view wanted) {
    fail(ErrorKind::kUsage, "{} of a layer is {}, not \"{}\"", key, wanted, printable(value));
  }

 private:
  std::map<std::string_view, std::string_view> values_;
};

/// As much on each side as keeps the size at stride 1; an odd rest goes below and to the right.
Padding same_padding(const Window& window) {
  const Extent span = span_of(window);
  return {(span.h - 1) / 2, (span.w - 1) / 2, span.h / 2, span.w / 2};
}

}  // namespace

ConvLayer parse_conv_layer(std::string_view text) {
  const Fields fields(text);
  ConvLayer layer{.batch = fields.number("batch", 1),
                  .in = fields.number("in", 1),
                  .out = fields.number("out", 1),
                  .size = fields.extent("size"),
                  .window = {.kernel = fields.extent("kernel"),
                             .stride = fields.extent("stride"),
                             .dilation = fields.extent("dilation")},
                  .multiplier = fields.number("multiplier", 1)};
  const std::int64_t bias = fields.number("bias", 0);
  if (bias > 1) Fields::refuse("bias", *fields.text("bias"), "0 or 1");
  layer.bias = bias == 1;
  in_place(to_string(layer), [&] { check_window(layer.window); });
  const std::string_view padding = fields.text("padding").value_or("same");
  if (padding == "same") {
    layer.window.padding = same_padding(layer.window);
  } else if (padding != "valid") {
    const std::optional<std::int64_t> side = whole(padding);
    if (!side) Fields::refuse("padding", padding, "same, valid or a whole number below 2^31");
    layer.window.padding = {*side, *side, *side, *side};
  }
  return layer;
}

}  // namespace sepal
