// One formula an operator, each for the operator as its definition is written down (and as the reference kernels
// compute it): nothing folded, nothing fused. Two conventions keep the counts honest and short: a sum of k terms
// takes k - 1 additions, and a function with branches costs what its dearest branch does. Zero points of integer
// products are taken to be folded into the bias, as every kernel does. docs/conventions.md says it in prose.

#include "sepal/graph/op_cost.h"

#include <cmath>
#include <limits>

#include "sepal/base/visit.h"
#include "sepal/graph/count.h"
#include "sepal/graph/tap_count.h"

namespace sepal {
namespace {

/// Operations on one value.
struct Each {
  int multiplications = 0;
  int additions = 0;
  int divisions = 0;
  int comparisons = 0;
  int functions = 0;
};

Arithmetic times(Count count, const Each& each) {
  return {count * each.multiplications, count * each.additions, count * each.divisions, count * each.comparisons,
          count * each.functions};
}

Each each_of(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::kIdentity:
      return {};
    case UnaryKind::kAbs:
    case UnaryKind::kNegate:
    case UnaryKind::kSign:
    case UnaryKind::kNot:
    case UnaryKind::kRelu:
    case UnaryKind::kThresholdedRelu:
      return {.comparisons = 1};
    case UnaryKind::kFloor:
    case UnaryKind::kCeil:
    case UnaryKind::kRound:
    case UnaryKind::kSqrt:
    case UnaryKind::kExp:
    case UnaryKind::kLog:
    case UnaryKind::kErf:
    case UnaryKind::kSin:
    case UnaryKind::kCos:
    case UnaryKind::kTanh:
      return {.functions = 1};
    case UnaryKind::kReciprocal:
      return {.divisions = 1};
    case UnaryKind::kClip:
      return {.comparisons = 2};
    case UnaryKind::kLeakyRelu:
      return {.multiplications = 1, .comparisons = 1};
    case UnaryKind::kElu:
      return {.multiplications = 1, .additions = 1, .comparisons = 1, .functions = 1};
    case UnaryKind::kSelu:
      return {.multiplications = 2, .additions = 1, .comparisons = 1, .functions = 1};
    case UnaryKind::kCelu:
      return {.multiplications = 1, .additions = 1, .divisions = 1, .comparisons = 1, .functions = 1};
    case UnaryKind::kSigmoid:
      return {.additions = 1, .divisions = 1, .functions = 1};
    case UnaryKind::kHardSigmoid:
      return {.multiplications = 1, .additions = 1, .comparisons = 2};
    case UnaryKind::kHardSwish:
      return {.multiplications = 1, .additions = 1, .divisions = 1, .comparisons = 2};
    case UnaryKind::kSwish:
      return {.multiplications = 2, .additions = 1, .divisions = 1, .functions = 1};
    case UnaryKind::kMish:
      return {.multiplications = 1, .additions = 1, .comparisons = 1, .functions = 3};
    case UnaryKind::kGelu:
      return {.multiplications = 2, .additions = 1, .divisions = 1, .functions = 1};
    case UnaryKind::kGeluTanh:
      return {.multiplications = 6, .additions = 2, .functions = 1};
    case UnaryKind::kSoftplus:
      return {.additions = 1, .comparisons = 1, .functions = 2};
    case UnaryKind::kSoftsign:
      return {.additions = 1, .divisions = 1, .comparisons = 1};
  }
  return {};
}

Each each_of(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::kAdd:
    case BinaryKind::kSubtract:
      return {.additions = 1};
    case BinaryKind::kMultiply:
      return {.multiplications = 1};
    case BinaryKind::kDivide:
    case BinaryKind::kModulo:
      return {.divisions = 1};
    case BinaryKind::kPower:
      return {.functions = 1};
    case BinaryKind::kPRelu:
      return {.multiplications = 1, .comparisons = 1};
    default:
      return {.comparisons = 1};  // minimum, maximum, comparisons and logic
  }
}

// A value scaled and rounded: scale, round, add the zero point, two limits.
constexpr Each kQuantization = {.additions = 1, .divisions = 1, .comparisons = 2, .functions = 1};
// The same of a sum of products, whose three scales are one multiplier.
constexpr Each kRequantization = {.multiplications = 1, .additions = 1, .comparisons = 2, .functions = 1};

// A value of a batch norm once its channel's factor and shift are known, of the sums of its moments, and of those of
// its gradient.
constexpr Each kNormalized = {.multiplications = 1, .additions = 1};
constexpr Each kMoments = {.multiplications = 1, .additions = 2};

Count elements(const TensorType& type) { return type.shape.elements(); }

Cost same(const Arithmetic& arithmetic) { return {.nominal = arithmetic, .effective = arithmetic}; }

