#include "cli/classify.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"

namespace sepal::cli {

std::vector<std::string> read_labels(const std::filesystem::path& path) {
  const MappedFile file(path);
  std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  constexpr std::ptrdiff_t kMost = 1 << 20;
  if (std::ranges::count(text, '\n') > kMost) {
    invalid("{}: more than {} lines; labels are one a class", printable(path.string()), grouped(kMost));
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::optional<std::int64_t> class_count(const Shape& output) {
  const auto longer = std::ranges::count_if(output, [](std::int64_t dim) { return dim > 1; });
  return longer == 1 && output.elements() > 1 ? std::optional(output.elements()) : std::nullopt;
}

bool are_probabilities(std::span<const double> values) {
  if (!std::ranges::all_of(values, [](double value) { return value >= 0 && value <= 1; })) return false;
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  if (std::abs(sum - 1) <= 1e-3) return true;
  const auto on_grid = [](double value) { return std::abs(value * 256 - std::nearbyint(value * 256)) <= 1e-3; };
  return sum >= 0.5 && sum <= 1.5 && std::ranges::all_of(values, on_grid);
}

std::optional<Ranking> rank_classes(std::span<const double> values, std::size_t count) {
  if (values.empty() || std::ranges::any_of(values, [](double value) { return std::isnan(value); }))
    return std::nullopt;
  const double most = *std::ranges::max_element(values);
  if (!std::isfinite(most)) return std::nullopt;

  std::vector<double> probabilities(values.begin(), values.end());
  Ranking ranking;
  if (!are_probabilities(values)) {
    ranking.used_softmax = true;
    for (double& value : probabilities) value = std::exp(value - most);
    const double total = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
    for (double& value : probabilities) value /= total;
  }

  // Ranked by the values: two probabilities may round to the same number.
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto better = [&](std::size_t a, std::size_t b) {
    return values[a] != values[b] ? values[a] > values[b] : a < b;
  };
  count = std::min(count, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(), better);
  for (std::size_t i = 0; i < count; ++i) {
    ranking.best.push_back({static_cast<std::int64_t>(order[i]), probabilities[order[i]]});
  }
  return ranking;
}

Labels::Labels(std::vector<std::string> lines, std::int64_t classes, const std::string& source)
    : lines_(std::move(lines)) {
  while (!lines_.empty() && lines_.back().empty()) lines_.pop_back();
  const auto count = static_cast<std::int64_t>(lines_.size());
  background_ = count > 0 && count == classes - 1;
  if (count == 0 || (count != classes && !background_)) {
    invalid("{}: {} labels, but the model has {} classes", source, count, classes);
  }
}

std::string Labels::operator[](std::int64_t index) const {
  if (background_ && index == 0) return "background";
  const std::int64_t line = index - (background_ ? 1 : 0);
  return line >= 0 && line < static_cast<std::int64_t>(lines_.size()) ? lines_[static_cast<std::size_t>(line)] : "";
}

}  // namespace sepal::cli
