#include "sepal/plan/tuned.h"

#include <charconv>
#include <span>

#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "sepal/kernels/target.h"
#include "sepal/machine/machine.h"
#include "sepal/machine/system.h"
#include "sepal/plan/chains.h"

namespace sepal {
namespace {

constexpr std::string_view kHeading = "sepal-tuned 1";
constexpr std::size_t kMostBytes = 1 << 20;

/// Fowler, Noll and Vo's hash, 64 bits, variant 1a.
class Hash {
 public:
  void add(std::string_view bytes) {
    for (const char byte : bytes) value_ = (value_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
  }
  void add(std::int64_t number) {
    for (int i = 0; i < 64; i += 8) {
      value_ = (value_ ^ (static_cast<std::uint64_t>(number) >> i & 0xff)) * 0x100000001b3U;
    }
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325U;
};

std::int64_t number_in(std::string_view word, int line) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (problem != std::errc() || end != word.data() + word.size() || value < 0) {
    invalid("line {}: \"{}\" is no whole number from 0 on", line, printable(word));
  }
  return value;
}

Fused parse_step(std::string_view text, int line) {
  constexpr std::string_view kStep = "step ";
  constexpr std::string_view kRows = " rows ";
  const std::size_t rows = text.find(kRows);
  if (!text.starts_with(kStep) || rows == std::string_view::npos) {
    invalid("line {}: \"step NODE NODE ... rows N\" belongs here, not \"{}\"", line, printable(text));
  }
  Fused fused{.nodes = {}, .rows_at_once = number_in(text.substr(rows + kRows.size()), line)};
  std::string_view nodes = text.substr(kStep.size(), rows - kStep.size());
  while (!nodes.empty()) {
    const std::string_view word = nodes.substr(0, nodes.find(' '));
    fused.nodes.push_back(static_cast<std::size_t>(number_in(word, line)));
    nodes.remove_prefix(std::min(nodes.size(), word.size() + 1));
  }
  return fused;
}

}  // namespace

std::uint64_t fingerprint(const Graph& graph) {
  Hash hash;
  const auto add_value = [&](ValueId value) {
    hash.add(static_cast<std::int64_t>(Graph::index(value)));
    const TensorType& type = graph.type(value);
    hash.add(name_of(type.type));
    for (int i = 0; i < type.shape.rank(); ++i) hash.add(type.shape[i]);
  };
  for (const Node& node : graph.nodes()) {
    hash.add(name_of(node.op));
    if (const auto* conv = std::get_if<Conv2d>(&node.op)) {
      const Window& window = conv->window;
      for (const std::int64_t number : {window.stride.h, window.stride.w, window.dilation.h, window.dilation.w,
                                        window.padding.top, window.padding.left, conv->groups}) {
        hash.add(number);
      }
    }
    for (const ValueId input : node.inputs) add_value(input);
    for (const ValueId output : node.outputs) add_value(output);
  }
  return hash.value();
}

std::optional<std::filesystem::path> tuned_file(const Graph& graph, int threads) {
  const std::optional<std::filesystem::path> folder = cache_folder();
  if (!folder) return std::nullopt;
  Hash here;
  here.add(processor_name());
  here.add(target_name());
  here.add(threads);
  here.add(static_cast<std::int64_t>(fingerprint(graph)));
  return *folder / format("tuned-{:016x}.txt", here.value());
}

std::string to_text(const std::vector<Fused>& fused) {
  std::string text = format("{}\n", kHeading);
  for (const Fused& one : fused) text += format("step {} rows {}\n", join(one.nodes, " "), one.rows_at_once);
  return text;
}

std::vector<Fused> parse_tuned(std::string_view text) {
  std::vector<Fused> all;
  for (int line = 1; !text.empty() || line == 1; ++line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) invalid("line {}: it has no end", line);
    const std::string_view here = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line == 1) {
      if (here != kHeading) invalid("line 1: \"{}\" belongs here, not \"{}\"", kHeading, printable(here));
    } else {
      all.push_back(parse_step(here, line));
    }
  }
  return all;
}

std::optional<std::vector<Fused>> kept_fused(const Graph& graph, int threads) {
  try {
    const auto path = tuned_file(graph, threads);
    std::error_code none;
    if (!path || !std::filesystem::is_regular_file(*path, none)) return std::nullopt;
    const MappedFile file(*path);
    if (file.bytes().size() > kMostBytes) return std::nullopt;
    const auto* text = reinterpret_cast<const char*>(file.bytes().data());
    std::vector<Fused> fused = parse_tuned({text, file.bytes().size()});
    Fusions tried;
    find_additions(graph, tried);
    add_cascades(graph, fused, tried);
    return fused;
  } catch (const Error&) {
    return std::nullopt;  // not what was written for this graph
  }
}

PlanOptions with_kept(PlanOptions options, const Graph& graph) {
  if (options.fuse && !options.fused && !options.reference_only) options.fused = kept_fused(graph, options.threads);
  return options;
}

bool keep_fused(const std::vector<Fused>& fused, const std::filesystem::path& path) {
  try {
    std::error_code ignored;
    std::filesystem::create_directories(path.parent_path(), ignored);
    const std::string text = to_text(fused);
    write_file(path, std::as_bytes(std::span(text)));
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace sepal