Cost plus(Cost cost, const Arithmetic& more) {
  cost.nominal = cost.nominal + more;
  cost.effective = cost.effective + more;
  return cost;
}

/// Rows and columns of a window over [n, h, w, c], as taps on the image.
struct ImageTaps {
  TapCount rows;
  TapCount columns;
  Count pairs() const { return rows.taps * columns.taps; }
  Count positions() const { return rows.positions * columns.positions; }
};

AxisWindow rows_of(const Window& window, std::int64_t positions) {
  return {positions, window.stride.h, window.kernel.h, window.dilation.h, window.padding.top};
}
AxisWindow columns_of(const Window& window, std::int64_t positions) {
  return {positions, window.stride.w, window.kernel.w, window.dilation.w, window.padding.left};
}
ImageTaps taps_of(const Window& window, const Shape& sliding, const Shape& image) {
  return {count_taps(rows_of(window, sliding.h()), image.h()), count_taps(columns_of(window, sliding.w()), image.w())};
}

/// Sums of products: `macs` of them in `sums` sums, of which those over no term at all need no addition. A bias is the
/// first term of its sum.
Cost linear(Count macs, Count sums, Count effective_macs, Count effective_sums, bool biased) {
  Cost cost;
  cost.macs = macs;
  cost.effective_macs = effective_macs;
  cost.nominal = {.multiplications = macs, .additions = biased ? macs : excess(macs, sums)};
  cost.effective = {.multiplications = effective_macs,
                    .additions = biased ? effective_macs : excess(effective_macs, effective_sums)};
  return cost;
}

Cost convolution(const Window& window, const Shape& input, const Shape& filter, const Shape& output, bool biased) {
  const Count values = output.elements();
  const Count depth = filter.c();
  const ImageTaps taps = taps_of(window, output, input);
  const Count planes = Count(output.n()) * output.c();
  return linear(values * filter.h() * filter.w() * depth, values, planes * taps.pairs() * depth,
                planes * taps.positions(), biased);
}

/// Every input value meets the whole filter of its channel; what falls into the padding is left out of the effective
/// counts.
Cost transposed_convolution(const ConvTranspose2d& op, const Shape& input, const Shape& filter, const Shape& output,
                            bool biased) {
  const AxisWindow rows = rows_of(op.window, input.h());
  const AxisWindow columns = columns_of(op.window, input.w());
  const auto whole = [](AxisWindow window) {
    window.padding = 0;
    return count_reached(window, std::numeric_limits<std::int64_t>::max());
  };
  const Count pairs = count_taps(rows, output.h()).taps * count_taps(columns, output.w()).taps;
  const Count planes = Count(output.n()) * output.c();
  return linear(Count(input.elements()) * filter.h() * filter.w() * filter.c(), planes * whole(rows) * whole(columns),
                Count(input.n()) * pairs * input.c() * filter.c(),
                planes * count_reached(rows, output.h()) * count_reached(columns, output.w()), biased);
}

Cost product(const Shape& output, std::int64_t depth) {
  const Count values = output.elements();
  const Count macs = values * depth;
  return linear(macs, values, macs, values, false);
}

Cost pooling(const Pool& op, const Shape& input, const Shape& output) {
  const ImageTaps taps = taps_of(op.window, output, input);
  const Count planes = Count(output.n()) * output.c();
  const Count values = output.elements();
  const Count nominal = excess(values * op.window.kernel.h * op.window.kernel.w, values);
  const Count effective = excess(planes * taps.pairs(), planes * taps.positions());
  if (op.kind == PoolKind::kMax) return {.nominal = {.comparisons = nominal}, .effective = {.comparisons = effective}};
  return {.nominal = {.additions = nominal, .divisions = values},
          .effective = {.additions = effective, .divisions = values}};
}

/// `groups` groups of `size` values each.
Arithmetic reduction(ReduceKind kind, Count groups, Count size) {
  const Count all = groups * size;
  const Count joins = excess(all, groups);
  switch (kind) {
    case ReduceKind::kSum:
      return {.additions = joins};
    case ReduceKind::kMean:
      return {.additions = joins, .divisions = groups};
    case ReduceKind::kMax:
    case ReduceKind::kMin:
      return {.comparisons = joins};
    case ReduceKind::kProduct:
      return {.multiplications = joins};
    case ReduceKind::kL1:
      return {.additions = joins, .comparisons = all};
    case ReduceKind::kL2:
      return {.multiplications = all, .additions = joins, .functions = groups};
    case ReduceKind::kSumSquare:
      return {.multiplications = all, .additions = joins};
    case ReduceKind::kLogSum:
      return {.additions = joins, .functions = groups};
    case ReduceKind::kLogSumExp:
      // Shifted by the maximum, which is tested for infinity (one subtraction) and added at the end.
      return {.additions = all + joins + groups * 2, .comparisons = joins, .functions = all + groups};
  }
  return {};
}

