#pragma once

// What becomes of nodes that cannot be imported: a list of them, values that stand in for what they would give,
// and a graph without the operators of those that got only half of the way.

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sepal/base/error.h"
#include "sepal/formats/onnx_import.h"

namespace sepal::onnx {

class LeftOut {
 public:
  /// Both must outlive it.
  LeftOut(Importing& state, const Sizes& sizes);

  /// True if all inputs of the node have values, some perhaps of stand-ins that are made now. If not, the node is
  /// left out. Throws Error(kUnsupported) if stand-ins and inputs are more than kMostEnds.
  bool supply(const SourceNode& node);
  /// The same for one value.
  bool supply(Slot slot);

  /// True if the value's shape rests on what the file says of a value that it was not computed from.
  bool doubtful(Slot slot) const { return slot != kNoSlot && doubtful_[static_cast<std::size_t>(slot)]; }

  /// Leaves out the node and what it put into the graph: the nodes from `first`.
  void leave(const SourceNode& node, std::string why, std::size_t first);
  /// The same for a node whose import ended in this error, which is thrown, the node's name in front, unless it
  /// says that something is not handled or comes from a doubtful shape.
  void leave(const SourceNode& node, const Error& error, std::size_t first);

  /// Throws Error(kUnsupported) that lists what is not handled, if there is any.
  void refuse_any() const;

  /// The graph without what was left out, and the list.
  Countable take();

 private:
  std::optional<TensorType> declared(Slot slot) const;
  std::string why_without(Slot slot) const;

  Importing& state_;
  const Sizes& sizes_;
  std::size_t real_inputs_;
  std::vector<Uncounted> left_out_;
  std::vector<std::string> problems_;                        ///< of nodes that did not only lack an input
  std::unordered_map<Slot, const SourceNode*> givers_;       ///< of what is without a value
  std::vector<bool> doubtful_;                               ///< by slot
  std::vector<std::pair<std::size_t, std::size_t>> halves_;  ///< nodes of the graph, first .. last - 1
};

}  // namespace sepal::onnx
