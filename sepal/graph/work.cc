#include "sepal/graph/work.h"

#include <algorithm>
#include <limits>

#include "sepal/base/checked.h"
#include "sepal/base/visit.h"

namespace sepal {
namespace {

std::int64_t times(std::int64_t a, std::int64_t b) {
  return checked_multiply(a, b).value_or(std::numeric_limits<std::int64_t>::max());
}

std::int64_t elements(std::span<const TensorType> types) {
  std::int64_t sum = 0;
  for (const TensorType& type : types) {
    sum = checked_add(sum, type.shape.elements()).value_or(std::numeric_limits<std::int64_t>::max());
  }
  return sum;
}

}  // namespace

std::int64_t work_of(const Op& op, std::span<const TensorType> inputs, std::span<const TensorType> outputs) {
  const std::int64_t moved = std::max(elements(inputs), elements(outputs));
  const auto shape = [&](std::size_t i) -> const Shape& { return inputs[i].shape; };
  const std::int64_t written = outputs.empty() ? 0 : outputs[0].shape.elements();
  const auto convolve = [&](std::size_t filter) {
    return std::max(moved, times(written, shape(filter).elements(1, 4)));
  };
  const auto multiply = [&](std::int64_t k) { return std::max(moved, times(written, k)); };
  const auto last = [&](std::size_t i) { return shape(i)[shape(i).rank() - 1]; };
  return std::visit(
      Overload{
          [&](const Conv2d&) { return convolve(1); }, [&](const IntegerConv2d&) { return convolve(1); },
          [&](const QuantizedConv2d&) { return convolve(3); },
          [&](const ConvTranspose2d&) { return std::max(moved, times(shape(0).elements(), shape(1).elements(1, 4))); },
          [&](const MatMul&) { return multiply(last(0)); }, [&](const IntegerMatMul&) { return multiply(last(0)); },
          [&](const QuantizedMatMul&) { return multiply(last(0)); },
          [&](const Gemm& gemm) { return multiply(shape(0)[gemm.transpose_a ? 0 : 1]); },
          [&](const Pool& pool) {
            const Extent& kernel = pool.window.kernel;
            return multiply(times(std::min(kernel.h, shape(0).h()), std::min(kernel.w, shape(0).w())));
          },
          [&](const LocalResponseNorm& norm) { return multiply(std::min(norm.size, last(0))); },
          [&](const TrainingConv2d&) { return convolve(1); },
          [&](const Conv2dGradient& conv) {
            return std::max(moved, times(times(2, shape(conv.read.on ? 6 : 2).elements()), shape(1).elements(1, 4)));
          },
          [&](const PoolGradient& pool) {
            return std::max(moved, times(shape(1).elements(), times(pool.window.kernel.h, pool.window.kernel.w)));
          },
          [&](const ResizeGradient&) { return times(moved, 16); },
          // Up to 4 x 4 neighbours of an image, or all that lie under a widened filter.
          [&](const Resize& resize) { return times(moved, resize.how.mode == ResizeMode::kNearest ? 1 : 16); },
          [&](const auto&) { return moved; }},
      op);
}

}  // namespace sepal