/// Mean, variance and 1 / deviation of `groups` groups of `size` values, then (x - mean) / deviation * scale + bias.
Arithmetic normalization(Count groups, Count size, bool biased) {
  const Count all = groups * size;
  const Count joins = excess(all, groups);
  return {.multiplications = all * 3,
          .additions = joins * 2 + groups + all * (biased ? 3 : 2),
          .divisions = groups * 3,
          .functions = groups};
}

Cost local_response(const LocalResponseNorm& op, const Shape& input) {
  const Count values = input.elements();
  const std::int64_t channels = input[input.rank() - 1];
  const Count positions = share(values, channels);
  const AxisWindow window{.positions = channels, .taps = op.size, .padding = (op.size - 1) / 2};
  const Count nominal = values * op.size;
  const Count effective = positions * count_taps(window, channels).taps;
  const auto with = [&](Count squares) {
    return Arithmetic{.multiplications = squares + values,
                      .additions = excess(squares, values) + values,
                      .divisions = values > 0 ? values + 1 : Count(0),
                      .functions = values};
  };
  return {.nominal = with(nominal), .effective = with(effective)};
}

Arithmetic softmax(const Softmax& op, const Shape& input) {
  const Count values = input.elements();
  const Count rows = share(values, input[op.axis]);
  Arithmetic arithmetic{
      .additions = values + excess(values, rows), .comparisons = excess(values, rows), .functions = values};
  if (op.log) {
    arithmetic.additions = Count(arithmetic.additions) + values;
    arithmetic.functions = Count(arithmetic.functions) + rows;
  } else {
    arithmetic.divisions = values;
  }
  return arithmetic;
}

/// Neighbours that one output value weighs along one axis: 2 or 4, more where the filter is widened for shrinking.
std::int64_t neighbours(const Resize& op, int axis, std::int64_t input, std::int64_t output) {
  const float scale = op.how.scales[static_cast<std::size_t>(axis)];
  if (input == output && scale == 1.0f) return 1;
  const std::int64_t support = op.how.mode == ResizeMode::kCubic ? 4 : 2;
  if (!op.how.antialias || scale >= 1.0f || scale <= 0.0f) return support;
  const double wide = std::ceil(static_cast<double>(support) / static_cast<double>(scale));
  return wide < static_cast<double>(input) ? static_cast<std::int64_t>(wide) : input;
}

Arithmetic resizing(const Resize& op, const Shape& input, const Shape& output) {
  if (op.how.mode == ResizeMode::kNearest) return {};
  Count taps = 1;
  for (int axis = 0; axis < output.rank(); ++axis) taps = taps * neighbours(op, axis, input[axis], output[axis]);
  const Count values = output.elements();
  return {.multiplications = values * taps, .additions = excess(values * taps, values)};
}

/// A convolution of a training step. What comes besides the sums of products (batch norm on reading, moments, masks) is
/// counted as the operators that it stands for.
Cost training_convolution(const Window& window, const NormalizedRead& read, const Shape& input, const Shape& filter,
                          const Shape& output) {
  Cost cost = convolution(window, input, filter, output, false);
  if (read.on)
    cost = plus(cost, times(input.elements(), kNormalized) + times(input.elements(), each_of(read.activation.kind)));
  return cost;
}

std::int64_t last(const Shape& shape) { return shape.rank() == 0 ? 1 : shape[shape.rank() - 1]; }

}  // namespace

