// Moves transposes down the graph until they meet and cancel.
//
// A reader puts a transpose on each side of every image operator: x -> [n h w c] -> conv -> [n c h w]. One
// walk in running order undoes that. Each old value is known as a pair (base, permutation): it equals
// transpose(base, permutation), where base is a value of the new graph, and the transpose has not been
// written. A transpose in the old graph only changes the pair. An operator that does not mind the order of
// axes (elementwise functions, joins, reductions, padding, softmax ...) works on the base with its attributes permuted
// and hands the permutation on. Any other operator, and an output of the graph, has the transpose written
// ("materialised"), once for each pair; if it only moves axes of length 1, as a reshape, which costs nothing.
//
//   relu(transpose(conv(transpose(x))))  ->  transpose(relu(conv(transpose(x))))
//
// Where an operator has several inputs in different orders, the order is chosen for which the fewest
// elements must be moved.

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "sepal/base/visit.h"
#include "sepal/optimize/passes.h"
#include "sepal/optimize/regroup.h"
#include "sepal/optimize/rewrite.h"

namespace sepal {
namespace {

std::size_t at(int axis) { return static_cast<std::size_t>(axis); }

Permutation identity(int rank) {
  Permutation result;
  result.rank = rank;
  std::iota(result.axes.begin(), result.axes.begin() + rank, 0);
  return result;
}

/// A value that is transpose(base, permutation), not yet written.
struct Pending {
  ValueId base{};
  Permutation permutation;
};

/// What is known per axis of the value, brought into the order of its base.
template <typename Array>
Array to_base_order(const Array& values, const Permutation& permutation) {
  Array result = values;
  for (int axis = 0; axis < permutation.rank; ++axis) result[at(permutation[axis])] = values[at(axis)];
  return result;
}

Shape to_base_order(const Shape& shape, const Permutation& permutation) { return permutation.inverse().apply(shape); }

class Layout {
 public:
  explicit Layout(const Graph& old) : old_(old), rewriter_(old), pending_(old.value_count()) {}

  Graph run() {
    for (const Port& port : old_.inputs()) set(port.value, rewriter_(port.value));
    for (const Node& node : old_.nodes()) {
      if (rewriter_.is_live(node)) visit(node);
    }
    for (const Port& port : old_.outputs()) rewriter_.replace(port.value, materialize(get(port.value)));
    return rewriter_.finish();
  }

 private:
  Graph& graph() { return rewriter_.graph(); }
  const Shape& shape(ValueId value) { return graph().shape(value); }

  void set(ValueId old_value, Pending pending) { pending_[Graph::index(old_value)] = pending; }
  void set(ValueId old_value, ValueId value) { set(old_value, {value, identity(old_.shape(old_value).rank())}); }

  Pending get(ValueId old_value) {
    if (old_.is_constant(old_value)) set(old_value, rewriter_(old_value));
    return pending_[Graph::index(old_value)];
  }

  /// True if writing the transpose moves no element.
  bool is_free(const Pending& value) {
    if (graph().is_constant(value.base)) return true;
    return moves_only_units(shape(value.base), value.permutation);
  }

  std::int64_t cost(const Pending& value) { return is_free(value) ? 0 : shape(value.base).elements(); }

  /// The value itself, its transpose written where there is one.
  ValueId materialize(const Pending& value) {
    if (value.permutation.is_identity()) return value.base;
    const auto key = std::pair(value.base, value.permutation.axes);
    if (const auto found = written_.find(key); found != written_.end()) return found->second;
    const Shape& base = shape(value.base);
    const ValueId result = moves_only_units(base, value.permutation) && !graph().is_constant(value.base)
                               ? graph().add(Reshape{value.permutation.apply(base)}, {value.base})
                               : graph().add(Transpose{value.permutation}, {value.base});
    written_.emplace(key, result);
    return result;
  }

  /// The base that the value would have in the order `permutation`: value = transpose(result, permutation).
  Pending in_order(const Pending& value, const Permutation& permutation) {
    return {value.base, value.permutation.then(permutation.inverse())};
  }

