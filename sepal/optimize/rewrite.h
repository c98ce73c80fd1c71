#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "sepal/graph/graph.h"

namespace sepal {

/// What every rewrite is made of: the old graph walked in order, a new one built beside it.
class Rewriter {
 public:
  explicit Rewriter(const Graph& old);

  const Graph& old() const { return old_; }
  /// The graph under construction.
  Graph& graph() { return graph_; }
  /// The new value that stands for an old one; a constant is brought over when first asked for.
  ValueId operator()(ValueId old_value);
  std::vector<ValueId> operator()(std::span<const ValueId> old_values);
  /// From now on `new_value` stands for `old_value`.
  void replace(ValueId old_value, ValueId new_value) { map_[Graph::index(old_value)] = new_value; }
  /// Appends the node as it is.
  void copy(const Node& node);
  /// Live readers of the old value, the graph's outputs among them.
  int uses(ValueId old_value) const { return uses_[Graph::index(old_value)]; }
  /// Whether anything that the graph gives depends on the node; the others are left out.
  bool is_live(const Node& node) const;
  /// Adds the outputs and returns the new graph.
  Graph finish();

 private:
  const Graph& old_;
  Graph graph_;
  std::vector<std::optional<ValueId>> map_;
  std::vector<int> uses_;
  std::vector<bool> live_;  ///< by value
};

/// Walks all live nodes: `visit(rewriter, node)` returns true if it has replaced the node's outputs, false
/// for "copy it as it is".
Graph rewrite(const Graph& graph, const std::function<bool(Rewriter&, const Node&)>& visit);

/// Bytes of all constants of the graph.
std::int64_t constant_bytes(const Graph& graph);

/// Bytes that a pass may add to the constants of any graph; beyond, it must be in proportion to them.
inline constexpr std::int64_t kFoldingLeast = std::int64_t{16} << 20;

/// The one value of a constant that holds equal f32 values throughout, or nothing.
std::optional<float> uniform_value(const Constant& constant);

}  // namespace sepal
