#include "cli/fitted.h"

#include <algorithm>
#include <string_view>

#include "sepal/base/text.h"

namespace sepal::cli {
namespace {

/// Whether the network's text chooses that option itself.
bool chooses(std::string_view network, std::string_view option) {
  const std::size_t colon = network.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string given = format(",{}", network.substr(colon + 1));
  return given.find(format(",{}=", option)) != std::string::npos;
}

}  // namespace

ZooSpec fitted(const std::string& text, const DataSet& set, std::uint64_t seed) {
  constexpr std::int64_t kSmall = 64;
  ZooSpec spec = parse_zoo_spec(text);
  const auto has = [&](std::string_view option) {
    const std::vector<std::string_view> names = options_of(*spec.entry);
    return std::ranges::find(names, option) != names.end() && !chooses(text, option);
  };
  if (has("size") && set.size) spec.options.size = std::max(set.size->h, set.size->w);
  if (has("channels")) spec.options.channels = set.channels;
  if (has("classes")) spec.options.classes = std::ssize(set.classes);
  if (has("stem") && spec.options.size <= kSmall) spec.options.stem_stride = 1;
  if (has("seed")) spec.options.seed = seed;
  spec.options.batch = 1;
  return spec;
}

}  // namespace sepal::cli
