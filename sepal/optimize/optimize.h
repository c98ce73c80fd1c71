#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "sepal/graph/graph.h"

namespace sepal {

/// A rewrite: a graph that computes the same from the same inputs.
struct Pass {
  std::string_view name;
  std::string_view what;  ///< one line for reports
  Graph (*apply)(const Graph& graph);
};

/// The passes in the order in which `optimize` applies them.
std::span<const Pass> passes();

/// Called after each pass with the graph before and after it.
using Observer = std::function<void(const Pass& pass, const Graph& before, const Graph& after)>;

/// The graph after all passes. Each result is verified: the ends of the graph must still have their names,
/// types and shapes, else Error(kInternal) that names the pass.
Graph optimize(const Graph& graph, const Observer& observe = {});

/// The graph as its file means it, for counting: transposes that stand for nothing but another layout, and nodes that
/// do nothing, are gone; arithmetic is as it was.
Graph without_layout(const Graph& graph);

/// The graph with its images as operators see them, for counting: transposes without a name between an input or an
/// output and the rest are gone, and the ends have the other order of axes. Apply after without_layout.
Graph without_turned_ends(const Graph& graph);

}  // namespace sepal
