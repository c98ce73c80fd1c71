// Quantisation: rounding, saturation and the three ways to give a scale.

#include <gtest/gtest.h>

#include <limits>

#include "sepal/kernels/reference/quantize.h"
#include "tests/kernels/reference_random.h"

namespace sepal::reference {
namespace {

TEST(ReferenceQuantize, RoundsHalfToEvenAndSaturates) {
  struct Case {
    const char* why;
    float value;  ///< already divided by the scale
    std::uint8_t zero;
    int expected;
  };
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Case cases[] = {
      {"half to the even below", 2.5f, 0, 2},
      {"half to the even above", 3.5f, 0, 4},
      {"rounded before the zero point is added", 0.5f, 1, 1},
      {"negative half", -1.5f, 10, 8},
      {"above the range", 300, 0, 255},
      {"below the range", -11, 10, 0},
      {"the zero point saturates with it", 200, 100, 255},
      {"infinity", kInfinity, 128, 255},
      {"negative infinity", -kInfinity, 128, 0},
      {"no number", std::numeric_limits<float>::quiet_NaN(), 128, 0},
  };
  for (const Case& test : cases) EXPECT_EQ(quantized(test.value, test.zero), test.expected) << test.why;
  EXPECT_EQ(quantized(-40000.0f, std::int16_t{-5}), -32768);
  EXPECT_EQ(quantized(65530.0f, std::uint16_t{5}), 65535);
}

/// Both directions over random shapes, against the parameter found from coordinates.
template <typename Q>
void check_parameters(std::uint32_t seed) {
  Random random(seed);
  for (int c = 0; c < 200; ++c) {
    const Shape shape{random.whole(1, 4), random.whole(1, 5), random.whole(1, 4)};
    const int axis = static_cast<int>(random.whole(0, 2));
    const std::int64_t form = random.whole(0, 2);  // per tensor, per axis, blocked
    const std::int64_t block = form == 2 ? random.whole(1, shape[axis]) : 0;
    const Shape scale_shape = form == 0   ? Shape{}
                              : form == 1 ? Shape{shape[axis]}
                                          : shape.with(axis, (shape[axis] + block - 1) / block);
    auto scale = random.values<float>(scale_shape.elements());
    for (float& value : scale) value = std::abs(value) / 16 + 0.01f;
    const auto zero = random.values<Q>(scale_shape.elements());
    const auto real = random.values<float>(shape.elements());
    auto small = filled<Q>(shape);
    auto back = filled<float>(shape);
    quantize(QuantizeArgs<Q>{.input = view_of(real, shape),
                             .scale = view_of(scale, scale_shape),
                             .zero = zero.data(),
                             .axis = axis,
                             .block = block,
                             .output = view_of(small, shape)});
    dequantize(DequantizeArgs<Q>{.input = view_of(small, shape),
                                 .scale = view_of(scale, scale_shape),
                                 .zero = zero.data(),
                                 .axis = axis,
                                 .block = block,
                                 .output = view_of(back, shape)});
    for (std::size_t k = 0; k < real.size(); ++k) {
      auto at = coordinates(shape, static_cast<std::int64_t>(k));
      const auto along = static_cast<std::size_t>(axis);
      std::size_t parameter = 0;
      if (form == 1) parameter = static_cast<std::size_t>(at[along]);
      if (form == 2) {
        at[along] /= block;
        parameter = broadcast_place(scale_shape, at);
      }
      const double exact = std::nearbyint(real[k] / scale[parameter]) + static_cast<double>(zero[parameter]);
      const double limited = std::clamp(exact, static_cast<double>(std::numeric_limits<Q>::min()),
                                        static_cast<double>(std::numeric_limits<Q>::max()));
      ASSERT_EQ(static_cast<double>(small[k]), limited);
      ASSERT_EQ(back[k], static_cast<float>(small[k] - zero[parameter]) * scale[parameter]);
    }
  }
}

TEST(ReferenceQuantize, FindsTheParametersOfEachElement) {
  check_parameters<std::uint8_t>(51);
  check_parameters<std::int8_t>(52);
  check_parameters<std::uint16_t>(53);
  check_parameters<std::int16_t>(54);
}

TEST(ReferenceDequantize, Of32Bits) {
  const std::vector<std::int32_t> input = {std::numeric_limits<std::int32_t>::min(), 6};
  const std::vector<float> scale = {0.5f};
  const std::vector<std::int32_t> zero = {0};
  std::vector<float> output(2);
  dequantize(DequantizeArgs<std::int32_t>{.input = view_of(input, {2}),
                                          .scale = view_of(scale, Shape{}),
                                          .zero = zero.data(),
                                          .output = view_of(output, {2})});
  EXPECT_EQ(output, (std::vector<float>{-1073741824.0f, 3}));
}

TEST(ReferenceDynamicQuantize, WidensTheRangeToHoldZero) {
  struct Case {
    const char* why;
    std::vector<float> input;
    float scale;
    int zero;
    std::vector<int> expected;
  };
  // The first three from ONNX's documentation of the operator.
  const Case cases[] = {
      {"both signs", {0, 2, -3, -2.5f, 1.34f, 0.5f}, 0.019607844f, 153, {153, 255, 0, 26, 221, 179}},
      {"negative only", {-1, -2.1f, -1.3f, -2.5f, -3.34f, -4}, 0.015686275f, 255, {191, 121, 172, 96, 42, 0}},
      {"positive only", {1, 2.1f, 1.3f, 2.5f, 3.34f, 4}, 0.015686275f, 0, {64, 134, 83, 159, 213, 255}},
      {"nothing but zeros", {0, 0}, 1, 0, {0, 0}},
      {"no element", {}, 1, 0, {}},
  };
  for (const Case& test : cases) {
    const Shape shape{static_cast<std::int64_t>(test.input.size())};
    auto output = filled<std::uint8_t>(shape);
    float scale = 0;
    std::uint8_t zero = 9;
    dynamic_quantize(
        {.input = view_of(test.input, shape), .output = view_of(output, shape), .scale = &scale, .zero = &zero});
    EXPECT_FLOAT_EQ(scale, test.scale) << test.why;
    EXPECT_EQ(zero, test.zero) << test.why;
    EXPECT_EQ(std::vector<int>(output.begin(), output.end()), test.expected) << test.why;
  }
}

}  // namespace
}  // namespace sepal::reference
