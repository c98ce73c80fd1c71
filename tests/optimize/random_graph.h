#pragma once

// Graphs by chance.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "sepal/graph/graph.h"

namespace sepal {

// Elements of a value at most, so that hundreds of graphs are little work.
inline constexpr std::int64_t kMost = 3000;

/// Makes a graph of what networks are made of, in both layouts, with values that several nodes read; the same for the
/// same seed.
class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  Graph make() {
    const std::int64_t inputs = 1 + below(2);
    for (std::int64_t i = 0; i < inputs; ++i) {
      const Shape shape{1 + below(2), 1 + below(9), 1 + below(9), 1 + below(9)};
      values_.push_back(graph_.add_input("in" + std::to_string(i), {DataType::kF32, shape}));
    }
    const std::int64_t steps = 3 + below(14);
    for (std::int64_t i = 0; i < steps; ++i) step();
    const std::int64_t outputs = 1 + below(3);
    std::vector<ValueId> given;
    for (std::int64_t i = 0; i < outputs; ++i) {
      const ValueId value = i == 0 ? values_.back() : any();
      if (std::ranges::find(given, value) != given.end()) continue;
      given.push_back(value);
      graph_.add_output("out" + std::to_string(i), value);
    }
    return std::move(graph_);
  }

  /// Numbers around 8 in size, with those among them at which functions bend.
  Tensor input(const Shape& shape) {
    constexpr float kEdges[] = {0, -0.0f, 1e-40f, -1e-40f, 3, -3, 6, 8, -8};
    Tensor tensor(DataType::kF32, shape);
    for (float& value : tensor.values<float>()) value = below(8) == 0 ? kEdges[below(9)] : real(8);
    return tensor;
  }