  /// The value with axes of length 1 in front, up to `rank`.
  Pending aligned(const Pending& value, int rank) {
    const int missing = rank - value.permutation.rank;
    if (missing == 0) return value;
    const ValueId plain = materialize(value);
    std::vector<std::int64_t> dims(at(missing), 1);
    dims.insert(dims.end(), shape(plain).begin(), shape(plain).end());
    return {graph().add(Reshape{Shape(dims)}, {plain}), identity(rank)};
  }

  /// The order in which the fewest elements of these values must be moved; all have one rank. Of equals, one
  /// that hands a transpose on rather than writing it.
  Permutation best_order(std::span<const Pending> values) {
    Permutation best = identity(values[0].permutation.rank);
    std::int64_t least = -1;
    std::vector<Permutation> considered;  // few, whatever the number of values
    const auto consider = [&](const Permutation& candidate) {
      if (std::ranges::find(considered, candidate) != considered.end()) return;
      considered.push_back(candidate);
      std::int64_t total = 0;
      for (const Pending& value : values) total += cost(in_order(value, candidate));
      if (least < 0 || total < least || (total == least && best.is_identity())) {
        best = candidate;
        least = total;
      }
    };
    consider(best);
    for (const Pending& value : values) {
      if (!graph().is_constant(value.base)) consider(value.permutation);
    }
    return best;
  }

  void emit(const Node& node, Op op, std::vector<ValueId> inputs, const Permutation& permutation) {
    const std::span<const ValueId> outputs = graph().add_node(std::move(op), std::move(inputs), node.name);
    for (std::size_t i = 0; i < outputs.size(); ++i) set(node.outputs[i], {outputs[i], permutation});
  }

  /// The node as it is, over values with their transposes written.
  void plain(const Node& node) {
    std::vector<ValueId> inputs;
    for (const ValueId input : node.inputs) inputs.push_back(materialize(get(input)));
    const std::span<const ValueId> outputs = graph().add_node(node.op, std::move(inputs), node.name);
    for (std::size_t i = 0; i < outputs.size(); ++i) set(node.outputs[i], outputs[i]);
  }

  /// Functions of one value (and constants or scalars beside it): the operator, its attributes in the base's order.
  void along(const Node& node, Op op) {
    const Pending input = get(node.inputs[0]);
    std::vector<ValueId> inputs = {input.base};
    for (std::size_t i = 1; i < node.inputs.size(); ++i) inputs.push_back(materialize(get(node.inputs[i])));
    emit(node, std::move(op), std::move(inputs), input.permutation);
  }

  /// Operators over several values of one shape or that broadcast.
  void together(const Node& node, const std::function<Op(const Permutation&)>& op) {
    int rank = 0;
    for (const ValueId input : node.inputs) rank = std::max(rank, old_.shape(input).rank());
    std::vector<Pending> values;
    bool all_plain = true;
    for (const ValueId input : node.inputs) {
      values.push_back(get(input));
      all_plain = all_plain && values.back().permutation.is_identity();
    }
    if (all_plain) return plain(node);
    for (Pending& value : values) value = aligned(value, rank);
    const Permutation order = best_order(values);
    std::vector<ValueId> inputs;
    for (const Pending& value : values) inputs.push_back(materialize(in_order(value, order)));
    emit(node, op(order), std::move(inputs), order);
  }

  void reshape(const Node& node, const Reshape& op) {
    Pending input = get(node.inputs[0]);
    if (input.permutation.is_identity()) return plain(node);
    auto regrouped = regroup(shape(input.base), input.permutation, op.shape);
    if (!regrouped) {
      if (const auto order = gather_groups(shape(input.base), input.permutation, op.shape)) {
        const ValueId base = materialize({input.base, *order});
        input = {base, order->inverse().then(input.permutation)};
        regrouped = regroup(shape(base), input.permutation, op.shape);
      }
    }
    if (!regrouped) return plain(node);
    const ValueId base = graph().add(Reshape{regrouped->shape}, {input.base}, node.name);
    set(node.outputs[0], {base, regrouped->permutation});
  }

