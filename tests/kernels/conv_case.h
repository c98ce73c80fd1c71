#pragma once

// Convolutions to try kernels on, and the plain double-precision sum that they are compared with.

#include <string>
#include <vector>

#include "sepal/tensor/elementwise.h"
#include "sepal/tensor/shape.h"
#include "sepal/tensor/window.h"
#include "tests/kernels/kernel_test.h"

namespace sepal {

struct ConvCase {
  std::string why;
  Shape input;  ///< [n, h, w, ci]
  std::int64_t co = 1;
  std::int64_t groups = 1;
  Window window;
  Unary activation = {};
  bool bias = true;

  std::int64_t terms() const { return window.kernel.h * window.kernel.w * (input.c() / groups); }
  Shape output() const {
    const Extent extent = output_extent({input.h(), input.w()}, window);
    return {input.n(), extent.h, extent.w, co};
  }
};

struct ConvData {
  std::vector<float> input;
  std::vector<float> filter;  ///< [co, kh, kw, ci / groups]
  std::vector<float> bias;    ///< [co]; empty if there is none

  ConvData(const ConvCase& test, Random& random)
      : input(random.values<float>(test.input.elements())),
        filter(random.values<float>(test.co * test.terms())),
        bias(random.values<float>(test.bias ? test.co : 0)) {}

  const float* bias_or_null() const { return bias.empty() ? nullptr : bias.data(); }
};

/// Every output as the definition says, with every tap looked at.
inline std::vector<Exact> convolve(const ConvCase& test, const ConvData& data) {
  const Shape& in = test.input;
  const Shape out = test.output();
  const Window& window = test.window;
  const std::int64_t depth = in.c() / test.groups;
  std::vector<Exact> result;
  for (std::int64_t n = 0; n < out.n(); ++n) {
    for (std::int64_t y = 0; y < out.h(); ++y) {
      for (std::int64_t x = 0; x < out.w(); ++x) {
        for (std::int64_t o = 0; o < out.c(); ++o) {
          Exact sum;
          if (test.bias) sum.value = static_cast<double>(data.bias[static_cast<std::size_t>(o)]);
          for (std::int64_t tap = 0; tap < window.kernel.h * window.kernel.w; ++tap) {
            const std::int64_t row =
                y * window.stride.h - window.padding.top + tap / window.kernel.w * window.dilation.h;
            const std::int64_t column =
                x * window.stride.w - window.padding.left + tap % window.kernel.w * window.dilation.w;
            if (row < 0 || row >= in.h() || column < 0 || column >= in.w()) continue;
            const std::int64_t pixel = ((n * in.h() + row) * in.w() + column) * in.c();
            const std::int64_t first = o / (out.c() / test.groups) * depth;
            for (std::int64_t c = 0; c < depth; ++c) {
              const auto value = static_cast<double>(data.input[static_cast<std::size_t>(pixel + first + c)]);
              const auto weight = static_cast<double>(
                  data.filter[static_cast<std::size_t>((o * window.kernel.h * window.kernel.w + tap) * depth + c)]);
              sum.value += value * weight;
              sum.magnitude += std::fabs(value * weight);
            }
          }
          sum.value = reference::apply(test.activation, sum.value);
          result.push_back(sum);
        }
      }
    }
  }
  return result;
}

/// A window that fits an image of random size from 1 x 1 on: kernel sides 1 to 7, strides and dilations 1 to
/// 3, uneven padding.
inline std::pair<Extent, Window> random_window(Random& random) {
  Window w;
  w.kernel = {random.whole(1, 7), random.whole(1, 7)};
  w.stride = {random.whole(1, 3), random.whole(1, 3)};
  w.dilation = {random.whole(1, 3), random.whole(1, 3)};
  w.padding = {random.whole(0, 3), random.whole(0, 3), random.whole(0, 3), random.whole(0, 3)};
  const Extent span = span_of(w);
  const std::int64_t least_h = std::max<std::int64_t>(1, span.h - w.padding.top - w.padding.bottom);
  const std::int64_t least_w = std::max<std::int64_t>(1, span.w - w.padding.left - w.padding.right);
  return {{least_h + random.whole(0, 5), least_w + random.whole(0, 20)}, w};
}

constexpr Unary kActivations[] = {{},
                                  {UnaryKind::kRelu},
                                  {UnaryKind::kClip, 0.0f, 0.5f},
                                  {UnaryKind::kLeakyRelu, 0.1f},
                                  {UnaryKind::kHardSwish},
                                  {UnaryKind::kHardSigmoid, 0.2f, 0.5f},
                                  {UnaryKind::kSigmoid},
                                  {UnaryKind::kSwish, 1.0f}};

inline Unary random_activation(Random& random) {
  return kActivations[static_cast<std::size_t>(
      random.whole(0, static_cast<std::int64_t>(std::size(kActivations)) - 1))];
}

inline std::string describe(const ConvCase& test) {
  const Window& w = test.window;
  return format("{}: input {}, co {}, groups {}, kernel {}x{}, stride {}x{}, dilation {}x{}, padding {} {} {} {}, {}",
                test.why, to_string(test.input), test.co, test.groups, w.kernel.h, w.kernel.w, w.stride.h, w.stride.w,
                w.dilation.h, w.dilation.w, w.padding.top, w.padding.left, w.padding.bottom, w.padding.right,
                name_of(test.activation.kind));
}

}  // namespace sepal
