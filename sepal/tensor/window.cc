#include "sepal/tensor/window.h"

#include "sepal/base/text.h"

namespace sepal {
namespace {

constexpr std::int64_t kLimit = std::int64_t{1} << 31;

struct Axis {
  const char* name;  ///< "rows" or "columns"
  std::int64_t input, kernel, stride, dilation, before, after;

  std::int64_t span() const { return dilation * (kernel - 1) + 1; }
  std::int64_t padded() const { return input + before + after; }
};

Axis rows(Extent input, const Window& w) {
  return {"rows", input.h, w.kernel.h, w.stride.h, w.dilation.h, w.padding.top, w.padding.bottom};
}
Axis columns(Extent input, const Window& w) {
  return {"columns", input.w, w.kernel.w, w.stride.w, w.dilation.w, w.padding.left, w.padding.right};
}

std::int64_t steps(const Axis& axis, bool ceil) {
  if (axis.span() > axis.padded()) {
    invalid("a kernel of {} with dilation {} spans {} {}, but the padded input has {}", axis.kernel, axis.dilation,
            axis.span(), axis.name, axis.padded());
  }
  const std::int64_t free = axis.padded() - axis.span();
  std::int64_t count = (free + (ceil ? axis.stride - 1 : 0)) / axis.stride + 1;
  if (ceil && (count - 1) * axis.stride >= axis.input + axis.before) --count;
  return count;
}

}  // namespace

Extent span_of(const Window& window) { return {rows({}, window).span(), columns({}, window).span()}; }

void check_window(const Window& window) {
  for (const Axis& axis : {rows({}, window), columns({}, window)}) {
    const auto check = [&](const char* what, std::int64_t value, std::int64_t least) {
      if (value >= least && value < kLimit) return;
      invalid("the {} {} is {}; at least {} and less than 2^31 is wanted", what, axis.name, value, least);
    };
    check("kernel over", axis.kernel, 1);
    check("stride over", axis.stride, 1);
    check("dilation over", axis.dilation, 1);
    check("padding before", axis.before, 0);
    check("padding after", axis.after, 0);
  }
}

Extent output_extent(Extent input, const Window& window) {
  check_window(window);
  return {steps(rows(input, window), false), steps(columns(input, window), false)};
}

Extent output_extent_ceil(Extent input, const Window& window) {
  check_window(window);
  return {steps(rows(input, window), true), steps(columns(input, window), true)};
}

}  // namespace sepal
