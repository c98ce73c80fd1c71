#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sepal/graph/graph.h"

namespace sepal {

/// Judges, before memory is taken, what a graph's nodes would write: no value larger than the limit, and what
/// hangs on constants alone only in proportion to them, so that a file of a few bytes cannot ask for gigabytes.
class MemoryLimits {
 public:
  /// `limit` in bytes; 0: none.
  MemoryLimits(const Graph& graph, std::size_t limit);

  /// Counts the node, whose inputs were counted before it. Throws Error(kInvalid) that names it, with its
  /// output's shape and both figures.
  void count(const Node& node, const std::string& name);
  /// Throws Error(kInvalid) if the workspace and the graph's outputs together exceed the limit.
  void check_sum(std::size_t workspace) const;
  /// Bytes of all activations together, each with memory of its own.
  std::size_t activation_bytes() const { return activation_bytes_; }

 private:
  const Graph& graph_;
  std::size_t limit_;
  std::size_t constant_budget_;
  std::size_t activation_bytes_ = 0;
  std::vector<bool> depends_;  ///< by value: whether it hangs on an input
};

/// Bytes of a value of that type.
std::size_t bytes_of(const TensorType& type);

}  // namespace sepal
