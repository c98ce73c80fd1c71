#include "sepal/zoo/builder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "sepal/base/memory.h"
#include "sepal/base/text.h"

// Layers with their weights. He's initialisation keeps the mean square of a map where an activation that drops one
// half stands between two layers; where none does (linear bottlenecks, sums of residuals) it grows. Each map
// therefore carries the mean square to be expected, and batch norm takes that for its running variance, as it would
// have learned it: signals keep their size through any depth. The figures are rough, and need be no better.

namespace sepal {
namespace {

constexpr float kEpsilon = 1e-3f;  // TensorFlow's for all of these networks; training will see to the rest

/// What remains of the mean square behind an activation.
double kept(const Unary& activation) { return activation.kind == UnaryKind::kIdentity ? 1 : 0.5; }

/// Padding before and after along one axis.
std::pair<std::int64_t, std::int64_t> border_of(std::int64_t input, std::int64_t kernel, std::int64_t stride,
                                                Border border) {
  switch (border) {
    case Border::kSame: {
      const std::int64_t outputs = (input + stride - 1) / stride;
      const std::int64_t sum = std::max<std::int64_t>((outputs - 1) * stride + kernel - input, 0);
      return {sum / 2, sum - sum / 2};
    }
    case Border::kEven:
      return {(kernel - 1) / 2, (kernel - 1) / 2};
    case Border::kNone:
      break;
  }
  return {0, 0};
}

}  // namespace

NetworkBuilder::NetworkBuilder(std::uint64_t seed, Weights weights)
    : source_(seed), weights_(weights), memory_(machine_memory()) {}

FeatureMap NetworkBuilder::input(const Shape& shape) { return {graph_.add_input("input", {DataType::kF32, shape}), 1}; }

void NetworkBuilder::output(const FeatureMap& x) { graph_.add_output("output", x.value); }

std::int64_t NetworkBuilder::channels(const FeatureMap& x) const {
  const Shape& shape = graph_.shape(x.value);
  return shape[shape.rank() - 1];
}

template <typename Fill>
ValueId NetworkBuilder::constant(const std::string& name, const Shape& shape, const Fill& fill) {
  const std::size_t bytes = static_cast<std::size_t>(shape.elements()) * sizeof(float);
  weight_bytes_ += bytes;
  if (weight_bytes_ > memory_) {
    invalid("{}: {} of weights with those before it, more than this machine's {}; a smaller width or size is needed",
            name, human_bytes(static_cast<double>(weight_bytes_)), human_bytes(static_cast<double>(memory_)));
  }
  return graph_.add_constant(weights_ == Weights::kSeeded ? fill() : Tensor(DataType::kF32, shape));
}

ValueId NetworkBuilder::filter(const std::string& name, const Shape& shape) {
  return constant(name, shape, [&] { return source_.normal(shape, shape.elements() / shape[0]); });
}

ValueId NetworkBuilder::bias(const std::string& name, std::int64_t channels) {
  return constant(name, {channels}, [&] { return source_.uniform({channels}, 0, 0.0625f); });
}

Window NetworkBuilder::window(const std::string& name, const FeatureMap& x, Extent kernel, Extent stride,
                              Border border) const {
  const Shape& shape = graph_.shape(x.value);
  if ((shape.h() == 1 && stride.h > 1) || (shape.w() == 1 && stride.w > 1)) {
    invalid("{}: a stride of {}x{} over a map of {}x{}; the network needs a larger size", name, stride.h, stride.w,
            shape.h(), shape.w());
  }
  const auto [top, bottom] = border_of(shape.h(), kernel.h, stride.h, border);
  const auto [left, right] = border_of(shape.w(), kernel.w, stride.w, border);
  return {.kernel = kernel, .stride = stride, .padding = {top, left, bottom, right}};
}

FeatureMap NetworkBuilder::conv(const std::string& name, const FeatureMap& x, const Convolution& conv) {
  const Shape shape{conv.out, conv.kernel.h, conv.kernel.w, channels(x) / conv.groups};
  const Conv2d op{.window = window(name, x, conv.kernel, conv.stride, conv.border), .groups = conv.groups};
  std::vector<ValueId> inputs = {x.value, filter(name, shape)};
  if (conv.shift == Shift::kBias) inputs.push_back(bias(name, conv.out));
  FeatureMap result{graph_.add(op, std::move(inputs), name), 2 * x.power};
  if (conv.shift == Shift::kNorm) result = norm(name + "/norm", result);
  if (conv.activation.kind == UnaryKind::kIdentity) return result;
  return activation(name + "/activation", result, conv.activation);
}

FeatureMap NetworkBuilder::norm(const std::string& name, const FeatureMap& x) {
  const std::int64_t c = channels(x);
  const auto seeded = [&](float centre, float spread, double scale) {
    return constant(name, {c}, [&] { return source_.uniform({c}, centre, spread, static_cast<float>(scale)); });
  };
  const ValueId scale = seeded(1, 0.25f, 1);
  const ValueId shift = seeded(0, 0.125f, 1);
  const ValueId mean = seeded(0, 0.125f, std::sqrt(x.power));
  const ValueId variance = seeded(1, 0.25f, x.power);
  return {graph_.add(BatchNorm{kEpsilon}, {x.value, scale, shift, mean, variance}, name), 1};
}

FeatureMap NetworkBuilder::activation(const std::string& name, const FeatureMap& x, const Unary& activation) {
  return {graph_.add(activation, {x.value}, name), x.power * kept(activation)};
}

FeatureMap NetworkBuilder::max_pool(const std::string& name, const FeatureMap& x, std::int64_t kernel,
                                    std::int64_t stride, Border border) {
  const Window over = window(name, x, {kernel, kernel}, {stride, stride}, border);
  return {graph_.add(Pool{.kind = PoolKind::kMax, .window = over}, {x.value}, name), x.power};
}

FeatureMap NetworkBuilder::add(const std::string& name, const FeatureMap& a, const FeatureMap& b) {
  return {graph_.add(Binary{BinaryKind::kAdd}, {a.value, b.value}, name), a.power + b.power};
}

FeatureMap NetworkBuilder::gated(const std::string& name, const FeatureMap& x, const FeatureMap& gate) {
  constexpr double kHalfOpen = 0.25;  // a sigmoid is about 1/2
  return {graph_.add(Binary{BinaryKind::kMultiply}, {x.value, gate.value}, name), x.power * kHalfOpen};
}

FeatureMap NetworkBuilder::mean(const std::string& name, const FeatureMap& x) {
  return {graph_.add(Reduce{ReduceKind::kMean, {1, 2}, true}, {x.value}, name), x.power};
}

FeatureMap NetworkBuilder::flatten(const std::string& name, const FeatureMap& x) {
  return {
      graph_.add(Reshape{{graph_.shape(x.value)[0], graph_.shape(x.value).elements(1, graph_.shape(x.value).rank())}},
                 {x.value}, name),
      x.power};
}

FeatureMap NetworkBuilder::dense(const std::string& name, const FeatureMap& x, std::int64_t out,
                                 const Unary& activation) {
  const ValueId matrix = filter(name, {out, channels(x)});
  const ValueId value = graph_.add(Gemm{.transpose_b = true}, {x.value, matrix, bias(name, out)}, name);
  const FeatureMap result{value, 2 * x.power};
  if (activation.kind == UnaryKind::kIdentity) return result;
  return this->activation(name + "/activation", result, activation);
}

}  // namespace sepal
