#include "sepal/kernels/training_depthwise.h"

#include "sepal/kernels/depthwise.h"
#include "sepal/kernels/reference/gradient.h"
#include "tests/kernels/conv_case.h"

namespace sepal {
namespace {

using Doubles = std::vector<double>;

Doubles doubles(const std::vector<float>& values) { return {values.begin(), values.end()}; }
Doubles absolute(Doubles values) {
  for (double& value : values) value = std::fabs(value);
  return values;
}
std::vector<Exact> exact_of(const Doubles& values, const Doubles& magnitudes) {
  std::vector<Exact> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) result[i] = {values[i], magnitudes[i]};
  return result;
}
std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

/// A convolution with all that its training step reads. Reads and gradients are affine maps with vectors of their own,
/// which a batch norm of mean 0 and variance 1 gives the reference.
struct Training {
  ConvCase test;
  bool read;        ///< activation(factor x + shift), not x
  bool normalized;  ///< dy = a g + b y + c, not g
  std::vector<float> x, filter, packed, factor, shift, mean, g, y, a, b, c;

  static constexpr std::int64_t kSlack = 16;

  Training(const ConvCase& conv, bool reads, bool normalizes, Random& random)
      : test(conv), read(reads), normalized(normalizes) {
    const std::int64_t channels = test.input.c();
    x = random.values<float>(test.input.elements());
    filter = random.values<float>(test.co * test.terms());
    packed.resize(filter.size());
    pack_depthwise(filter.data(), test.co, test.terms(), packed.data());
    factor = random.values<float>(channels + kSlack);
    shift = random.values<float>(channels + kSlack);
    mean.resize(shift.size());  // 0, as the reference is told
    g = random.values<float>(test.output().elements());
    y = random.values<float>(test.output().elements());
    a = random.values<float>(test.co + kSlack);
    b = random.values<float>(test.co + kSlack);
    c = random.values<float>(test.co + kSlack);
    for (float& value : a) value += 2;  // the reference divides by it
  }

