// One rule an operator: from the gradient of what it gives to those of what it was given. Most are other operators of
// the closed list, so that they are planned and run like any others.

#include "sepal/base/text.h"
#include "sepal/base/visit.h"
#include "sepal/train/gradient_sums.h"

namespace sepal {
namespace {

[[noreturn]] void no_gradient(const Op& op) {
  fail(ErrorKind::kUnsupported, "{} has no gradient; freeze what stands before it, or leave it out", name_of(op));
}

/// The rule of one node with one output whose gradient is dy.
class Rule {
 public:
  Rule(GradientSums& sums, const Node& node, ValueId dy) : sums_(sums), graph_(sums.graph()), node_(node), dy_(dy) {}

  void operator()(const Conv2d& op) { differentiate(sums_, node_, op, dy_); }
  void operator()(const ConvTranspose2d& op) { differentiate(sums_, node_, op, dy_); }
  void operator()(const BatchNorm& op) { differentiate(sums_, node_, op, dy_); }

  void operator()(const Unary& op) { give(0, graph_.add(UnaryGradient{op}, {x(0), dy_})); }

  void operator()(const Binary& op) {
    using enum BinaryKind;
    switch (op.kind) {
      case kAdd:
        give_reduced(0, [&] { return dy_; });
        return give_reduced(1, [&] { return dy_; });
      case kSubtract:
        give_reduced(0, [&] { return dy_; });
        return give_reduced(1, [&] { return negative(dy_); });
      case kMultiply:
        give_reduced(0, [&] { return times(dy_, x(1)); });
        return give_reduced(1, [&] { return times(dy_, x(0)); });
      case kDivide:
        give_reduced(0, [&] { return sums_.binary(kDivide, dy_, x(1)); });
        return give_reduced(1, [&] { return negative(sums_.binary(kDivide, times(dy_, y()), x(1))); });
      case kMinimum:
        return give_chosen(kLessOrEqual);
      case kMaximum:
        return give_chosen(kGreaterOrEqual);
      case kPRelu: {
        // y = a where a >= 0, else b a.
        const ValueId above = sums_.binary(kGreaterOrEqual, x(0), sums_.number(0));
        give_reduced(0, [&] { return graph_.add(Select{}, {above, dy_, times(dy_, x(1))}); });
        return give_reduced(1, [&] { return graph_.add(Select{}, {above, sums_.number(0), times(dy_, x(0))}); });
      }
      default:
        no_gradient(op);
    }
  }

  void operator()(const Select&) {
    give_reduced(1, [&] { return graph_.add(Select{}, {x(0), dy_, sums_.number(0)}); });
    give_reduced(2, [&] { return graph_.add(Select{}, {x(0), sums_.number(0), dy_}); });
  }

  void operator()(const Pool& op) {
    give(0, graph_.add(
                PoolGradient{.kind = op.kind, .window = op.window, .ceil = op.ceil, .count_padding = op.count_padding},
                {x(0), dy_}));
  }

  void operator()(const Resize& op) { give(0, graph_.add(ResizeGradient{op.how, shape(0)}, {dy_})); }

  void operator()(const Reduce& op) {
    const Shape whole = shape(0);
    std::vector<std::int64_t> kept(whole.begin(), whole.end());
    std::int64_t count = 1;
    for (const int axis : op.axes) {
      count *= whole[axis];
      kept[static_cast<std::size_t>(axis)] = 1;
    }
    const auto as_kept = [&](ValueId value) {
      return graph_.shape(value) == Shape(kept) ? value : graph_.add(Reshape{Shape(kept)}, {value});
    };
    ValueId g = as_kept(dy_);
    switch (op.kind) {
      case ReduceKind::kMean:
        g = times(g, sums_.number(1.0f / static_cast<float>(std::max<std::int64_t>(count, 1))));
        break;
      case ReduceKind::kSum:
        break;
      case ReduceKind::kSumSquare:
        return give(0, times(times(x(0), sums_.number(2)), g));
      case ReduceKind::kMax:
      case ReduceKind::kMin: {
        // Those that are as large share it evenly.
        const ValueId same = sums_.binary(BinaryKind::kEqual, x(0), as_kept(y()));
        const ValueId ones = graph_.add(Select{}, {same, sums_.number(1), sums_.number(0)});
        const ValueId equals = graph_.add(Reduce{.kind = ReduceKind::kSum, .axes = op.axes}, {ones});
        const ValueId share = sums_.binary(BinaryKind::kDivide, g, equals);
        return give(0, graph_.add(Select{}, {same, share, sums_.number(0)}));
      }
      default:
        no_gradient(op);
    }
    give(0, graph_.add(Expand{whole}, {g}));
  }

  void operator()(const MatMul&) {
    give_reduced(0, [&] { return graph_.add(MatMul{}, {dy_, swapped(x(1))}); });
    give_reduced(1, [&] { return graph_.add(MatMul{}, {swapped(x(0)), dy_}); });
  }

  void operator()(const Gemm& op) {
    // y = alpha A B + beta c, with A and B as they are after transposition.
    const auto product = [&](ValueId a, bool ta, ValueId b, bool tb) {
      return graph_.add(Gemm{.alpha = op.alpha, .transpose_a = ta, .transpose_b = tb}, {a, b});
    };
    if (sums_.needed(x(0))) {
      give(0, op.transpose_a ? product(x(1), op.transpose_b, dy_, true) : product(dy_, false, x(1), !op.transpose_b));
    }
    if (sums_.needed(x(1))) {
      give(1, op.transpose_b ? product(dy_, true, x(0), op.transpose_a) : product(x(0), !op.transpose_a, dy_, false));
    }
    if (node_.inputs.size() > 2) {
      give_reduced(2, [&] { return op.beta == 1 ? dy_ : times(dy_, sums_.number(op.beta)); });
    }
  }

