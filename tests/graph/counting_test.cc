// The proof of the cost formulas: the reference kernels run on numbers that count, over random layers, and every
// multiplication, addition, division and function that they did is what the formula said. Nominal counts are proved
// by the same kernels on images whose padding is really there. docs/conventions.md lists what is not proved here.

#include <gtest/gtest.h>

#include <set>

#include "sepal/graph/cost.h"
#include "sepal/graph/shape_rule.h"
#include "sepal/kernels/reference/conv.h"
#include "sepal/kernels/reference/matmul.h"
#include "sepal/kernels/reference/normalize.h"
#include "sepal/kernels/reference/pool.h"
#include "sepal/kernels/reference/reduce.h"
#include "tests/graph/counted.h"
#include "tests/kernels/reference_window_cases.h"

namespace sepal {
namespace {

using Values = std::vector<Counted>;

Values numbers(Random& random, const Shape& shape) {
  Values values;
  for (std::int64_t i = 0; i < shape.elements(); ++i) values.emplace_back(random.real());
  return values;
}

TensorType f32(const Shape& shape) { return {DataType::kF32, shape}; }

/// What `run` does.
template <typename Run>
Arithmetic counted(Run&& run) {
  Counted::reset();
  run();
  return Counted::done;
}

void expect_same(const Arithmetic& formula, const Arithmetic& done, const std::string& what) {
  EXPECT_EQ(formula.multiplications, done.multiplications) << what;
  EXPECT_EQ(formula.additions, done.additions) << what;
  EXPECT_EQ(formula.divisions, done.divisions) << what;
  EXPECT_EQ(formula.functions, done.functions) << what;
}

Cost cost(const Op& op, const std::vector<TensorType>& inputs) {
  return cost_of(op, inputs, infer(op, inputs), std::vector<bool>(inputs.size(), false));
}

TEST(Counting, ThreeHundredRandomConvolutions) {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    const WindowCase test = random_window_case(random);
    const bool biased = random.coin();
    // Functions without branches, which cost the same whatever the value.
    const Unary activation{random.coin() ? UnaryKind::kIdentity : random.coin() ? UnaryKind::kSwish : UnaryKind::kTanh};
    const Values image = numbers(random, test.image);
    const Values filter = numbers(random, test.filter);
    const Values bias = numbers(random, {test.filter.n()});
    const auto run = [&](const Shape& shape, const Values& values, const Window& window) {
      Values output = filled<Counted>(test.output);
      return counted([&] {
        reference::conv2d(reference::Conv2dArgs<Counted>{.input = view_of(values, shape),
                                                         .filter = view_of(filter, test.filter),
                                                         .bias = biased ? bias.data() : nullptr,
                                                         .window = window,
                                                         .groups = test.groups,
                                                         .activation = activation,
                                                         .output = view_of(output, test.output)});
      });
    };
    std::vector<TensorType> inputs = {f32(test.image), f32(test.filter)};
    if (biased) inputs.push_back(f32({test.filter.n()}));
    const Conv2d conv{.window = test.window, .groups = test.groups, .activation = activation};
    const Cost formula = cost(conv, inputs);
    expect_same(formula.effective, run(test.image, image, test.window), test.describe());
    const std::uint64_t gates =
        activation.kind == UnaryKind::kSwish ? cost(activation, {f32(test.output)}).nominal.multiplications : 0;
    EXPECT_EQ(formula.effective_macs + gates, formula.effective.multiplications);

    const auto [shape, padded_image] = padded<Counted>(test.image, image, test.window.padding, Counted(0.0));
    Window bare = test.window;
    bare.padding = {};
    expect_same(formula.nominal, run(shape, padded_image, bare), test.describe());
    EXPECT_EQ(formula.macs + gates, formula.nominal.multiplications);
  }
}

TEST(Counting, EightyRandomTransposedConvolutions) {
  Random random(2);
  for (int round = 0; round < 80; ++round) {
    ConvTranspose2d op;
    op.window.kernel = {random.whole(1, 5), random.whole(1, 5)};
    op.window.stride = {random.whole(1, 4), random.whole(1, 4)};
    op.window.dilation = {random.whole(1, 4), random.whole(1, 4)};
    op.groups = random.whole(1, 3);
    const Shape image{random.whole(1, 2), random.whole(1, 6), random.whole(1, 6), op.groups * random.whole(1, 3)};
    const Shape filter{image.c(), op.window.kernel.h, op.window.kernel.w, random.whole(1, 4)};
    const bool biased = random.coin();
    std::vector<TensorType> inputs = {f32(image), f32(filter)};
    if (biased) inputs.push_back(f32({filter.c() * op.groups}));
    const Shape whole = infer(op, inputs).front().shape;
    const Values x = numbers(random, image);
    const Values w = numbers(random, filter);
    const Values bias = numbers(random, {whole.c()});
    const auto run = [&](const Window& window, const Shape& shape) {
      Values output = filled<Counted>(shape);
      return counted([&] {
        reference::conv_transpose2d(reference::ConvTranspose2dArgs<Counted>{.input = view_of(x, image),
                                                                            .filter = view_of(w, filter),
                                                                            .bias = biased ? bias.data() : nullptr,
                                                                            .window = window,
                                                                            .groups = op.groups,
                                                                            .output = view_of(output, shape)});
      });
    };
    const std::string what =
        format("image {}, filter {}, stride {} {}, dilation {} {}", to_string(image), to_string(filter),
               op.window.stride.h, op.window.stride.w, op.window.dilation.h, op.window.dilation.w);
    const Arithmetic all = run(op.window, whole);
    // Padding of a transposed convolution cuts the result: as much as leaves something.
    op.window.padding.top = random.whole(0, (whole.h() - 1) / 2);
    op.window.padding.bottom = random.whole(0, (whole.h() - 1) / 2);
    op.window.padding.left = random.whole(0, (whole.w() - 1) / 2);
    op.window.padding.right = random.whole(0, (whole.w() - 1) / 2);
    const Cost formula = cost(op, inputs);
    expect_same(formula.nominal, all, what);
    expect_same(formula.effective, run(op.window, infer(op, inputs).front().shape), what);
  }
}

// Dividing by all taps or by those on the image costs the same; rounding up adds positions whose windows reach beyond
// the padding, which is why nominal counts are proved where it does not.
TEST(Counting, EightyRandomAveragePools) {
  Random random(3);
  for (int round = 0; round < 80; ++round) {
    const WindowCase test = random_window_case(random);
    const Pool op{
        .kind = PoolKind::kAverage, .window = test.window, .ceil = random.coin(), .count_padding = random.coin()};
    const Cost formula = cost(op, {f32(test.image)});
    const Shape output = infer(op, std::vector{f32(test.image)}).front().shape;
    const Values image = numbers(random, test.image);
    const auto run = [&](const Shape& shape, const Values& values, const Window& window) {
      Values result = filled<Counted>(output);
      return counted([&] {
        reference::average_pool(reference::AveragePoolArgs<Counted>{.input = view_of(values, shape),
                                                                    .window = window,
                                                                    .count_padding = op.count_padding,
                                                                    .output = view_of(result, output)});
      });
    };
    expect_same(formula.effective, run(test.image, image, test.window), test.describe());
    EXPECT_EQ(formula.nominal.additions,
              static_cast<std::uint64_t>(output.elements() * (test.filter.h() * test.filter.w() - 1)));
    if (op.ceil) continue;
    const auto [shape, padded_image] = padded<Counted>(test.image, image, test.window.padding, Counted(0.0));
    Window bare = test.window;
    bare.padding = {};
    expect_same(formula.nominal, run(shape, padded_image, bare), test.describe());
  }
}

TEST(Counting, FortyRandomMaximumPools) {
  Random random(7);
  for (int round = 0; round < 40; ++round) {
    const WindowCase test = random_window_case(random);
    const Pool op{.kind = PoolKind::kMax, .window = test.window};
    const Cost formula = cost(op, {f32(test.image)});
    const Shape output = infer(op, std::vector{f32(test.image)}).front().shape;
    const Values image = numbers(random, test.image);
    const auto run = [&](const Shape& shape, const Values& values, const Window& window) {
      Values result = filled<Counted>(output);
      Counted::reset();
      reference::max_pool(reference::MaxPoolArgs<Counted>{
          .input = view_of(values, shape), .window = window, .output = view_of(result, output)});
      EXPECT_EQ(Counted::done, Arithmetic{});
      return Counted::ordered;
    };
    EXPECT_EQ(formula.effective, (Arithmetic{.comparisons = run(test.image, image, test.window)})) << test.describe();
    const auto [shape, padded_image] = padded<Counted>(test.image, image, test.window.padding, Counted(0.0));
    Window bare = test.window;
    bare.padding = {};
    EXPECT_EQ(formula.nominal, (Arithmetic{.comparisons = run(shape, padded_image, bare)})) << test.describe();
  }
}

TEST(Counting, FortyRandomProducts) {
  Random random(4);
  for (int round = 0; round < 40; ++round) {
    const Shape a{random.whole(1, 5), random.whole(1, 6)};
    const Shape b{a[1], random.whole(1, 20)};
    const Shape output{a[0], b[1]};
    const Values left = numbers(random, a);
    const Values right = numbers(random, b);
    const Values shift = numbers(random, {b[1]});
    Values result = filled<Counted>(output);
    expect_same(cost(MatMul{}, {f32(a), f32(b)}).nominal, counted([&] {
                  reference::matmul(
                      reference::MatMulArgs<Counted>{view_of(left, a), view_of(right, b), view_of(result, output)});
                }),
                "matmul");
    Gemm gemm;
    if (random.coin()) gemm.alpha = 0.5f;
    if (random.coin()) gemm.beta = 2.0f;
    const bool biased = random.coin();
    std::vector<TensorType> inputs = {f32(a), f32(b)};
    if (biased) inputs.push_back(f32({b[1]}));
    expect_same(cost(gemm, inputs).effective, counted([&] {
                  reference::gemm(
                      reference::GemmArgs<Counted>{.a = view_of(left, a),
                                                   .b = view_of(right, b),
                                                   .c = biased ? view_of(shift, {b[1]}) : TensorView<const Counted>{},
                                                   .alpha = gemm.alpha,
                                                   .beta = gemm.beta,
                                                   .output = view_of(result, output)});
                }),
                "gemm");
  }
}

TEST(Counting, EightyRandomNormalizations) {
  Random random(5);
  for (int round = 0; round < 20; ++round) {
    const std::int64_t groups = random.whole(1, 3);
    const Shape shape{random.whole(1, 2), random.whole(1, 4), random.whole(1, 4), groups * random.whole(1, 5)};
    const Shape channels{shape.c()};
    const Values x = numbers(random, shape);
    const Values scale = numbers(random, channels);
    Values positive = scale;
    for (Counted& value : positive) value = Counted(std::abs(value.value));
    Values y = filled<Counted>(shape);
    const TensorView<const Counted> input = view_of(x, shape);
    const TensorView<Counted> output = view_of(y, shape);

    expect_same(cost(BatchNorm{}, {f32(shape), f32(channels), f32(channels), f32(channels), f32(channels)}).nominal,
                counted([&] {
                  reference::batch_norm(reference::BatchNormArgs<Counted>{.input = input,
                                                                          .scale = scale.data(),
                                                                          .bias = scale.data(),
                                                                          .mean = scale.data(),
                                                                          .variance = positive.data(),
                                                                          .output = output});
                }),
                "batch norm");
    const bool biased = random.coin();
    std::vector<TensorType> inputs = {f32(shape), f32(channels)};
    if (biased) inputs.push_back(f32(channels));
    expect_same(cost(LayerNorm{.axis = 3}, inputs).nominal, counted([&] {
                  reference::layer_norm(reference::LayerNormArgs<Counted>{
                      .input = input,
                      .scale = view_of(scale, channels),
                      .bias = biased ? view_of(scale, channels) : TensorView<const Counted>{},
                      .axis = 3,
                      .output = output});
                }),
                "layer norm");
    expect_same(cost(GroupNorm{.groups = groups}, {f32(shape), f32(channels), f32(channels)}).nominal, counted([&] {
                  reference::group_norm(reference::GroupNormArgs<Counted>{
                      .input = input, .scale = scale.data(), .bias = scale.data(), .groups = groups, .output = output});
                }),
                "group norm");
    const std::int64_t size = random.whole(1, 6);
    const Cost response = cost(LocalResponseNorm{.size = size}, {f32(shape)});
    expect_same(response.effective, counted([&] {
                  reference::local_response_norm(
                      reference::LocalResponseNormArgs<Counted>{.input = input, .size = size, .output = output});
                }),
                format("local response norm of {} over {}", size, shape.c()));
  }
}

TEST(Counting, SoftmaxAndReductions) {
  Random random(6);
  for (int round = 0; round < 20; ++round) {
    const Shape shape{random.whole(1, 3), random.whole(1, 5), random.whole(1, 5)};
    const Values x = numbers(random, shape);
    Values y = filled<Counted>(shape);
    const int axis = static_cast<int>(random.whole(0, 2));
    const bool log = random.coin();
    expect_same(cost(Softmax{.axis = axis, .log = log}, {f32(shape)}).nominal, counted([&] {
                  reference::softmax(reference::SoftmaxArgs<Counted>{view_of(x, shape), axis, log, view_of(y, shape)});
                }),
                "softmax");
    for (const ReduceKind kind :
         {ReduceKind::kSum, ReduceKind::kMean, ReduceKind::kMax, ReduceKind::kMin, ReduceKind::kProduct,
          ReduceKind::kL1, ReduceKind::kL2, ReduceKind::kSumSquare, ReduceKind::kLogSum, ReduceKind::kLogSumExp}) {
      const std::vector<int> axes = random.coin() ? std::vector{axis} : std::vector{0, 2};
      expect_same(cost(Reduce{.kind = kind, .axes = axes}, {f32(shape)}).nominal, counted([&] {
                    reference::reduce(reference::ReduceArgs<Counted>{view_of(x, shape), kind, axes, y.data()});
                  }),
                  std::string(name_of(kind)));
    }
  }
}

TEST(Counting, FortyRandomPlacesOfLargestValues) {
  Random random(8);
  for (int round = 0; round < 40; ++round) {
    const Shape shape{random.whole(1, 4), random.whole(1, 6), random.whole(1, 5)};
    const ArgReduce op{.minimum = random.coin(), .axis = static_cast<int>(random.whole(0, 2)), .last = random.coin()};
    const Values x = numbers(random, shape);
    std::vector<std::int64_t> places(static_cast<std::size_t>(shape.elements()));
    Counted::reset();
    reference::arg_reduce(reference::ArgReduceArgs<Counted>{
        .input = view_of(x, shape), .axis = op.axis, .minimum = op.minimum, .last = op.last, .output = places.data()});
    EXPECT_EQ(cost(op, {f32(shape)}).nominal, (Arithmetic{.comparisons = Counted::ordered})) << to_string(shape);
  }
}

/// Values on which each function takes its dearest branch.
double dear(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::kLeakyRelu:
    case UnaryKind::kElu:
    case UnaryKind::kSelu:
      return -0.5;
    default:
      return 0.5;
  }
}