 private:
  std::int64_t below(std::int64_t count) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(count));
  }
  bool chance(std::int64_t of) { return below(of) == 0; }
  float real(float scale) { return (static_cast<float>(below(20001)) / 10000.0f - 1) * scale; }

  ValueId constant(const Shape& shape, float scale, float shift = 0) {
    Tensor tensor(DataType::kF32, shape);
    for (float& value : tensor.values<float>()) value = real(scale) + shift;
    return graph_.add_constant(std::move(tensor));
  }

  const Shape& shape(ValueId value) const { return graph_.shape(value); }
  /// A value: often the newest, which makes chains, else any.
  ValueId any() { return values_[static_cast<std::size_t>(below(std::ssize(values_)))]; }
  ValueId next() { return chance(2) ? values_.back() : any(); }
  /// One with four axes.
  ValueId image() {
    for (int tries = 0; tries < 20; ++tries) {
      const ValueId value = next();
      if (shape(value).rank() == 4 && shape(value).elements() > 0) return value;
    }
    return values_[0];
  }

  void keep(ValueId value) {
    if (shape(value).elements() <= kMost && shape(value).elements() > 0) values_.push_back(value);
  }

  ValueId transposed(ValueId value, const Permutation& permutation) {
    return graph_.add(Transpose{permutation}, {value});
  }

  void step() {
    switch (below(20)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return convolution();
      case 4:
        return pool();
      case 5:
      case 6:
        return keep(graph_.add(function(), {next()}));
      case 7:
      case 8:
        return binary();
      case 9:
        return gate();
      case 10:
        return concat();
      case 11:
        return reduce();
      case 12:
        return reshape();
      case 13:
        return shuffle();
      case 14:
        return transpose();
      case 15:
        return pad();
      case 16:
        return slice();
      case 17:
        return resize();
      case 18:
        return softmax();
      default:
        return product();
    }
  }

  /// A function that neither jumps nor grows faster than its argument.
  Unary function() {
    constexpr UnaryKind kKinds[] = {UnaryKind::kRelu,    UnaryKind::kClip,        UnaryKind::kLeakyRelu,
                                    UnaryKind::kSigmoid, UnaryKind::kHardSigmoid, UnaryKind::kHardSwish,
                                    UnaryKind::kSwish,   UnaryKind::kTanh,        UnaryKind::kAbs,
                                    UnaryKind::kNegate,  UnaryKind::kElu,         UnaryKind::kGelu};
    switch (const UnaryKind kind = kKinds[below(12)]) {
      case UnaryKind::kClip:
        return {kind, 0, 6};
      case UnaryKind::kLeakyRelu:
        return {kind, 0.125f, 0};
      case UnaryKind::kHardSigmoid:
        return {kind, 0.2f, 0.5f};
      case UnaryKind::kSwish:
      case UnaryKind::kElu:
        return {kind, 1, 0};
      default:
        return {kind, 0, 0};
    }
  }

  /// An image with channels last: turned as readers do it, or taken as it lies.
  ValueId last_of(ValueId value, bool turn) { return turn ? transposed(value, channels_last(4)) : value; }
  ValueId back(ValueId value, bool turn) { return turn ? transposed(value, channels_first(4)) : value; }

  void convolution() {
    const bool turn = !chance(4);
    const bool depthwise = chance(2);
    ValueId x = image();
    if (chance(4)) {
      // Zeros around the image, for the convolution to take over.
      const std::int64_t rows = below(2);
      x = turn ? graph_.add(Pad{.before = {0, 0, rows, 1}, .after = {0, 0, 1, below(2)}}, {x})
               : graph_.add(Pad{.before = {0, rows, 1, 0}, .after = {0, 1, below(2), 0}}, {x});
    }
    x = last_of(x, turn);
    const Shape in = shape(x);
    const std::int64_t c = in[3];
    Conv2d op{.window = {.kernel = {1 + 2 * below(2), 1 + 2 * below(2)},
                         .stride = {1 + below(2), 1 + below(2)},
                         .dilation = {1 + below(2), 1 + below(2)},
                         .padding = {below(2), below(2), below(2), below(2)}}};
    if (chance(3)) op.window = {};
    const Window& w = op.window;
    const Extent span = span_of(w);
    if (span.h > in[1] + w.padding.top + w.padding.bottom || span.w > in[2] + w.padding.left + w.padding.right) return;
    std::int64_t outputs = 1 + below(20);
    if (depthwise) {
      op.groups = c;
      outputs = c * (1 + below(2));
    } else if (c % 2 == 0 && chance(4)) {
      op.groups = 2;
      outputs += outputs % 2;
    }
    const std::int64_t taps = w.kernel.h * w.kernel.w * (c / op.groups);
    const float scale = 1.5f / std::sqrt(static_cast<float>(taps));
    std::vector<ValueId> inputs = {x, constant({outputs, w.kernel.h, w.kernel.w, c / op.groups}, scale)};
    if (chance(2)) inputs.push_back(constant({outputs}, 1));
    ValueId y = graph_.add(op, inputs);
    const bool inside = chance(2);  // what follows, before the image is turned back
    if (!inside) y = back(y, turn);
    if (chance(2) && (inside || !turn)) {
      y = graph_.add(BatchNorm{}, {y, constant({outputs}, 1), constant({outputs}, 1), constant({outputs}, 1),
                                   constant({outputs}, 0.5f, 1)});
    } else if (chance(3)) {
      const bool last = inside || !turn;
      const Shape each = last ? Shape{outputs} : Shape{1, outputs, 1, 1};
      y = graph_.add(Binary{chance(2) ? BinaryKind::kMultiply : BinaryKind::kAdd}, {y, constant(each, 1)});
    }
    if (chance(8)) keep(y);  // read by others too
    if (!chance(3)) y = graph_.add(function(), {y});
    if (inside) y = back(y, turn);
    keep(y);
  }

  void pool() {
    const bool turn = !chance(4);
    const ValueId x = last_of(image(), turn);
    Pool op{.kind = chance(2) ? PoolKind::kMax : PoolKind::kAverage,
            .window = {.kernel = {1 + below(3), 1 + below(3)}, .stride = {1 + below(2), 1 + below(2)}},
            .ceil = chance(3),
            .count_padding = chance(2)};
    if (op.window.kernel.h > shape(x)[1] || op.window.kernel.w > shape(x)[2]) return;
    // No window may lie in the padding alone, where there is no maximum.
    if (op.window.kernel.h > 1 && op.window.kernel.w > 1 && chance(2)) op.window.padding = {1, 1, 1, 1};
    keep(back(graph_.add(op, {x}), turn));
  }

  void binary() {
    constexpr BinaryKind kKinds[] = {BinaryKind::kAdd, BinaryKind::kSubtract, BinaryKind::kMinimum,
                                     BinaryKind::kMaximum, BinaryKind::kPRelu};
    const ValueId a = next();
    ValueId b = a;
    if (chance(2)) {
      // A constant that broadcasts, perhaps of lower rank.
      std::vector<std::int64_t> dims;
      for (int axis = static_cast<int>(below(shape(a).rank() + 1)); axis < shape(a).rank(); ++axis) {
        dims.push_back(chance(2) ? 1 : shape(a)[axis]);
      }
      b = constant(Shape(dims), 1);
    } else {
      for (int tries = 0; tries < 5; ++tries) {
        const ValueId other = any();
        if (fits(shape(a), shape(other))) b = other;
      }
    }
    const BinaryKind kind = kKinds[below(5)];
    const bool swap = kind != BinaryKind::kPRelu && chance(3);
    const std::vector<ValueId> inputs = swap ? std::vector{b, a} : std::vector{a, b};
    // PRelu's slopes broadcast one way; as a product of two values it would grow without end.
    if (kind == BinaryKind::kPRelu && !graph_.is_constant(b)) return;
    keep(graph_.add(Binary{kind}, inputs));
  }

  static bool fits(const Shape& a, const Shape& b) {
    for (int i = 1; i <= std::min(a.rank(), b.rank()); ++i) {
      const std::int64_t left = a[a.rank() - i];
      const std::int64_t right = b[b.rank() - i];
      if (left != right && left != 1 && right != 1) return false;
    }
    return true;
  }

  /// Squeeze and excite: a value times a gate from its own means.
  void gate() {
    const ValueId x = image();
    ValueId mean = graph_.add(Reduce{.kind = ReduceKind::kMean, .axes = {2, 3}}, {x});
    if (chance(2)) {
      const std::int64_t c = shape(x)[1];
      const ValueId last = transposed(mean, channels_last(4));
      const ValueId squeezed = graph_.add(Conv2d{}, {last, constant({c, 1, 1, c}, 0.5f), constant({c}, 1)});
      mean = transposed(squeezed, channels_first(4));
    }
    const ValueId open =
        graph_.add(Unary{chance(2) ? UnaryKind::kSigmoid : UnaryKind::kHardSigmoid, 0.2f, 0.5f}, {mean});
    keep(graph_.add(Binary{BinaryKind::kMultiply}, chance(2) ? std::vector{x, open} : std::vector{open, x}));
  }

  void concat() {
    const ValueId a = next();
    if (shape(a).rank() == 0) return;
    const int axis = static_cast<int>(below(shape(a).rank()));
    std::vector<ValueId> parts = {a};
    for (int tries = 0; tries < 6; ++tries) {
      const ValueId b = any();
      if (shape(b).rank() == shape(a).rank() && shape(b).with(axis, 0) == shape(a).with(axis, 0)) parts.push_back(b);
    }
    if (chance(4)) parts.push_back(constant(shape(a).with(axis, 1 + below(3)), 4));
    keep(graph_.add(Concat{axis}, parts));
  }

  void reduce() {
    constexpr ReduceKind kKinds[] = {ReduceKind::kMean, ReduceKind::kMean, ReduceKind::kMax, ReduceKind::kMin};
    const ValueId x = next();
    Reduce op{.kind = kKinds[below(4)], .axes = {}, .keep_dims = chance(2)};
    const bool spatial = shape(x).rank() == 4 && chance(2);
    for (int axis = 0; axis < shape(x).rank(); ++axis) {
      if (spatial ? axis >= 2 : chance(2)) op.axes.push_back(axis);
    }
    if (!op.axes.empty()) keep(graph_.add(op, {x}));
  }

  /// Neighbouring axes joined, axes split, units put in.
  void reshape() {
    const ValueId x = next();
    std::vector<std::int64_t> dims;
    for (const std::int64_t dim : shape(x)) {
      if (!dims.empty() && chance(3)) {
        dims.back() *= dim;
      } else {
        dims.push_back(dim);
      }
      if (dims.back() % 2 == 0 && chance(4)) {
        dims.back() /= 2;
        dims.push_back(2);
      }
      if (chance(8)) dims.push_back(1);
    }
    if (dims.size() <= static_cast<std::size_t>(Shape::kMaxRank)) keep(graph_.add(Reshape{Shape(dims)}, {x}));
  }

  /// The channel shuffle.
  void shuffle() {
    const ValueId x = image();
    const Shape s = shape(x);
    const std::int64_t groups = s[1] % 2 == 0 ? 2 : s[1] % 3 == 0 ? 3 : 1;
    ValueId y = graph_.add(Reshape{{s[0], groups, s[1] / groups, s[2], s[3]}}, {x});
    y = transposed(y, Permutation::of({0, 2, 1, 3, 4}));
    keep(graph_.add(Reshape{s}, {y}));
  }

  void transpose() {
    const ValueId x = next();
    Permutation permutation{.rank = shape(x).rank()};
    for (int i = 0; i < permutation.rank; ++i) {
      const auto other = static_cast<std::size_t>(below(i + 1));
      permutation.axes[static_cast<std::size_t>(i)] = permutation.axes[other];
      permutation.axes[other] = i;
    }
    if (permutation.rank == 4 && chance(2)) permutation = chance(2) ? channels_last(4) : channels_first(4);
    keep(transposed(x, permutation));
  }

  void pad() {
    constexpr PadMode kModes[] = {PadMode::kConstant, PadMode::kConstant, PadMode::kEdge, PadMode::kReflect};
    const ValueId x = next();
    Pad op{.mode = kModes[below(4)], .value = chance(2) ? 0.0 : 1.5};
    for (int axis = 0; axis < shape(x).rank(); ++axis) {
      const std::int64_t spare = shape(x)[axis] - 1;
      op.before[static_cast<std::size_t>(axis)] = std::min(below(3), spare) * (chance(4) ? 0 : 1);
      op.after[static_cast<std::size_t>(axis)] = std::min(below(3), spare) * (chance(2) ? 0 : 1);
      if (spare > 0 && op.mode == PadMode::kConstant && chance(5)) op.before[static_cast<std::size_t>(axis)] = -1;
    }
    keep(graph_.add(op, {x}));
  }

  void slice() {
    const ValueId x = next();
    Slice op{.size = shape(x)};
    for (int axis = 0; axis < shape(x).rank(); ++axis) {
      const std::int64_t length = shape(x)[axis];
      if (!chance(3) || length < 2) continue;
      const std::int64_t first = below(length);
      const std::int64_t step = chance(4) ? -1 : 1 + below(2);
      op.start[static_cast<std::size_t>(axis)] = first;
      op.step[static_cast<std::size_t>(axis)] = step;
      op.size = op.size.with(axis, step < 0 ? 1 + below(first + 1) : 1 + below((length - 1 - first) / step + 1));
    }
    keep(graph_.add(op, {x}));
  }

  void resize() {
    constexpr ResizeCoordinate kCoordinates[] = {ResizeCoordinate::kHalfPixel, ResizeCoordinate::kAsymmetric,
                                                 ResizeCoordinate::kAlignCorners};
    const bool last = chance(3);
    const ValueId x = last_of(image(), last);
    Resize op{.how = {.mode = chance(2) ? ResizeMode::kNearest : ResizeMode::kLinear,
                      .coordinate = kCoordinates[below(3)],
                      .nearest = ResizeNearest::kFloor},
              .size = shape(x)};
    for (int axis = last ? 1 : 2; axis < (last ? 3 : 4); ++axis) {
      op.how.scales[static_cast<std::size_t>(axis)] = 2;
      op.size = op.size.with(axis, 2 * shape(x)[axis]);
    }
    keep(back(graph_.add(op, {x}), last));
  }

  void softmax() {
    const ValueId x = next();
    if (shape(x).rank() == 0) return;
    // Large numbers would turn roundings into differences.
    const ValueId bounded = graph_.add(Unary{UnaryKind::kClip, -8, 8}, {x});
    keep(graph_.add(Softmax{.axis = static_cast<int>(below(shape(x).rank()))}, {bounded}));
  }

  /// A classifier's end.
  void product() {
    ValueId x = next();
    if (shape(x).rank() == 0) return;
    const std::int64_t n = shape(x)[0];
    x = graph_.add(Reshape{{n, shape(x).elements() / n}}, {x});
    const std::int64_t k = shape(x)[1];
    const std::int64_t outputs = 1 + below(12);
    const float scale = 1 / std::sqrt(static_cast<float>(k));
    if (chance(2)) {
      keep(graph_.add(MatMul{}, {x, constant({k, outputs}, scale)}));
    } else {
      keep(graph_.add(Gemm{.transpose_b = true}, {x, constant({outputs, k}, scale), constant({outputs}, 1)}));
    }
  }

  std::mt19937_64 random_;
  Graph graph_;
  std::vector<ValueId> values_;
};

}  // namespace sepal
