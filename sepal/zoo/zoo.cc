#include "sepal/zoo/zoo.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "sepal/base/text.h"
#include "sepal/zoo/builder.h"
#include "sepal/zoo/networks.h"

// The table of networks, and the text that names one of them. A new network is a function (networks.h) and a row.

namespace sepal {
namespace {

constexpr FixedOption kFamilyWidth[] = {{"width", "efficientnet_lite0 to efficientnet_lite4 differ in it"}};
constexpr FixedOption kKeywords[] = {{"width", "ds_cnn_s, ds_cnn_m and ds_cnn_l differ in it"},
                                     {"size", "its input is 49 frames of 10 features"},
                                     {"channels", "its input has one"},
                                     {"stem", "its stem is made for its input"},
                                     {"unstrided", "none of its layers behind the stem has a stride"}};
constexpr FixedOption kPublished[] = {{"unstrided", "it strides as published"}};
constexpr FixedOption kVgg[] = {{"stem", "its first convolution has stride 1"},
                                {"unstrided", "it strides as published"}};

constexpr const char* kLiteSource = "Tan and Le 2019, arXiv 1905.11946, table 1; the variant published in 2020";
constexpr const char* kKeywordSource = "Zhang et al. 2017, arXiv 1711.07128, appendix";

/// A function for each member, as the table wants one.
template <int kTenthsWider, int kTenthsDeeper>
void lite(NetworkBuilder& net, const ZooOptions& options) {
  efficientnet_lite(net, options, {kTenthsWider / 10.0, kTenthsDeeper});
}

constexpr ZooEntry kNetworks[] = {
    {"mobilenet_v1", "separable convolutions", "Howard et al. 2017, arXiv 1704.04861, table 1", {}, {}, mobilenet_v1},
    {"mobilenet_v1_standard",
     "mobilenet_v1 in standard convolutions",
     "Howard et al. 2017, arXiv 1704.04861, table 4",
     {},
     {},
     mobilenet_v1_standard},
    {"mobilenet_v1_shallow",
     "mobilenet_v1 without its five 14x14x512",
     "Howard et al. 2017, arXiv 1704.04861, table 5",
     {},
     {},
     mobilenet_v1_shallow},
    {"mobilenet_v1_vww",
     "person or not, of MLPerf Tiny",
     "Banbury et al. 2021, arXiv 2106.07597, visual wake words",
     {.width = 0.25, .size = 96, .classes = 2},
     {},
     mobilenet_v1},
    {"mobilenet_v2",
     "inverted residuals, linear bottlenecks",
     "Sandler et al. 2018, arXiv 1801.04381, table 2",
     {},
     {},
     mobilenet_v2},
    {"mobilenet_v3_large",
     "found by search; squeeze and excitation",
     "Howard et al. 2019, arXiv 1905.02244, table 1",
     {},
     {},
     mobilenet_v3_large},
    {"mobilenet_v3_small",
     "found by search; squeeze and excitation",
     "Howard et al. 2019, arXiv 1905.02244, table 2",
     {},
     {},
     mobilenet_v3_small},
    {"xception",
     "36 convolutional layers, 34 of them separable",
     "Chollet 2017, arXiv 1610.02357, figure 5",
     {.size = 299},
     kPublished,
     xception},
    {"mnasnet_a1",
     "found by search; squeeze and excitation",
     "Tan et al. 2019, arXiv 1807.11626, figure 7",
     {},
     {},
     mnasnet_a1},
    {"mnasnet_b1", "found by search", "Tan et al. 2019, arXiv 1807.11626, and its authors' code", {}, {}, mnasnet_b1},
    {"efficientnet_lite0", "inverted residuals, fit for 8 bits", kLiteSource, {}, kFamilyWidth, lite<10, 10>},
    {"efficientnet_lite1",
     "inverted residuals, fit for 8 bits",
     kLiteSource,
     {.size = 240},
     kFamilyWidth,
     lite<10, 11>},
    {"efficientnet_lite2",
     "inverted residuals, fit for 8 bits",
     kLiteSource,
     {.size = 260},
     kFamilyWidth,
     lite<11, 12>},
    {"efficientnet_lite3",
     "inverted residuals, fit for 8 bits",
     kLiteSource,
     {.size = 280},
     kFamilyWidth,
     lite<12, 14>},
    {"efficientnet_lite4",
     "inverted residuals, fit for 8 bits",
     kLiteSource,
     {.size = 300},
     kFamilyWidth,
     lite<14, 18>},
    {"ds_cnn_s",
     "12 keywords, 64 maps; that of MLPerf Tiny",
     kKeywordSource,
     {.classes = 12},
     kKeywords,
     [](NetworkBuilder& net, const ZooOptions& options) { ds_cnn(net, options, {64, 4, {2, 2}, 1}); }},
    {"ds_cnn_m",
     "12 keywords, 172 maps",
     kKeywordSource,
     {.classes = 12},
     kKeywords,
     [](NetworkBuilder& net, const ZooOptions& options) { ds_cnn(net, options, {172, 4, {2, 1}, 2}); }},
    {"ds_cnn_l",
     "12 keywords, 276 maps",
     kKeywordSource,
     {.classes = 12},
     kKeywords,
     [](NetworkBuilder& net, const ZooOptions& options) { ds_cnn(net, options, {276, 5, {2, 1}, 2}); }},
    {"resnet18", "residual blocks of two 3x3", "He et al. 2016, arXiv 1512.03385, table 1", {}, kPublished, resnet18},
    {"vgg16",
     "3x3 convolutions, large classifier",
     "Simonyan and Zisserman 2015, arXiv 1409.1556, table 1",
     {.stem_stride = 1},
     kVgg,
     vgg16},
};

const ZooEntry* find(std::string_view name) {
  const auto* const entry = std::ranges::find(kNetworks, name, &ZooEntry::name);
  return entry == std::end(kNetworks) ? nullptr : entry;
}

/// The whole of `text` as a number within the bounds, else `what` says what it should be.
template <typename Number>
Number number(std::string_view name, std::string_view text, Number least, Number most, std::string_view what) {
  Number value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  // Not written as value < least: a NaN is within no bounds.
  const bool fits = problem == std::errc() && end == text.data() + text.size() && value >= least && value <= most;
  if (!fits) fail(ErrorKind::kUsage, "{} is {}, not \"{}\"", name, what, printable(text));
  return value;
}

/// How an option is read from text and written again.
struct OptionRule {
  std::string_view name;
  void (*read)(ZooOptions& options, std::string_view text);
  std::string (*write)(const ZooOptions& options);
};

constexpr OptionRule kOptions[] = {
    {"width",
     [](ZooOptions& options, std::string_view text) {
       options.width = number("width", text, 0.01, 4.0, "a number from 0.01 to 4");
     },
     [](const ZooOptions& options) { return format("{}", options.width); }},
    {"size",
     [](ZooOptions& options, std::string_view text) {
       options.size = number<std::int64_t>("size", text, 1, 8192, "a whole number from 1 to 8192");
     },
     [](const ZooOptions& options) { return format("{}", options.size); }},
    {"channels",
     [](ZooOptions& options, std::string_view text) {
       options.channels = number<std::int64_t>("channels", text, 1, 4, "a whole number from 1 to 4");
     },
     [](const ZooOptions& options) { return format("{}", options.channels); }},
    {"classes",
     [](ZooOptions& options, std::string_view text) {
       options.classes = number<std::int64_t>("classes", text, 1, 1'000'000, "a whole number from 1 to 1000000");
     },
     [](const ZooOptions& options) { return format("{}", options.classes); }},
    {"batch",
     [](ZooOptions& options, std::string_view text) {
       options.batch = number<std::int64_t>("batch", text, 1, 4096, "a whole number from 1 to 4096");
     },
     [](const ZooOptions& options) { return format("{}", options.batch); }},
    {"stem",
     [](ZooOptions& options, std::string_view text) {
       options.stem_stride = number<std::int64_t>("stem", text, 1, 2, "the stem's stride, 1 or 2");
     },
     [](const ZooOptions& options) { return format("{}", options.stem_stride); }},
    {"unstrided",
     [](ZooOptions& options, std::string_view text) {
       options.unstrided = number<std::int64_t>("unstrided", text, 0, 4, "how many rows that stride do not, 0 to 4");
     },
     [](const ZooOptions& options) { return format("{}", options.unstrided); }},
    {"seed",
     [](ZooOptions& options, std::string_view text) {
       options.seed = number<std::uint64_t>("seed", text, 0, ~std::uint64_t{0}, "a whole number below 2^64");
     },
     [](const ZooOptions& options) { return format("{}", options.seed); }},
};

const OptionRule& rule_for(const ZooEntry& entry, std::string_view name) {
  const auto* const rule = std::ranges::find(kOptions, name, &OptionRule::name);
  const std::vector<std::string_view> known = options_of(entry);
  if (rule == std::end(kOptions)) {
    const std::string_view near = nearest(name, known);
    const std::string remedy =
        near.empty() ? format("it has {}", join(known, ", ")) : format("did you mean \"{}\"?", near);
    fail(ErrorKind::kUsage, "no option \"{}\"; {}", printable(name), remedy);
  }
  const auto fixed = std::ranges::find(entry.fixed, name, &FixedOption::option);
  if (fixed != entry.fixed.end()) {
    fail(ErrorKind::kUsage, "{} cannot be chosen: {}; it has {}", name, fixed->why, join(known, ", "));
  }
  return *rule;
}

/// `text` is what follows the colon.
ZooOptions parse_options(const ZooEntry& entry, std::string_view text) {
  ZooOptions options = entry.defaults;
  std::vector<std::string_view> given;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos) {
      fail(ErrorKind::kUsage, "an option is NAME=VALUE, not \"{}\"; it has {}", printable(item),
           join(options_of(entry), ", "));
    }
    const OptionRule& rule = rule_for(entry, item.substr(0, equals));
    if (std::ranges::find(given, rule.name) != given.end()) {
      fail(ErrorKind::kUsage, "{} is given twice", rule.name);
    }
    given.push_back(rule.name);
    rule.read(options, item.substr(equals + 1));
    if (comma == std::string_view::npos) return options;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

std::span<const ZooEntry> zoo() { return kNetworks; }

std::vector<std::string_view> options_of(const ZooEntry& entry) {
  std::vector<std::string_view> names;
  for (const OptionRule& rule : kOptions) {
    if (std::ranges::find(entry.fixed, rule.name, &FixedOption::option) == entry.fixed.end()) {
      names.push_back(rule.name);
    }
  }
  return names;
}

std::optional<ZooSpec> find_zoo_spec(std::string_view text) {
  const std::size_t colon = text.find(':');
  const ZooEntry* entry = find(text.substr(0, colon));
  if (entry == nullptr) return std::nullopt;
  if (colon == std::string_view::npos) return ZooSpec{entry, entry->defaults};
  return in_place(entry->name, [&] { return ZooSpec{entry, parse_options(*entry, text.substr(colon + 1))}; });
}

ZooSpec parse_zoo_spec(std::string_view text) {
  if (const std::optional<ZooSpec> spec = find_zoo_spec(text)) return *spec;
  const std::string_view name = text.substr(0, text.find(':'));
  std::vector<std::string_view> names;
  for (const ZooEntry& entry : kNetworks) names.push_back(entry.name);
  const std::string_view near = nearest(name, names);
  const std::string remedy =
      near.empty() ? format("there are {}", join(names, ", ")) : format("did you mean \"{}\"?", near);
  fail(ErrorKind::kUsage, "no network \"{}\"; {}", printable(name), remedy);
}

std::string to_string(const ZooSpec& spec) {
  std::vector<std::string> chosen;
  for (const OptionRule& rule : kOptions) {
    const std::string value = rule.write(spec.options);
    if (value != rule.write(spec.entry->defaults)) chosen.push_back(format("{}={}", rule.name, value));
  }
  return format("{}{}{}", spec.entry->name, chosen.empty() ? "" : ":", join(chosen, ","));
}

Graph build(const ZooSpec& spec, Weights weights) {
  const std::string name = to_string(spec);
  return in_place(name, [&] {
    NetworkBuilder net(spec.options.seed, weights);
    spec.entry->describe(net, spec.options);
    Graph graph = net.finish();
    graph.about.name = name;
    graph.about.documentation = format("{}; {}", spec.entry->what, spec.entry->source);
    graph.about.producer = "sepal";
    return graph;
  });
}

}  // namespace sepal
