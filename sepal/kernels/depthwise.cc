#include "sepal/kernels/depthwise.h"

#include <algorithm>

#include "sepal/kernels/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/depthwise.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/depthwise_any-inl.h"
#include "sepal/kernels/depthwise_tile-inl.h"

// Vectors run over channels, tiles over neighbouring output columns; rows of taps above or below the image
// are clipped.
//
// Square kernels of 3 and 5 with stride 1 or 2 have tiles of their own (depthwise_tile-inl.h). Everything else
// (other sizes, dilation, depth multipliers) goes by depthwise_any-inl.h.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

alignas(64) constexpr float kZeros[kZeroLine] = {};

// Calls run<kernel, stride>() for windows that have tiles of their own; false for others.
template <typename Run>
bool with_fixed_window(const DepthwiseArgs& args, const Run& run) {
  const Window& window = args.window;
  const std::int64_t kernel = window.kernel.w;
  const std::int64_t stride = window.stride.w;
  if constexpr (kPlain) return false;  // nothing to gain without vectors, and much to compile
  if (args.input.shape.c() != args.output.shape.c() || window.dilation != Extent{1, 1} || window.kernel.h != kernel ||
      window.stride.h != stride) {
    return false;
  }
  if (kernel == 3 && stride == 1) return run.template operator()<3, 1>();
  if (kernel == 3 && stride == 2) return run.template operator()<3, 2>();
  if (kernel == 5 && stride == 1) return run.template operator()<5, 1>();
  if (kernel == 5 && stride == 2) return run.template operator()<5, 2>();
  return false;
}

FixedRows fixed_rows(const DepthwiseArgs& args, std::int64_t index, int lines) {
  const Shape& in = args.input.shape;
  const Shape& out = args.output.shape;
  FixedRows rows = {.lines = {},
                    .filter = args.filter,
                    .bias = args.bias == nullptr ? kZeros : args.bias,
                    .zeros = kZeros,
                    .output = args.output.data,
                    .panels = args.output_panels,
                    .pixel = (index - args.first_row) * out.w(),
                    .w = in.w(),
                    .channels = in.c(),
                    .padding = args.window.padding.left,
                    .columns = out.w(),
                    .epilogue = epilogue_of(args.activation)};
  const std::int64_t top = index % out.h() * args.window.stride.h - args.window.padding.top;
  for (int line = 0; line < lines; ++line) {
    const std::int64_t y = top + line;
    if (y >= 0 && y < in.h()) rows.lines[line] = args.input_row(index / out.h(), y);
  }
  return rows;
}

// One or two output rows (kRows) from `index` on by tiles of fixed size; false if none suits.
template <int kRows>
bool run_fixed(const DepthwiseArgs& args, std::int64_t index) {
  return with_fixed_window(args, [&]<int kKernel, int kStride>() {
    return run_fixed_rows<kKernel, kStride, kRows>(fixed_rows(args, index, (kRows - 1) * kStride + kKernel));
  });
}

bool accepts_fixed(const DepthwiseArgs& args) {
  return with_fixed_window(
      args, [&]<int kKernel, int kStride>() { return accepts_fixed_rows<kKernel, kStride>(fixed_rows(args, 0, 0)); });
}

// The output rows `rows` of one image.
void depthwise_rows(const DepthwiseArgs& args, Range rows) {
  for (std::int64_t index = rows.begin; index < rows.end;) {
    if (index + 1 < rows.end && run_fixed<2>(args, index)) {
      index += 2;
      continue;
    }
    if (!run_fixed<1>(args, index)) any_row(args, index);
    ++index;
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {
HWY_EXPORT(depthwise_rows);
HWY_EXPORT(accepts_fixed);
}  // namespace

void depthwise(const DepthwiseArgs& args, Range rows) noexcept {
  const Shape& out = args.output.shape;
  const std::int64_t floats = out.w() * out.c();
  for (std::int64_t begin = rows.begin; begin < rows.end;) {
    // Within one image; by pairs where another pass over the rows follows, so that it finds them in the cache.
    const std::int64_t image_end = (begin / out.h() + 1) * out.h();
    const bool finished = is_epilogue(args.activation);
    const std::int64_t end = std::min({rows.end, image_end, finished ? rows.end : begin + 2});
    HWY_DYNAMIC_DISPATCH(depthwise_rows)(args, Range{begin, end});
    if (!finished) {
      const Range written = {(begin - args.first_row) * floats, (end - args.first_row) * floats};
      unary(args.activation, args.output.data, args.output.data, written);
    }
    begin = end;
  }
}

bool fills_panels(const DepthwiseArgs& args) noexcept {
  return is_epilogue(args.activation) && HWY_DYNAMIC_DISPATCH(accepts_fixed)(args);
}

void pack_depthwise(const float* filter, std::int64_t channels, std::int64_t taps, float* packed) noexcept {
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    for (std::int64_t c = 0; c < channels; ++c) packed[tap * channels + c] = filter[c * taps + tap];
  }
}

}  // namespace sepal
#endif
