// Fusing chains of convolutions, by a model of the caches. Arithmetic is the same however a chain is cut; what differs
// is how far data goes. A map between two steps is written to, and read from, the smallest cache that holds it with as
// much again; within a step it lives in rings in L2. What that costs: the weights of all stages are read again for
// every piece, and each piece has a little work of its own. The figures are one-way bandwidths of a current server
// core; that they rank blocks as measuring does was checked on MobileNetV2 at 224 and 448 (docs/KERNELS.md).

#include "sepal/plan/chains.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>

#include "sepal/base/text.h"
#include "sepal/kernels/cascade.h"
#include "sepal/kernels/packed.h"
#include "sepal/plan/conv_site.h"

namespace sepal {
namespace {

constexpr double kSecondsPerByteL2 = 1 / 200e9;
constexpr double kSecondsPerByteL3 = 1 / 110e9;
constexpr double kSecondsPerByteMemory = 1 / 40e9;
constexpr double kSecondsPerCall = 150e-9;   // of a stage for one piece
constexpr double kPackedBytes = 128 * 1024;  // of what one stage packs for the next
constexpr double kSecondsPerMac = 1 / 125e9;

/// Seconds to move `bytes` of something of which `whole` bytes lie about until they are used again.
double move(double bytes, double whole, const CacheSizes& caches) {
  if (whole <= static_cast<double>(caches.l2) / 2) return bytes * kSecondsPerByteL2;
  return bytes * (whole <= static_cast<double>(caches.l3) / 2 ? kSecondsPerByteL3 : kSecondsPerByteMemory);
}

// Bytes and MACs are no whole numbers here: a stranger's shapes are ranked before their sums are checked.
double bytes_of(const ChainLink& link) { return static_cast<double>(link.output.elements()) * sizeof(float); }
double row_bytes(const ChainLink& link) {
  return static_cast<double>(link.output.w()) * static_cast<double>(link.output.c()) * sizeof(float);
}
double seconds_of(const ChainLink& link) { return link.macs * kSecondsPerMac; }

/// Rows of its input that a link meets for so many rows of its output.
std::int64_t rows_met(const ChainLink& link, std::int64_t rows) {
  return (rows - 1) * link.window.stride.h + span_of(link.window).h;
}

/// The cost of links as one step of `rows` rows at a time; nothing if their rings do not fit.
std::optional<double> cost_of(std::span<const ChainLink> links, std::int64_t rows, const CacheSizes& caches,
                              int threads) {
  const ChainLink& last = links.back();
  const std::int64_t all_rows = last.output.n() * last.output.h();
  const std::int64_t parts = std::min<std::int64_t>(threads, all_rows);
  const double uneven = static_cast<double>((all_rows + parts - 1) / parts * parts) / static_cast<double>(all_rows) - 1;
  double rings = 0;
  double weights = last.weights;
  std::int64_t met = rows;
  double between = 0;
  double waiting = uneven * seconds_of(last);
  for (std::size_t i = links.size() - 1; i-- > 0;) {
    const ChainLink& link = links[i];
    const std::int64_t fresh = met;
    met = std::min(rows_met(links[i + 1], met), link.output.h());
    // What a depthwise stage packs for a product lies side by side, and a little of it stays in L1 and L2's best part.
    const bool packs = link.kind == StageKind::kDepthwise && links[i + 1].kind == StageKind::kPointwise;
    const double ring = static_cast<double>(met) * row_bytes(link);
    const double moves = !packs ? 2 : ring > kPackedBytes ? 1 : 0;
    between += moves * bytes_of(link);
    rings += ring;
    weights += link.weights;
    // Parts of the image that lie side by side compute the rows between them twice.
    const double twice = static_cast<double>((met - fresh) * (parts - 1)) / static_cast<double>(link.output.h());
    waiting += (uneven + twice) * seconds_of(link);
  }
  if (rings > static_cast<double>(caches.l2) * 5 / 8) return std::nullopt;
  const auto pieces = static_cast<double>(last.output.n() * ((last.output.h() + rows - 1) / rows));
  return waiting + between * kSecondsPerByteL2 + (pieces - 1) * move(weights, weights + rings, caches) +
         pieces * static_cast<double>(links.size()) * kSecondsPerCall;
}

/// The cheapest number of rows at once for links as one step.
std::optional<Cut> as_one(std::span<const ChainLink> links, const CacheSizes& caches, int threads) {
  std::optional<Cut> best;
  const std::int64_t h = links.back().output.h();
  for (std::int64_t rows = 2;; rows *= 2) {
    const auto seconds = cost_of(links, std::min(rows, h), caches, threads);
    if (seconds && (!best || *seconds < best->seconds)) best = Cut{0, 0, std::min(rows, h), *seconds};
    if (!seconds || rows >= h) return best;
  }
}

bool may_be_one(std::span<const ChainLink> links) {
  if (links.size() > kMostStages) return false;
  const auto is = [&](StageKind kind) { return [kind](const ChainLink& link) { return link.kind == kind; }; };
  return std::ranges::any_of(links, is(StageKind::kDepthwise)) &&
         std::ranges::none_of(links.subspan(1), is(StageKind::kDirect));
}

/// Finds chains of convolutions that nobody else reads.
class Chains {
 public:
  Chains(const Graph& graph, const Fusions& fusions)
      : graph_(graph), fusions_(fusions), uses_(count_uses(graph)), reader_(graph.value_count()) {
    for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
      const Node& node = graph.nodes()[i];
      if (!node.inputs.empty() && link_of(i)) reader_[Graph::index(node.inputs[0])] = i;
    }
  }

