#include "sepal/kernels/separable.h"

#include <algorithm>

namespace sepal {

void separable(const SeparableArgs& args, Range rows) noexcept {
  const Shape& between = args.depthwise.output.shape;
  const std::int64_t image_rows = between.h();
  const std::int64_t width = between.w();
  DepthwiseArgs depthwise_args = args.depthwise;
  PointwiseArgs pointwise_args = args.pointwise;
  depthwise_args.output.data = args.room;
  pointwise_args.input = args.room;
  for (std::int64_t begin = rows.begin; begin < rows.end;) {
    // Within one image, whose last rows would else be torn from their pairs.
    const std::int64_t image_end = (begin / image_rows + 1) * image_rows;
    const std::int64_t end = std::min({begin + args.rows_at_once, rows.end, image_end});
    depthwise_args.first_row = begin;
    depthwise(depthwise_args, {begin, end});
    const std::int64_t place = begin * width * args.pointwise.output_pitch;
    pointwise_args.output = args.pointwise.output + place;
    pointwise_args.addend = args.pointwise.addend == nullptr ? nullptr : args.pointwise.addend + place;
    pointwise_args.ahead = end == rows.end ? args.pointwise.ahead : args.pointwise.packed;
    pointwise(pointwise_args, {0, (end - begin) * width});
    begin = end;
  }
}

}  // namespace sepal