TEST(Counting, EveryFunctionOfOneValueAndOfTwo) {
  const Shape shape{3, 4};
  std::set<std::string_view> seen;
  for (int k = 0; k <= static_cast<int>(UnaryKind::kThresholdedRelu); ++k) {
    const Unary function{.kind = static_cast<UnaryKind>(k), .alpha = 0.25f, .beta = 0.75f};
    seen.insert(name_of(function.kind));
    const Values x(12, Counted(dear(function.kind)));
    Values y = filled<Counted>(shape);
    const DataType type = function.kind == UnaryKind::kNot ? DataType::kBool : DataType::kF32;
    const Cost formula = cost(function, {{type, shape}});
    expect_same(formula.nominal, counted([&] {
                  reference::unary(reference::UnaryArgs<Counted>{view_of(x, shape), function, view_of(y, shape)});
                }),
                std::string(name_of(function.kind)));
    const Arithmetic& a = formula.nominal;
    EXPECT_EQ(function.kind == UnaryKind::kIdentity,
              a.multiplications + a.additions + a.divisions + a.comparisons + a.functions == 0)
        << name_of(function.kind);
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(UnaryKind::kThresholdedRelu) + 1);
  for (int k = 0; k <= static_cast<int>(BinaryKind::kModulo); ++k) {
    const auto kind = static_cast<BinaryKind>(k);
    const Values x(12, Counted(-0.5));
    Values y = filled<Counted>(shape);
    const Cost formula = cost(Binary{kind}, {f32(shape), f32(shape)});
    expect_same(formula.nominal, counted([&] {
                  reference::binary(
                      reference::BinaryArgs<Counted>{kind, view_of(x, shape), view_of(x, shape), view_of(y, shape)});
                }),
                std::string(name_of(kind)));
  }
}

}  // namespace
}  // namespace sepal