  /// Those of at least two links, each from its first.
  std::vector<std::vector<ChainLink>> find() const {
    std::vector<bool> seen(graph_.nodes().size());
    std::vector<std::vector<ChainLink>> chains;
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
      std::vector<ChainLink> chain;
      for (std::optional<std::size_t> at = i; at && !seen[*at]; at = next(*at)) {
        const auto link = link_of(*at);
        if (!link) break;
        seen[*at] = true;
        chain.push_back(*link);
      }
      if (chain.size() > 1) chains.push_back(std::move(chain));
    }
    return chains;
  }

 private:
  std::optional<ChainLink> link_of(std::size_t at) const {
    const Node& node = graph_.nodes()[at];
    const Site site{graph_, node};
    const Conv2d* conv = constant_conv(site);
    if (conv == nullptr || site.output().shape.elements() == 0) return std::nullopt;
    const Shape& filter = filter_of(site);
    if (has_small_groups(*conv, filter)) return std::nullopt;  // no stage runs their kernel
    const Shape& output = site.output().shape;
    return ChainLink{.node = at,
                     .kind = kind_of(*conv, filter),
                     .window = conv->window,
                     .output = output,
                     .weights = static_cast<double>(filter.elements()) * sizeof(float),
                     .macs = static_cast<double>(output.elements()) * static_cast<double>(filter.elements(1, 4))};
  }

  /// The link behind: the only reader of the node's result, which is no sum.
  std::optional<std::size_t> next(std::size_t at) const {
    const ValueId result = graph_.nodes()[at].outputs[0];
    if (fusions_.contains(at) || uses_[Graph::index(result)] != 1) return std::nullopt;
    return reader_[Graph::index(result)];
  }

  const Graph& graph_;
  const Fusions& fusions_;
  std::vector<int> uses_;
  std::vector<std::optional<std::size_t>> reader_;  ///< by value: the convolution that reads it as its image
};

std::vector<std::vector<ChainLink>> chains_in(const Graph& graph) {
  Fusions additions;
  find_additions(graph, additions);
  return Chains(graph, additions).find();
}

}  // namespace