  /// A reduction keeps its axes while it moves, and drops them afterwards.
  template <typename Reduction>
  void reduce(const Node& node, Reduction op) {
    const Pending input = get(node.inputs[0]);
    if (input.permutation.is_identity()) return plain(node);
    const bool keep = op.keep_dims;
    op.keep_dims = true;
    const ValueId base = graph().add(op, {input.base}, node.name);
    if (keep) return set(node.outputs[0], {base, input.permutation});
    const Shape& wanted = old_.shape(node.outputs[0]);
    if (const auto regrouped = regroup(shape(base), input.permutation, wanted)) {
      return set(node.outputs[0], {graph().add(Reshape{regrouped->shape}, {base}), regrouped->permutation});
    }
    set(node.outputs[0], graph().add(Reshape{wanted}, {materialize({base, input.permutation})}));
  }

  /// The axis that `axis` of the node's first input is in its base.
  int base_axis(const Node& node, int axis) { return get(node.inputs[0]).permutation[axis]; }

  void visit(const Node& node) {
    std::visit(Overload{[&](const Transpose& op) {
                          const Pending input = get(node.inputs[0]);
                          set(node.outputs[0], {input.base, input.permutation.then(op.permutation)});
                        },
                        [&](const Reshape& op) { reshape(node, op); }, [&](const Unary& op) { along(node, op); },
                        [&](const Cast& op) { along(node, op); },
                        [&](const Binary& op) { together(node, [&](const Permutation&) { return op; }); },
                        [&](const Select& op) { together(node, [&](const Permutation&) { return op; }); },
                        [&](Concat op) {
                          together(node, [op](const Permutation& order) { return Concat{.axis = order[op.axis]}; });
                        },
                        [&](Reduce op) {
                          for (int& axis : op.axes) axis = base_axis(node, axis);
                          std::ranges::sort(op.axes);
                          reduce(node, op);
                        },
                        [&](ArgReduce op) {
                          op.axis = base_axis(node, op.axis);
                          reduce(node, op);
                        },
                        [&](Softmax op) {
                          op.axis = base_axis(node, op.axis);
                          along(node, op);
                        },
                        [&](Slice op) {
                          const Permutation order = get(node.inputs[0]).permutation;
                          along(node, Slice{to_base_order(op.start, order), to_base_order(op.step, order),
                                            to_base_order(op.size, order)});
                        },
                        [&](Pad op) {
                          const Permutation order = get(node.inputs[0]).permutation;
                          op.before = to_base_order(op.before, order);
                          op.after = to_base_order(op.after, order);
                          along(node, op);
                        },
                        [&](Tile op) {
                          op.repeats = to_base_order(op.repeats, get(node.inputs[0]).permutation);
                          along(node, op);
                        },
                        [&](Expand op) {
                          const Permutation order = get(node.inputs[0]).permutation;
                          if (order.rank != op.shape.rank()) return plain(node);
                          along(node, Expand{to_base_order(op.shape, order)});
                        },
                        [&](Resize op) {
                          const Permutation order = get(node.inputs[0]).permutation;
                          op.size = to_base_order(op.size, order);
                          op.how.scales = to_base_order(op.how.scales, order);
                          op.how.roi_start = to_base_order(op.how.roi_start, order);
                          op.how.roi_end = to_base_order(op.how.roi_end, order);
                          along(node, op);
                        },
                        [&](Gather op) {
                          if (old_.shape(node.inputs[1]).rank() != 1) return plain(node);
                          op.axis = base_axis(node, op.axis);
                          along(node, op);
                        },
                        [&](Quantize op) { quantization(node, op); }, [&](Dequantize op) { quantization(node, op); },
                        [&](const auto&) { plain(node); }},
               node.op);
  }

  template <typename Quantization>
  void quantization(const Node& node, Quantization op) {
    if (op.block > 0) return plain(node);  // the scale has the value's axes too
    if (old_.shape(node.inputs[1]).rank() == 1) op.axis = base_axis(node, op.axis);
    along(node, op);
  }

  const Graph& old_;
  Rewriter rewriter_;
  std::vector<Pending> pending_;
  std::map<std::pair<ValueId, std::array<int, Shape::kMaxRank>>, ValueId> written_;
};

}  // namespace

Graph cancel_transposes(const Graph& graph) { return Layout(graph).run(); }

}  // namespace sepal
