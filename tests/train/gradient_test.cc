// Every rule of the gradient pass against central differences of the forward pass in double, over random shapes.

#include "sepal/train/gradient.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "sepal/train/gradient_sums.h"
#include "tests/interpret.h"
#include "tests/kernels/reference_random.h"
#include "tests/raises.h"
#include "tests/train/in_double.h"

namespace sepal {
namespace {

/// A graph whose inputs are all variables, and the value to differentiate.
struct Sample {
  Graph graph;
  Random& random;

  ValueId variable(const Shape& shape) {
    return graph.add_input("v" + std::to_string(graph.inputs().size()), {DataType::kF32, shape});
  }
  ValueId constant(const Shape& shape, double scale = 1) {
    Tensor tensor(DataType::kF32, shape);
    for (float& value : tensor.values<float>()) value = static_cast<float>(scale * random.real());
    return graph.add_constant(std::move(tensor));
  }
  /// Distributions over the last axis.
  ValueId targets(std::int64_t n, std::int64_t classes) {
    Tensor tensor(DataType::kF32, Shape{n, classes});
    const auto values = tensor.values<float>();
    for (std::int64_t i = 0; i < n; ++i)
      values[static_cast<std::size_t>(i * classes + random.whole(0, classes - 1))] = 1;
    return graph.add_constant(std::move(tensor));
  }
};

struct Case {
  const char* why;
  std::function<ValueId(Sample&)> build;
};

void check(const Case& item, std::uint32_t seed) {
  SCOPED_TRACE(std::string(item.why) + ", seed " + std::to_string(seed));
  Random random(seed);
  Sample sample{.graph = {}, .random = random};
  ValueId loss = item.build(sample);
  Graph& graph = sample.graph;
  if (graph.shape(loss).elements() != 1) {
    // A random weight for each value, so that no two gradients can be mistaken for one another.
    const ValueId weighted = graph.add(Binary{BinaryKind::kMultiply}, {loss, sample.constant(graph.shape(loss))});
    std::vector<int> axes(static_cast<std::size_t>(graph.shape(loss).rank()));
    std::iota(axes.begin(), axes.end(), 0);
    loss = graph.add(Reduce{.kind = ReduceKind::kSum, .axes = axes, .keep_dims = false}, {weighted});
  }
  const Graph forward = graph;
  std::vector<ValueId> variables;
  for (const Port& port : graph.inputs()) variables.push_back(port.value);
  const auto gradients = add_gradients(graph, loss, variables);
  std::vector<Tensor> inputs;
  std::vector<std::vector<double>> values;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    Tensor tensor(DataType::kF32, graph.shape(variables[i]));
    for (float& value : tensor.values<float>()) value = static_cast<float>(random.real());
    values.emplace_back(tensor.values<float>().begin(), tensor.values<float>().end());
    inputs.push_back(std::move(tensor));
    ASSERT_TRUE(gradients[i].has_value());
    graph.add_output("d" + std::to_string(i), *gradients[i]);
  }
  std::vector<const Tensor*> pointers;
  for (const Tensor& tensor : inputs) pointers.push_back(&tensor);
  const std::vector<Tensor> results = interpret(graph, pointers);
  for (std::size_t i = 0; i < variables.size(); ++i) {
    ASSERT_EQ(results[i].shape(), inputs[i].shape());
    const auto got = results[i].values<float>();
    double most = 0;
    for (const float value : got) most = std::max(most, std::abs(double{value}));
    for (int sampled = 0; sampled < 24; ++sampled) {
      const auto at = static_cast<std::size_t>(random.whole(0, std::ssize(got) - 1));
      constexpr double kStep = 1e-5;
      const double x = values[i][at];
      values[i][at] = x + kStep;
      const double above = loss_in_double(forward, loss, values);
      values[i][at] = x - kStep;
      const double below = loss_in_double(forward, loss, values);
      values[i][at] = x;
      EXPECT_NEAR(got[at], (above - below) / (2 * kStep), 1e-4 * std::max(most, 0.1))
          << "variable " << i << " at " << at;
    }
  }
}

void check_all(std::span<const Case> cases) {
  for (const Case& item : cases) {
    for (std::uint32_t seed = 1; seed <= 3; ++seed) check(item, seed);
  }
}

Window random_window(Random& random, Extent kernel) {
  return {.kernel = kernel,
          .stride = {random.whole(1, 2), random.whole(1, 3)},
          .dilation = {random.whole(1, 2), 1},
          .padding = {random.whole(0, 1), random.whole(0, 1), random.whole(0, 1), random.whole(0, 1)}};
}

ValueId convolution(Sample& s, std::int64_t groups, std::int64_t ci, std::int64_t co, Extent kernel, bool bias,
                    const Unary& activation) {
  std::vector<ValueId> inputs = {s.variable({2, s.random.whole(5, 7), s.random.whole(5, 8), ci}),
                                 s.variable({co, kernel.h, kernel.w, ci / groups})};
  if (bias) inputs.push_back(s.variable({co}));
  return s.graph.add(Conv2d{.window = random_window(s.random, kernel), .groups = groups, .activation = activation},
                     inputs);
}

TEST(Gradient, OfConvolutions) {
  const std::vector<Case> kCases = {
      {"dense, with bias", [](Sample& s) { return convolution(s, 1, 3, 4, {3, 2}, true, {}); }},
      {"depthwise", [](Sample& s) { return convolution(s, 4, 4, 4, {3, 3}, false, {}); }},
      {"depthwise, two filters a channel", [](Sample& s) { return convolution(s, 3, 3, 6, {2, 3}, true, {}); }},
      {"pointwise", [](Sample& s) { return convolution(s, 1, 5, 3, {1, 1}, false, {}); }},
      {"groups", [](Sample& s) { return convolution(s, 2, 4, 6, {3, 3}, false, {}); }},
      {"with an activation of its own",
       [](Sample& s) { return convolution(s, 1, 2, 3, {3, 3}, true, {UnaryKind::kRelu}); }},
      {"transposed",
       [](Sample& s) {
         const std::int64_t stride = s.random.whole(1, 3);
         return s.graph.add(
             ConvTranspose2d{
                 .window = {.kernel = {3, 2}, .stride = {stride, 2}, .padding = {1, 0, s.random.whole(0, 1), 0}},
                 .groups = 2,
                 .output_padding = {stride - 1, s.random.whole(0, 1)}},
             {s.variable({2, 4, 3, 4}), s.variable({4, 3, 2, 3}), s.variable({6})});
       }},
  };
  check_all(kCases);
}

/// Batch norm over its batch's moments.
ValueId normalized(Sample& s, ValueId x) {
  const Shape channels{s.graph.shape(x)[s.graph.shape(x).rank() - 1]};
  const auto moments = s.graph.add_node(BatchMoments{}, {x});
  const ValueId mean = moments[0];
  const ValueId variance = moments[1];
  return s.graph.add(BatchNorm{1e-3f}, {x, s.variable(channels), s.variable(channels), mean, variance});
}

/// Two convolutions, the second of which reads batch norm and activation of the first.
ValueId separable(Sample& s, const Unary& activation, bool also_normalized, bool also_plain) {
  Graph& graph = s.graph;
  const ValueId x = s.variable({2, 6, 5, 3});
  const auto first = graph.add_node(TrainingConv2d{.window = random_window(s.random, {3, 3}), .groups = 3},
                                    {x, s.variable({3, 3, 3, 1})});
  const std::vector<ValueId> y(first.begin(), first.end());
  const ValueId scale = s.variable({3});
  const ValueId bias = s.variable({3});
  const auto second = graph.add_node(
      TrainingConv2d{.window = {.kernel = {1, 1}}, .read = {.on = true, .epsilon = 1e-3f, .activation = activation}},
      {y[0], s.variable({4, 1, 1, 3}), scale, bias, y[1], y[2]});
  const std::vector<ValueId> z(second.begin(), second.end());
  ValueId result = graph.add(BatchNorm{1e-3f}, {z[0], s.variable({4}), s.variable({4}), z[1], z[2]});
  if (also_normalized) {
    const ValueId read = graph.add(BatchNorm{1e-3f}, {y[0], scale, bias, y[1], y[2]});
    result = graph.add(Concat{3}, {result, read});
  }
  return also_plain ? graph.add(Concat{3}, {result, y[0]}) : result;
}

TEST(Gradient, OfBatchNorm) {
  const std::vector<Case> kCases = {
      {"alone", [](Sample& s) { return normalized(s, s.variable({3, 2, 4, 3})); }},
      {"of vectors", [](Sample& s) { return normalized(s, s.variable({7, 5})); }},
      {"then relu, then another",
       [](Sample& s) {
         const ValueId first = s.graph.add(Unary{UnaryKind::kRelu}, {normalized(s, s.variable({3, 3, 3, 2}))});
         return normalized(s, s.graph.add(Binary{BinaryKind::kAdd}, {first, s.variable({3, 3, 3, 2})}));
       }},
      {"with given statistics",
       [](Sample& s) {
         Tensor variance(DataType::kF32, Shape{3});
         for (float& value : variance.values<float>()) value = 0.7f;
         const ValueId given = s.graph.add_constant(std::move(variance));
         return s.graph.add(BatchNorm{},
                            {s.variable({2, 3, 4, 3}), s.variable({3}), s.variable({3}), s.constant({3}), given});
       }},
      {"read by the next convolution, relu", [](Sample& s) { return separable(s, {UnaryKind::kRelu}, false, false); }},
      {"read by it, relu6", [](Sample& s) { return separable(s, {UnaryKind::kClip, -0.3f, 0.4f}, false, false); }},
      {"read by it, swish", [](Sample& s) { return separable(s, {UnaryKind::kSwish, 1}, false, false); }},
      {"read by it without a function", [](Sample& s) { return separable(s, {}, false, false); }},
      {"read by it and by another", [](Sample& s) { return separable(s, {UnaryKind::kRelu}, true, false); }},
      {"and as it is", [](Sample& s) { return separable(s, {UnaryKind::kHardSwish}, true, true); }},
      {"and as it is alone", [](Sample& s) { return separable(s, {UnaryKind::kRelu}, false, true); }},
  };
  check_all(kCases);
}

TEST(Gradient, OfFunctions) {
  std::vector<Case> cases;
  for (const Unary& function : std::initializer_list<Unary>{{UnaryKind::kAbs},
                                                            {UnaryKind::kNegate},
                                                            {UnaryKind::kExp},
                                                            {UnaryKind::kErf},
                                                            {UnaryKind::kSin},
                                                            {UnaryKind::kCos},
                                                            {UnaryKind::kTanh},
                                                            {UnaryKind::kRelu},
                                                            {UnaryKind::kClip, -0.4f, 0.5f},
                                                            {UnaryKind::kLeakyRelu, 0.2f},
                                                            {UnaryKind::kElu, 0.7f},
                                                            {UnaryKind::kSelu, 1.67f, 1.05f},
                                                            {UnaryKind::kCelu, 0.8f},
                                                            {UnaryKind::kSigmoid},
                                                            {UnaryKind::kHardSigmoid, 0.7f, 0.5f},
                                                            {UnaryKind::kHardSwish},
                                                            {UnaryKind::kSwish, 1.3f},
                                                            {UnaryKind::kMish},
                                                            {UnaryKind::kGelu},
                                                            {UnaryKind::kGeluTanh},
                                                            {UnaryKind::kSoftplus},
                                                            {UnaryKind::kSoftsign},
                                                            {UnaryKind::kThresholdedRelu, 0.3f}}) {
    cases.push_back({name_of(function.kind).data(), [function](Sample& s) {
                       // Up to 4, where the hard functions have their corners.
                       const ValueId x =
                           s.graph.add(Binary{BinaryKind::kMultiply}, {s.variable({3, 7}), s.constant({3, 7}, 4)});
                       return s.graph.add(function, {x});
                     }});
  }
  for (const Unary& function :
       std::initializer_list<Unary>{{UnaryKind::kSqrt}, {UnaryKind::kLog}, {UnaryKind::kReciprocal}}) {
    cases.push_back({name_of(function.kind).data(), [function](Sample& s) {
                       return s.graph.add(function, {s.graph.add(Unary{UnaryKind::kExp}, {s.variable({2, 5})})});
                     }});
  }
  check_all(cases);
}

TEST(Gradient, OfTwoValuesThatBroadcast) {
  std::vector<Case> cases;
  for (const BinaryKind kind : {BinaryKind::kAdd, BinaryKind::kSubtract, BinaryKind::kMultiply, BinaryKind::kMinimum,
                                BinaryKind::kMaximum, BinaryKind::kPRelu}) {
    cases.push_back({name_of(kind).data(), [kind](Sample& s) {
                       return s.graph.add(Binary{kind}, {s.variable({2, 3, 1, 4}), s.variable({3, 5, 1})});
                     }});
    cases.push_back({name_of(kind).data(), [kind](Sample& s) {
                       return s.graph.add(Binary{kind}, {s.variable({2, 3, 4}), s.variable({4})});
                     }});
  }
  cases.push_back({"divide", [](Sample& s) {
                     const ValueId below = s.graph.add(Unary{UnaryKind::kExp}, {s.variable({1, 4})});
                     return s.graph.add(Binary{BinaryKind::kDivide}, {s.variable({3, 4}), below});
                   }});
  cases.push_back({"a value that both operands are", [](Sample& s) {
                     const ValueId x = s.variable({3, 4});
                     return s.graph.add(Binary{BinaryKind::kMultiply}, {x, x});
                   }});
  cases.push_back({"a gate for each channel", [](Sample& s) {
                     const ValueId gate = s.graph.add(Unary{UnaryKind::kSigmoid}, {s.variable({2, 1, 1, 3})});
                     return s.graph.add(Binary{BinaryKind::kMultiply}, {s.variable({2, 4, 3, 3}), gate});
                   }});
  check_all(cases);
}

TEST(Gradient, OfPoolingAndResizing) {
  const auto pool = [](PoolKind kind, bool count_padding, bool ceil = false) {
    return [=](Sample& s) {
      return s.graph.add(Pool{.kind = kind,
                              .window = {.kernel = {3, 2},
                                         .stride = {s.random.whole(1, 3), 2},
                                         .padding = {1, s.random.whole(0, 1), 1, 1}},
                              .ceil = ceil,
                              .count_padding = count_padding},
                         {s.variable({2, 6, 5, 3})});
    };
  };
  const auto resize = [](ResizeMode mode, ResizeCoordinate coordinate, const Shape& size, bool antialias = false) {
    return [=](Sample& s) {
      Resize op{.how = {.mode = mode, .coordinate = coordinate, .antialias = antialias}, .size = size};
      op.how.scales[1] = static_cast<float>(size[1]) / 4;
      op.how.scales[2] = static_cast<float>(size[2]) / 5;
      return s.graph.add(op, {s.variable({2, 4, 5, 2})});
    };
  };
  using enum ResizeCoordinate;
  const std::vector<Case> kCases = {
      {"maximum", pool(PoolKind::kMax, false)},
      {"average", pool(PoolKind::kAverage, false)},
      {"average that counts padding", pool(PoolKind::kAverage, true)},
      {"maximum, extents rounded up", pool(PoolKind::kMax, false, true)},
      {"average, extents rounded up", pool(PoolKind::kAverage, true, true)},
      {"global maximum",
       [](Sample& s) { return s.graph.add(Reduce{ReduceKind::kMax, {1, 2}}, {s.variable({2, 4, 3, 5})}); }},
      {"minimum, axes dropped",
       [](Sample& s) { return s.graph.add(Reduce{ReduceKind::kMin, {0, 2}, false}, {s.variable({2, 4, 3})}); }},
      {"global mean",
       [](Sample& s) { return s.graph.add(Reduce{ReduceKind::kMean, {1, 2}}, {s.variable({2, 4, 3, 5})}); }},
      {"sum, axes dropped",
       [](Sample& s) { return s.graph.add(Reduce{ReduceKind::kSum, {0, 2}, false}, {s.variable({2, 4, 3})}); }},
      {"sum of squares",
       [](Sample& s) { return s.graph.add(Reduce{ReduceKind::kSumSquare, {1}}, {s.variable({2, 4, 3})}); }},
      {"nearest, larger", resize(ResizeMode::kNearest, kAsymmetric, {2, 8, 9, 2})},
      {"linear, larger", resize(ResizeMode::kLinear, kHalfPixel, {2, 7, 10, 2})},
      {"linear, corners", resize(ResizeMode::kLinear, kAlignCorners, {2, 7, 3, 2})},
      {"cubic", resize(ResizeMode::kCubic, kHalfPixel, {2, 6, 9, 2})},
      {"linear, smaller, antialias", resize(ResizeMode::kLinear, kHalfPixel, {2, 2, 2, 2}, true)},
  };
  check_all(kCases);
}

TEST(Gradient, OfProductsAndMoves) {
  const std::vector<Case> kCases = {
      {"matrices that broadcast",
       [](Sample& s) { return s.graph.add(MatMul{}, {s.variable({2, 1, 3, 4}), s.variable({5, 4, 2})}); }},
      {"dense",
       [](Sample& s) {
         return s.graph.add(Gemm{.transpose_b = true}, {s.variable({3, 4}), s.variable({5, 4}), s.variable({5})});
       }},
      {"both transposed, scaled",
       [](Sample& s) {
         return s.graph.add(Gemm{.alpha = 0.5f, .beta = 2, .transpose_a = true, .transpose_b = true},
                            {s.variable({4, 3}), s.variable({5, 4}), s.variable({3, 1})});
       }},
      {"a transposed",
       [](Sample& s) { return s.graph.add(Gemm{.transpose_a = true}, {s.variable({4, 3}), s.variable({4, 5})}); }},
      {"softmax", [](Sample& s) { return s.graph.add(Softmax{1}, {s.variable({3, 4, 2})}); }},
      {"log softmax", [](Sample& s) { return s.graph.add(Softmax{2, true}, {s.variable({3, 4, 2})}); }},
      {"concatenation",
       [](Sample& s) { return s.graph.add(Concat{1}, {s.variable({2, 3}), s.variable({2, 1}), s.variable({2, 4})}); }},
      {"slice", [](Sample& s) { return s.graph.add(Slice{.start = {0, 2}, .size = {2, 3}}, {s.variable({2, 6})}); }},
      {"padding on one side, a crop on the other",
       [](Sample& s) { return s.graph.add(Pad{.before = {1, -1}, .after = {0, 2}}, {s.variable({2, 6})}); }},
      {"transposition and reshape",
       [](Sample& s) {
         const ValueId turned = s.graph.add(Transpose{Permutation::of({2, 0, 1})}, {s.variable({2, 3, 4})});
         return s.graph.add(Reshape{{8, 3}}, {turned});
       }},
      {"repetition", [](Sample& s) { return s.graph.add(Expand{{4, 2, 3}}, {s.variable({2, 1})}); }},
      {"dropout",
       [](Sample& s) {
         const ValueId step = s.graph.add_constant(Tensor::of<std::int64_t>(Shape{}, {7}));
         return s.graph.add(Dropout{.rate = 0.4f, .seed = 3}, {s.variable({5, 6}), step});
       }},
  };
  check_all(kCases);
}

TEST(Gradient, OfLosses) {
  const std::vector<Case> kCases = {
      {"cross-entropy", [](Sample& s) { return s.graph.add(CrossEntropy{}, {s.variable({4, 5}), s.targets(4, 5)}); }},
      {"with label smoothing",
       [](Sample& s) { return s.graph.add(CrossEntropy{0.1f}, {s.variable({4, 5}), s.targets(4, 5)}); }},
      {"against distributions",
       [](Sample& s) {
         const ValueId mixed = s.graph.add_constant(Tensor::of<float>({2, 3}, {.2f, .8f, 0, .5f, .25f, .25f}));
         return s.graph.add(CrossEntropy{0.1f}, {s.variable({2, 3}), mixed});
       }},
      {"times something else",
       [](Sample& s) {
         const ValueId loss = s.graph.add(CrossEntropy{}, {s.variable({4, 5}), s.targets(4, 5)});
         return s.graph.add(Binary{BinaryKind::kMultiply}, {loss, s.variable({})});
       }},
      {"mean squared error",
       [](Sample& s) {
         const ValueId error = s.graph.add(Binary{BinaryKind::kSubtract}, {s.variable({4, 3}), s.constant({4, 3})});
         const ValueId squares = s.graph.add(Binary{BinaryKind::kMultiply}, {error, error});
         return s.graph.add(Reduce{ReduceKind::kMean, {0, 1}, false}, {squares});
       }},
  };
  check_all(kCases);
}

TEST(Gradient, OfAnInvertedResidualWithSqueezeAndExcite) {
  const std::vector<Case> kCases = {
      {"block", [](Sample& s) {
         Graph& g = s.graph;
         const ValueId x = s.variable({2, 5, 5, 3});
         const auto layer = [&](ValueId from, std::int64_t groups, std::int64_t co, std::int64_t k,
                                const Unary& activation) {
           const std::int64_t ci = g.shape(from).c();
           const std::int64_t pad = k / 2;
           const auto conv = g.add_node(
               TrainingConv2d{.window = {.kernel = {k, k}, .padding = {pad, pad, pad, pad}}, .groups = groups},
               {from, s.variable({co, k, k, ci / groups})});
           const std::vector<ValueId> y(conv.begin(), conv.end());
           const ValueId norm = g.add(BatchNorm{1e-3f}, {y[0], s.variable({co}), s.variable({co}), y[1], y[2]});
           return activation == Unary{} ? norm : g.add(activation, {norm});
         };
         const ValueId wide = layer(x, 1, 6, 1, {UnaryKind::kHardSwish});
         const ValueId filtered = layer(wide, 6, 6, 3, {UnaryKind::kRelu});
         const ValueId mean = g.add(Reduce{ReduceKind::kMean, {1, 2}}, {filtered});
         const ValueId squeezed = g.add(Conv2d{.window = {.kernel = {1, 1}}, .activation = {UnaryKind::kRelu}},
                                        {mean, s.variable({2, 1, 1, 6}), s.variable({2})});
         const ValueId gate =
             g.add(Conv2d{.window = {.kernel = {1, 1}}, .activation = {UnaryKind::kHardSigmoid, 0.2f, 0.5f}},
                   {squeezed, s.variable({6, 1, 1, 2}), s.variable({6})});
         const ValueId gated = g.add(Binary{BinaryKind::kMultiply}, {filtered, gate});
         return g.add(Binary{BinaryKind::kAdd}, {layer(gated, 1, 3, 1, {}), x});
       }}};
  check_all(kCases);
}

TEST(Gradient, IsNotComputedForWhatIsNotAsked) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::kF32, {1, 4, 4, 2}});
  const ValueId frozen = graph.add_input("frozen", {DataType::kF32, {2, 1, 1, 2}});
  const ValueId filter = graph.add_input("filter", {DataType::kF32, {3, 1, 1, 2}});
  const ValueId hidden = graph.add(TrainingConv2d{.window = {.kernel = {1, 1}}}, {x, frozen});
  const ValueId y = graph.add(TrainingConv2d{.window = {.kernel = {1, 1}}}, {hidden, filter});
  const ValueId loss = graph.add(Reduce{ReduceKind::kSum, {0, 1, 2, 3}, false}, {y});
  const std::size_t forward = graph.nodes().size();
  const auto gradients = add_gradients(graph, loss, std::vector{filter, loss});
  ASSERT_TRUE(gradients[0].has_value());
  int convolutions = 0;
  for (std::size_t i = forward; i < graph.nodes().size(); ++i) {
    if (const auto* gradient = std::get_if<Conv2dGradient>(&graph.nodes()[i].op)) {
      EXPECT_FALSE(gradient->input_gradient);
      ++convolutions;
    }
  }
  EXPECT_EQ(convolutions, 1);
}

TEST(Gradient, SaysWhatHasNone) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::kF32, {4}});
  const ValueId product = graph.add(Reduce{ReduceKind::kProduct, {0}, false}, {x}, "all");
  EXPECT_TRUE(raises([&] { add_gradients(graph, product, std::vector{x}); },
                     "all: reduce_product has no gradient; freeze what stands before it, or leave it out",
                     ErrorKind::kUnsupported));
  EXPECT_TRUE(raises([&] { add_gradients(graph, x, std::vector{x}); }, "a loss of f32 4; give a single f32 number",
                     ErrorKind::kInvalid));
}

TEST(Gradient, IsNothingWhereTheLossDoesNotDependOnIt) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::kF32, {4}});
  const ValueId other = graph.add_input("other", {DataType::kF32, {4}});
  const ValueId loss = graph.add(Reduce{ReduceKind::kSum, {0}, false}, {x});
  const auto gradients = add_gradients(graph, loss, std::vector{x, other});
  EXPECT_TRUE(gradients[0].has_value());
  EXPECT_FALSE(gradients[1].has_value());
}

}  // namespace
}  // namespace sepal