  ReadArgs read_args() const {
    return read ? ReadArgs{factor.data(), shift.data(), mean.data(), test.activation} : ReadArgs{};
  }
  GradientReadArgs gradient_args() const {
    if (!normalized) return {.g = g.data()};
    return {.g = g.data(), .y = y.data(), .a = a.data(), .b = b.data(), .c = c.data()};
  }
  Doubles read_x() const {
    Doubles result = doubles(x);
    const Doubles by = doubles(factor);
    const Doubles plus = doubles(shift);
    for (std::size_t i = 0; read && i < result.size(); ++i) {
      const std::size_t channel = i % size(test.input.c());
      result[i] = reference::apply(test.activation, result[i] * by[channel] + plus[channel]);
    }
    return result;
  }
};

Shape filter_shape(const ConvCase& test) { return {test.co, test.window.kernel.h, test.window.kernel.w, 1}; }

struct Forward {
  std::vector<Exact> y;
  Doubles values;
  Doubles mean, variance;
};
Forward forward(const Training& training) {
  const ConvCase& test = training.test;
  const Shape shape = test.output();
  const Doubles filter = doubles(training.filter);
  const auto convolve = [&](const Doubles& x, const Doubles& w, Forward& result) {
    result.values.resize(size(shape.elements()));
    result.mean.resize(size(test.co));
    result.variance.resize(size(test.co));
    reference::training_conv2d(reference::TrainingConv2dArgs<double>{.input = {x.data(), test.input},
                                                                     .filter = {w.data(), filter_shape(test)},
                                                                     .window = test.window,
                                                                     .groups = test.groups,
                                                                     .read = {},
                                                                     .output = {result.values.data(), shape},
                                                                     .mean = result.mean.data(),
                                                                     .variance = result.variance.data()});
  };
  Forward result;
  Forward magnitude;
  convolve(training.read_x(), filter, result);
  convolve(absolute(training.read_x()), absolute(filter), magnitude);
  result.y = exact_of(result.values, magnitude.values);
  return result;
}

void expect_right_forward(const Training& training, Random& random) {
  const ConvCase& test = training.test;
  const Shape shape = test.output();
  const Forward exact = forward(training);
  const RowBlocks blocks = row_blocks(shape);
  const std::int64_t moments = blocks.count * moment_floats(test.co);
  on_every_target([&] {
    TrainingDepthwiseArgs args{{training.x.data(), test.input},
                               training.read_args(),
                               training.packed.data(),
                               test.window,
                               {nullptr, shape},
                               nullptr};
    Guarded room(training_depthwise_room(args));
    const std::vector<float> all =
        run_divided(blocks.count, shape.elements() + moments, random, [&](float* values, Range range) {
          args.output.data = values;
          args.moments = values + shape.elements();
          training_depthwise(args, range, room.data());
        });
    EXPECT_TRUE(room.intact());
    expect_near({all.begin(), all.begin() + shape.elements()}, exact.y);
    // Moments joined as their definition says.
    const float* const from = all.data() + shape.elements();
    const std::int64_t rows = shape.n() * shape.h();
    for (std::int64_t c = 0; c < test.co; ++c) {
      double sum = 0;
      double square = 0;  // of y, from that of y - pivot
      for (std::int64_t block = 0; block < blocks.count; ++block) {
        const float* const of = from + block * moment_floats(test.co) + c;
        const auto count =
            static_cast<double>((std::min((block + 1) * blocks.rows, rows) - block * blocks.rows) * shape.w());
        const double pivot = static_cast<double>(of[0]);
        const double s = static_cast<double>(of[test.co]);
        sum += s + count * pivot;
        square += static_cast<double>(of[2 * test.co]) + 2 * pivot * s + count * pivot * pivot;
      }
      const auto count = static_cast<double>(rows * shape.w());
      const double mean = sum / count;
      const double scale = exact.mean[size(c)] * exact.mean[size(c)] + exact.variance[size(c)] + 1;
      ASSERT_NEAR(mean, exact.mean[size(c)], 1e-5 * scale);
      ASSERT_NEAR(square / count - mean * mean, exact.variance[size(c)], 1e-5 * scale);
    }
  });
}

struct Backward {
  std::vector<Exact> filter, dx, sums, products;
};
Backward backward(const Training& training) {
  const ConvCase& test = training.test;
  const Shape shape = test.output();
  const std::int64_t ci = test.input.c();
  Doubles gradients[2];
  Doubles filters[2];
  Doubles sums[2];
  Doubles products[2];
  const auto differentiate = [&](int which, const Doubles& x, const Doubles& w, const Doubles& g, bool plain) {
    const Doubles factor = doubles(training.factor);
    const Doubles shift = doubles(training.shift);
    const Doubles zeros(size(std::max(ci, test.co)), 0.0);
    const Doubles ones(size(std::max(ci, test.co)), 1.0);
    const Doubles y = doubles(training.y);
    const Doubles a = doubles(training.a);
    const std::int64_t count = shape.elements() / test.co;
    // dy = a (g - bias gradient / count - y (scale gradient) / count)
    Doubles of_scale(size(test.co));
    Doubles of_bias(size(test.co));
    for (std::size_t o = 0; o < of_scale.size(); ++o) {
      of_scale[o] = -static_cast<double>(training.b[o]) / a[o] * static_cast<double>(count);
      of_bias[o] = -static_cast<double>(training.c[o]) / a[o] * static_cast<double>(count);
    }
    gradients[which].resize(x.size());
    filters[which].resize(w.size());
    sums[which].assign(size(ci), 0);
    products[which].assign(size(ci), 0);
    reference::Conv2dGradientArgs<double> args{.input = {x.data(), test.input},
                                               .filter = {w.data(), filter_shape(test)},
                                               .window = test.window,
                                               .groups = test.groups,
                                               .read = {},
                                               .gradient = {g.data(), shape},
                                               .output = nullptr,
                                               .norm = {},
                                               .filter_gradient = filters[which].data(),
                                               .input_gradient = gradients[which].data(),
                                               .scale_gradient = products[which].data(),
                                               .bias_gradient = sums[which].data()};
    if (!plain && training.read) {
      args.read = {.on = true,
                   .norm = {factor.data(), shift.data(), zeros.data(), ones.data(), 0},
                   .activation = test.activation};
    }
    if (!plain && training.normalized) {
      args.output = y.data();
      args.norm = {.norm = {a.data(), zeros.data(), zeros.data(), ones.data(), 0},
                   .scale_gradient = of_scale.data(),
                   .bias_gradient = of_bias.data(),
                   .count = count};
    }
    reference::conv2d_gradient(args);
  };
  differentiate(0, doubles(training.x), doubles(training.filter), doubles(training.g), false);
  Doubles dy = absolute(doubles(training.g));
  for (std::size_t i = 0; training.normalized && i < dy.size(); ++i) {
    const std::size_t o = i % size(test.co);
    dy[i] = dy[i] * std::fabs(static_cast<double>(training.a[o])) +
            std::fabs(static_cast<double>(training.b[o] * training.y[i])) +
            std::fabs(static_cast<double>(training.c[o]));
  }
  differentiate(1, absolute(training.read_x()), absolute(doubles(training.filter)), dy, true);
  for (std::size_t i = 0; i < training.x.size(); ++i) {
    sums[1][i % size(ci)] += gradients[1][i];
    products[1][i % size(ci)] += gradients[1][i] * std::fabs(static_cast<double>(training.x[i]));
  }
  return {exact_of(filters[0], filters[1]), exact_of(gradients[0], gradients[1]), exact_of(sums[0], sums[1]),
          exact_of(products[0], products[1])};
}

void expect_right_backward(const Training& training, Random& random) {
  const ConvCase& test = training.test;
  const Backward exact = backward(training);
  const std::int64_t ci = test.input.c();
  const std::int64_t elements = test.input.elements();
  const std::int64_t blocks = row_blocks(test.input).count;
  const std::int64_t sums = training.read ? blocks * 2 * ci : 0;
  on_every_target([&] {
    DepthwiseGradientArgs args{.input = {training.x.data(), test.input},
                               .read = training.read_args(),
                               .filter = training.packed.data(),
                               .window = test.window,
                               .gradient = training.gradient_args(),
                               .output = test.output()};
    const std::int64_t parts = depthwise_gradient_parts(args);
    const std::int64_t floats = depthwise_gradient_floats(args);
    const auto room_of = [&] { return (depthwise_gradient_room(args) + 15) / 16 * 16; };
    Guarded room(room_of());
    // The partial sums come first, on a cache line like a caller's.
    const std::vector<float> all =
        run_divided(parts, floats + elements + sums, random, [&](float* values, Range range) {
          args.partial = values;
          args.input_gradient = values + floats;
          args.sums = training.read ? values + floats + elements : nullptr;
          depthwise_gradient(args, range, room.data());
        });
    EXPECT_TRUE(room.intact());
    const float* const dx = all.data() + floats;
    expect_near({dx, dx + elements}, exact.dx);
    for (std::int64_t which = 0; which < (training.read ? 2 : 0); ++which) {
      std::vector<float> joined(size(ci));
      for (std::int64_t c = 0; c < ci; ++c) {
        double sum = 0;
        for (std::int64_t block = 0; block < blocks; ++block) {
          sum += static_cast<double>(dx[elements + (block * 2 + which) * ci + c]);
        }
        joined[size(c)] = static_cast<float>(sum);
      }
      expect_near(joined, which == 0 ? exact.sums : exact.products);
    }
    std::vector<float> partial(all.begin(), all.begin() + floats);
    args.partial = partial.data();
    expect_near(run_divided(test.co, test.co * test.terms(), random,
                            [&](float* values, Range range) { join_depthwise_gradient(args, range, values); }),
                exact.filter);
    // The filter's gradient alone.
    args.input_gradient = nullptr;
    args.sums = nullptr;
    depthwise_gradient(args, {0, parts}, room.data());
    EXPECT_EQ(partial, std::vector<float>(all.begin(), all.begin() + floats));
  });
}

void expect_right(const ConvCase& test, bool read, bool normalized, Random& random) {
  SCOPED_TRACE(describe(test) + (read ? ", read" : "") + (normalized ? ", normalized" : ""));
  const Training training(test, read, normalized, random);
  expect_right_forward(training, random);
  if (!testing::Test::HasFatalFailure()) expect_right_backward(training, random);
}

Window square(std::int64_t kernel, std::int64_t stride, std::int64_t padding, std::int64_t dilation = 1) {
  return {{kernel, kernel}, {stride, stride}, {dilation, dilation}, {padding, padding, padding, padding}};
}

constexpr Unary kRelu = {UnaryKind::kRelu};

TEST(TrainingDepthwise, MatchesItsDefinition) {
  const ConvCase cases[] = {
      {"3 x 3", {2, 7, 7, 32}, 32, 32, square(3, 1, 1), kRelu},
      {"3 x 3, bands of an image, and one that ends in it", {3, 23, 18, 16}, 16, 16, square(3, 1, 1), kRelu},
      {"3 x 3, more images than parts", {18, 5, 6, 20}, 20, 20, square(3, 1, 1), kRelu},
      {"3 x 3, more images than blocks", {70, 3, 3, 5}, 5, 5, square(3, 1, 1), kRelu},
      {"3 x 3, long rows: bands of a row or two", {1, 9, 150, 33}, 33, 33, square(3, 1, 1), kRelu},
      {"3 x 3, stride 2, even size", {2, 14, 14, 24}, 24, 24, square(3, 2, 1), kRelu},
      {"3 x 3, stride 2, odd size", {2, 15, 13, 24}, 24, 24, square(3, 2, 1), kRelu},
      {"3 x 3, stride 2, padded behind only (TensorFlow)",
       {1, 8, 16, 8},
       8,
       8,
       {{3, 3}, {2, 2}, {1, 1}, {0, 0, 1, 1}},
       {UnaryKind::kClip, 0, 0.5f}},
      {"3 x 3, stride 2, long rows", {1, 18, 150, 33}, 33, 33, square(3, 2, 1), kRelu},
      {"results that go past the caches", {1, 128, 128, 64}, 64, 64, square(3, 1, 1), kRelu},
      {"dx that goes past the caches, stride 2", {1, 128, 128, 64}, 64, 64, square(3, 2, 1), kRelu},
      {"5 x 5", {1, 9, 15, 40}, 40, 40, square(5, 1, 2), {UnaryKind::kHardSwish}},
      {"5 x 5, stride 2", {1, 9, 15, 12}, 12, 12, square(5, 2, 2), {UnaryKind::kHardSwish}},
      {"7 x 7", {1, 8, 45, 19}, 19, 19, square(7, 1, 3)},
      {"7 x 7, stride 2", {1, 18, 15, 19}, 19, 19, square(7, 2, 3)},
      {"1 x 1", {1, 4, 5, 7}, 7, 7, square(1, 1, 0)},
      {"1 x 1, stride 3: most of x is not heard", {2, 10, 11, 7}, 7, 7, square(1, 3, 0), kRelu},
      {"channels that fill no vector", {1, 7, 7, 3}, 3, 3, square(3, 1, 1), kRelu},
      {"one channel, one pixel", {1, 1, 1, 1}, 1, 1, square(3, 1, 1), kRelu},
      {"padding wider than a window", {1, 2, 2, 8}, 8, 8, square(3, 1, 9), kRelu},
      {"padding wider than a window, stride 2", {1, 4, 3, 8}, 8, 8, square(3, 2, 5), kRelu},
      {"dilation", {1, 12, 20, 17}, 17, 17, square(3, 1, 2, 2), kRelu},
      {"dilation and stride", {1, 13, 20, 17}, 17, 17, square(3, 2, 2, 2), kRelu},
      {"rows of 3, every other one", {1, 13, 20, 17}, 17, 17, {{3, 3}, {2, 1}, {3, 1}, {1, 1, 1, 1}}, kRelu},
      {"depth multiplier 2", {1, 6, 13, 10}, 20, 10, square(3, 1, 1), kRelu},
      {"depth multiplier 3, stride 2", {1, 6, 13, 21}, 63, 21, square(5, 2, 2), kRelu},
      {"an activation that is no clamp", {1, 5, 9, 16}, 16, 16, square(3, 1, 1), {UnaryKind::kSwish, 1}},
  };
  Random random(1);
  for (const ConvCase& test : cases) {
    expect_right(test, true, true, random);
    expect_right(test, false, false, random);
    if (HasFatalFailure()) return;
  }
}

TEST(TrainingDepthwise, MatchesItsDefinitionAtRandom) {
  Random random(2);
  for (int i = 0; i < 150; ++i) {
    auto [extent, window] = random_window(random);
    const std::int64_t c = random.whole(1, 40);
    const std::int64_t m = random.coin() ? 1 : random.whole(1, 3);
    if (random.coin()) window.dilation = {1, 1};
    const Shape input = {random.whole(1, 3), extent.h, extent.w, c};
    expect_right({"random", input, c * m, c, window, random_activation(random)}, random.whole(0, 3) > 0, random.coin(),
                 random);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace sepal