std::vector<Cut> cut(std::span<const ChainLink> chain, const CacheSizes& caches, int threads) {
  // The cheapest way to compute the first k links, for every k.
  std::vector<Cut> last(chain.size() + 1);
  std::vector<double> best(chain.size() + 1, std::numeric_limits<double>::infinity());
  best[0] = 0;
  for (std::size_t end = 1; end <= chain.size(); ++end) {
    const ChainLink& link = chain[end - 1];
    // The result goes to the next step and is read there.
    const double out = move(2 * bytes_of(link), bytes_of(link), caches);
    for (std::size_t begin = end - std::min(end, kMostStages); begin < end; ++begin) {
      const auto links = chain.subspan(begin, end - begin);
      std::optional<Cut> one = links.size() == 1 ? Cut{} : std::optional<Cut>{};
      if (links.size() > 1 && may_be_one(links)) one = as_one(links, caches, threads);
      if (!one || best[begin] + one->seconds + out >= best[end]) continue;
      best[end] = best[begin] + one->seconds + out;
      last[end] = {begin, end, one->rows_at_once, one->seconds + out};
    }
  }
  std::vector<Cut> cuts;
  for (std::size_t end = chain.size(); end > 0; end = last[end].begin) cuts.push_back(last[end]);
  std::ranges::reverse(cuts);
  return cuts;
}

std::vector<Fused> ranked(const Graph& graph, const CacheSizes& caches, int threads) {
  std::vector<Fused> all;
  for (const std::vector<ChainLink>& chain : chains_in(graph)) {
    for (const Cut& one : cut(chain, caches, threads)) {
      if (one.end - one.begin < 2) continue;
      Fused& fused = all.emplace_back(Fused{.nodes = {}, .rows_at_once = one.rows_at_once});
      for (std::size_t i = one.begin; i < one.end; ++i) fused.nodes.push_back(chain[i].node);
    }
  }
  return all;
}

std::vector<std::vector<std::size_t>> chains_of(const Graph& graph) {
  std::vector<std::vector<std::size_t>> all;
  for (const std::vector<ChainLink>& chain : chains_in(graph)) {
    std::vector<std::size_t>& nodes = all.emplace_back();
    for (const ChainLink& link : chain) nodes.push_back(link.node);
  }
  return all;
}

void add_cascades(const Graph& graph, std::span<const Fused> fused, Fusions& fusions) {
  constexpr std::int64_t kMostRingBytes = 64 << 20;
  const std::vector<std::vector<ChainLink>> chains = chains_in(graph);
  std::set<std::size_t> taken;
  for (const Fused& one : fused) {
    const auto starts = [&](const ChainLink& link) { return !one.nodes.empty() && link.node == one.nodes.front(); };
    std::span<const ChainLink> links;
    for (const std::vector<ChainLink>& chain : chains) {
      const auto first = std::ranges::find_if(chain, starts);
      if (static_cast<std::size_t>(chain.end() - first) < one.nodes.size() || first == chain.end()) continue;
      links = std::span(first, one.nodes.size());
    }
    const bool follow = !links.empty() && std::ranges::equal(links, one.nodes, {}, &ChainLink::node);
    const bool free = std::ranges::none_of(one.nodes, [&](std::size_t node) { return !taken.insert(node).second; });
    if (!follow || !free || one.nodes.size() < 2 || !may_be_one(links) || one.rows_at_once < 1 ||
        one.rows_at_once > links.back().output.h() ||
        !cost_of(links, one.rows_at_once, {.l2 = kMostRingBytes, .l3 = kMostRingBytes}, 1)) {
      invalid("a step of {} convolutions from node {}, {} rows at once, does not suit this network; tune it again",
              one.nodes.size(), one.nodes.empty() ? 0 : one.nodes.front(), one.rows_at_once);
    }
    const Node& node = graph.nodes()[one.nodes.back()];
    Fusion& fusion = fusions.try_emplace(one.nodes.back(), alone(node)).first->second;
    fusions.erase(one.nodes.front());  // a gate, which has the weights multiplied once an image, not once a piece
    fusion.rows_at_once = one.rows_at_once;
    fusion.before.assign(one.nodes.begin(), one.nodes.end() - 1);
    fusion.nodes.insert(fusion.nodes.end(), fusion.before.begin(), fusion.before.end());
  }
}

}  // namespace sepal