  void operator()(const Softmax& op) {
    const Reduce sum{.kind = ReduceKind::kSum, .axes = {op.axis}};
    if (op.log) {
      // dy - softmax(x) sum dy.
      const ValueId total = graph_.add(sum, {dy_});
      const ValueId probability = sums_.unary({UnaryKind::kExp}, y());
      return give(0, sums_.binary(BinaryKind::kSubtract, dy_, times(probability, total)));
    }
    const ValueId mean = graph_.add(sum, {times(dy_, y())});
    give(0, times(y(), sums_.binary(BinaryKind::kSubtract, dy_, mean)));
  }

  void operator()(const Reshape&) { give(0, graph_.add(Reshape{shape(0)}, {dy_})); }
  void operator()(const Transpose& op) { give(0, graph_.add(Transpose{op.permutation.inverse()}, {dy_})); }
  void operator()(const Expand&) {
    give_reduced(0, [&] { return dy_; });
  }

  void operator()(const Concat& op) {
    PerAxis start{};
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
      const Shape part = shape(i);
      if (sums_.needed(x(i))) give(i, graph_.add(Slice{.start = start, .size = part}, {dy_}));
      start[static_cast<std::size_t>(op.axis)] += part[op.axis];
    }
  }

  void operator()(const Slice& op) {
    Pad pad;
    for (int axis = 0; axis < shape(0).rank(); ++axis) {
      const auto k = static_cast<std::size_t>(axis);
      if (op.step[k] != 1 && op.size[axis] > 1) no_gradient(op);
      pad.before[k] = op.start[k];
      pad.after[k] = shape(0)[axis] - op.start[k] - op.size[axis];
    }
    give(0, graph_.add(pad, {dy_}));
  }

  void operator()(const Pad& op) {
    if (op.mode != PadMode::kConstant) no_gradient(op);
    // A crop's gradient is a padding with zeros, and the other way round.
    Pad back;
    for (std::size_t k = 0; k < back.before.size(); ++k) {
      back.before[k] = -op.before[k];
      back.after[k] = -op.after[k];
    }
    give(0, graph_.add(back, {dy_}));
  }

  void operator()(const Dropout& op) { give(0, graph_.add(op, {dy_, x(1)})); }

  /// Anything else.
  template <typename Other>
  void operator()(const Other& op) {
    no_gradient(op);
  }

 private:
  ValueId x(std::size_t i) const { return node_.inputs[i]; }
  ValueId y() const { return node_.outputs[0]; }
  Shape shape(std::size_t i) const { return graph_.shape(x(i)); }
  ValueId times(ValueId a, ValueId b) { return sums_.binary(BinaryKind::kMultiply, a, b); }
  ValueId negative(ValueId a) { return sums_.unary({UnaryKind::kNegate}, a); }
  void give(std::size_t i, ValueId gradient) { sums_.add(x(i), gradient); }

  /// The gradient of an operand that was broadcast, computed if it is wanted.
  template <typename Compute>
  void give_reduced(std::size_t i, const Compute& compute) {
    if (sums_.needed(x(i))) give(i, sums_.reduce_to(compute(), shape(i)));
  }

  /// The first operand where the comparison holds, the second elsewhere.
  void give_chosen(BinaryKind comparison) {
    const ValueId first = sums_.binary(comparison, x(0), x(1));
    give_reduced(0, [&] { return graph_.add(Select{}, {first, dy_, sums_.number(0)}); });
    give_reduced(1, [&] { return graph_.add(Select{}, {first, sums_.number(0), dy_}); });
  }

  /// The last two axes swapped.
  ValueId swapped(ValueId matrix) {
    const int rank = graph_.shape(matrix).rank();
    std::vector<int> axes;
    for (int axis = 0; axis < rank; ++axis) axes.push_back(axis);
    std::swap(axes[axes.size() - 1], axes[axes.size() - 2]);
    return graph_.add(Transpose{Permutation::of(axes)}, {matrix});
  }

  GradientSums& sums_;
  Graph& graph_;
  const Node& node_;
  ValueId dy_;
};

}  // namespace

void add_input_gradients(GradientSums& sums, const Node& node) {
  if (const auto* conv = std::get_if<TrainingConv2d>(&node.op)) return differentiate(sums, node, *conv);
  if (const auto* moments = std::get_if<BatchMoments>(&node.op)) return differentiate(sums, node, *moments);
  const std::optional<ValueId> dy = sums.of(node.outputs[0]);
  bool needed = false;
  for (const ValueId input : node.inputs) needed = needed || sums.needed(input);
  if (!dy || !needed) return;
  if (const auto* loss = std::get_if<CrossEntropy>(&node.op)) {
    if (sums.needed(node.inputs[1])) no_gradient(*loss);
    return sums.add(node.inputs[0], sums.binary(BinaryKind::kMultiply, node.outputs[1], *dy));
  }
  std::visit(Rule(sums, node, *dy), node.op);
}

}  // namespace sepal