Cost arithmetic_of(const Op& op, std::span<const TensorType> inputs, std::span<const TensorType> outputs) {
  const auto shape = [&](std::size_t i) -> const Shape& { return inputs[i].shape; };
  const Shape& output = outputs[0].shape;
  const Count values = output.elements();
  return std::visit(
      Overload{
          [&](const Conv2d& conv) {
            return plus(convolution(conv.window, shape(0), shape(1), output, inputs.size() > 2),
                        times(values, each_of(conv.activation.kind)));
          },
          [&](const ConvTranspose2d& conv) {
            return transposed_convolution(conv, shape(0), shape(1), output, inputs.size() > 2);
          },
          [&](const IntegerConv2d& conv) { return convolution(conv.window, shape(0), shape(1), output, false); },
          [&](const QuantizedConv2d& conv) {
            return plus(convolution(conv.window, shape(0), shape(3), output, inputs.size() > 8),
                        times(values, kRequantization));
          },
          [&](const MatMul&) { return product(output, last(shape(0))); },
          [&](const IntegerMatMul&) { return product(output, last(shape(0))); },
          [&](const QuantizedMatMul&) { return plus(product(output, last(shape(0))), times(values, kRequantization)); },
          [&](const Gemm& gemm) {
            const bool biased = inputs.size() > 2;
            Cost cost = product(output, shape(0)[gemm.transpose_a ? 0 : 1]);
            if (biased) cost = plus(cost, times(values, {.multiplications = gemm.beta == 1 ? 0 : 1, .additions = 1}));
            return plus(cost, times(values, {.multiplications = gemm.alpha == 1 ? 0 : 1}));
          },
          [&](const Pool& pool) { return pooling(pool, shape(0), output); },
          [&](const Reduce& reduce) {
            return same(reduction(reduce.kind, values, share(elements(inputs[0]), values)));
          },
          [&](const ArgReduce&) { return same({.comparisons = excess(elements(inputs[0]), values)}); },
          [&](const BatchNorm&) {
            const Count channels = last(shape(0));
            return same(times(values, {.multiplications = 1, .additions = 2, .divisions = 1}) +
                        times(channels, {.additions = 1, .functions = 1}));
          },
          [&](const LayerNorm& norm) {
            const Shape& x = shape(0);
            const Count rows = x.elements() == 0 ? 0 : x.elements(0, norm.axis);
            return same(normalization(rows, x.elements(norm.axis, x.rank()), inputs.size() > 2));
          },
          [&](const GroupNorm& norm) {
            const Count groups = Count(shape(0)[0]) * norm.groups;
            return same(normalization(groups, share(values, groups), true));
          },
          [&](const LocalResponseNorm& norm) { return local_response(norm, shape(0)); },
          [&](const Unary& unary) { return same(times(values, each_of(unary.kind))); },
          [&](const Binary& binary) { return same(times(values, each_of(binary.kind))); },
          [&](const Select&) { return same(times(values, {.comparisons = 1})); },
          [&](const Softmax& op_) { return same(softmax(op_, shape(0))); },
          [&](const Resize& resize) { return same(resizing(resize, shape(0), output)); },
          [&](const Quantize&) { return same(times(values, kQuantization)); },
          [&](const Dequantize&) { return same(times(values, {.multiplications = 1, .additions = 1})); },
          [&](const DynamicQuantize&) {
            // The range first: two comparisons a value.
            return same(times(values, kQuantization) + times(values, {.comparisons = 2}) +
                        Arithmetic{.additions = 2, .divisions = 2, .functions = 1});
          },
          // These move values and compute none.
          [&](const Reshape&) { return Cost{}; }, [&](const Transpose&) { return Cost{}; },
          [&](const Concat&) { return Cost{}; }, [&](const Slice&) { return Cost{}; },
          [&](const Pad&) { return Cost{}; }, [&](const Gather&) { return Cost{}; },
          [&](const Cast&) { return Cost{}; }, [&](const Expand&) { return Cost{}; },
          [&](const Tile&) { return Cost{}; },
          [&](const BatchMoments&) { return same(times(elements(inputs[0]), kMoments)); },
          [&](const BatchNormSums&) { return same(times(elements(inputs[0]), kMoments)); },
          [&](const BatchNormInputGradient&) { return same(times(values, {.multiplications = 2, .additions = 2})); },
          [&](const TrainingConv2d& conv) {
            return plus(training_convolution(conv.window, conv.read, shape(0), shape(1), output),
                        times(values, kMoments));
          },
          [&](const Conv2dGradient& conv) {
            const Shape& y = shape(conv.read.on ? 6 : 2);
            Cost cost = training_convolution(conv.window, conv.read, shape(0), shape(1), y);
            if (conv.input_gradient) cost = cost + convolution(conv.window, shape(0), shape(1), y, false);
            if (conv.normalized) cost = plus(cost, times(y.elements(), {.multiplications = 2, .additions = 2}));
            const bool masks = conv.input_gradient && conv.read.on;
            return masks ? plus(cost, times(shape(0).elements(), kMoments)) : cost;
          },
          [&](const UnaryGradient& unary) { return same(times(values, each_of(unary.function.kind))); },
          [&](const PoolGradient& pool) {
            return pooling(Pool{.kind = pool.kind, .window = pool.window}, shape(0), shape(1));
          },
          [&](const ResizeGradient& resize) { return same(resizing(Resize{.how = resize.how}, output, shape(0))); },
          [&](const CrossEntropy&) { return same(softmax(Softmax{.axis = 1, .log = true}, shape(0))); },
          [&](const Dropout&) { return same(times(values, {.multiplications = 1})); },
          [&](const Update& update) {
            const int states = states_of(update.rule.rule);
            return same(times(values, {.multiplications = 2 * states, .additions = 2 * states}));
          }},
      op);
}

}  // namespace sepal
