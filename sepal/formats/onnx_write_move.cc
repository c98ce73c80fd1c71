// Operators that copy, cut, join, repeat and resize. Their numbers become inputs, as ONNX has it.

#include <algorithm>
#include <cmath>
#include <optional>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_write_node.h"

namespace sepal::onnx {
namespace {

std::size_t at(int axis) { return static_cast<std::size_t>(axis); }

std::string_view word(PadMode mode) {
  switch (mode) {
    case PadMode::kConstant:
      return "constant";
    case PadMode::kReflect:
      return "reflect";
    case PadMode::kEdge:
      return "edge";
    case PadMode::kWrap:
      break;
  }
  return "wrap";
}

std::string_view word(ResizeMode mode) {
  switch (mode) {
    case ResizeMode::kNearest:
      return "nearest";
    case ResizeMode::kLinear:
      return "linear";
    case ResizeMode::kCubic:
      break;
  }
  return "cubic";
}

std::string_view word(ResizeNearest mode) {
  switch (mode) {
    case ResizeNearest::kRoundPreferFloor:
      return "round_prefer_floor";
    case ResizeNearest::kRoundPreferCeil:
      return "round_prefer_ceil";
    case ResizeNearest::kFloor:
      return "floor";
    case ResizeNearest::kCeil:
      break;
  }
  return "ceil";
}

std::string_view word(ResizeCoordinate mode) {
  switch (mode) {
    case ResizeCoordinate::kHalfPixel:
      return "half_pixel";
    case ResizeCoordinate::kHalfPixelSymmetric:
      return "half_pixel_symmetric";
    case ResizeCoordinate::kPytorchHalfPixel:
      return "pytorch_half_pixel";
    case ResizeCoordinate::kAlignCorners:
      return "align_corners";
    case ResizeCoordinate::kAsymmetric:
      return "asymmetric";
    case ResizeCoordinate::kTfCropAndResize:
      return "tf_crop_and_resize";
    case ResizeCoordinate::kTfHalfPixelForNearest:
      break;
  }
  return "tf_half_pixel_for_nn";
}

}  // namespace

ResizeForm resize_form(const Resize& op, const Shape& x) {
  const Resample& how = op.how;
  const bool crops = how.coordinate == ResizeCoordinate::kTfCropAndResize;
  bool by_scales = true, by_sizes = true, by_aspect = true, gives_scale = false;
  std::optional<float> common;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const float scale = how.scales[at(axis)];
    const auto length = static_cast<float>(x[axis]);
    const auto size = static_cast<float>(op.size[axis]);
    const float part = crops ? how.roi_end[at(axis)] - how.roi_start[at(axis)] : 1;
    const float ratio = length == 0 || size == 0 ? 1 : size / length;
    by_scales = by_scales && std::floor(length * (part * scale)) == size;
    by_sizes = by_sizes && ratio == scale;
    if (scale == 1 && size == length) continue;
    by_aspect = by_aspect && scale == common.value_or(scale) && std::floor(length * scale + 0.5f) == size;
    gives_scale = gives_scale || ratio == scale;
    common = scale;
  }
  if (by_scales) return ResizeForm::kScales;
  if (by_sizes) return ResizeForm::kSizes;
  return by_aspect && gives_scale ? ResizeForm::kAspect : ResizeForm::kNone;
}

void NodeLowering::write(const Resize& op) {
  const Shape& x = shape(0);
  const Resample& how = op.how;
  const Resample usual;
  Attributes attributes = Attributes()
                              .text("coordinate_transformation_mode", word(how.coordinate))
                              .text("mode", word(how.mode))
                              .text("nearest_mode", word(how.nearest));
  if (how.cubic_a != usual.cubic_a) attributes = std::move(attributes).real("cubic_coeff_a", how.cubic_a);
  if (how.exclude_outside) attributes = std::move(attributes).integer("exclude_outside", 1);
  if (how.antialias) attributes = std::move(attributes).integer("antialias", 1);
  if (how.extrapolation != usual.extrapolation)
    attributes = std::move(attributes).real("extrapolation_value", how.extrapolation);
  Wire region = kNoWire;
  const auto floats = [&](const std::vector<float>& values, std::string_view name) {
    return to_.constant(Tensor::of<float>({std::ssize(values)}, values), part(name));
  };
  if (how.coordinate == ResizeCoordinate::kTfCropAndResize) {
    std::vector<float> ends = per_axis(how.roi_start);
    std::ranges::copy(per_axis(how.roi_end), std::back_inserter(ends));
    region = floats(ends, "roi");
  }
  switch (resize_form(op, x)) {
    case ResizeForm::kScales:
      return give_all("Resize", {ordered(0), region, floats(per_axis(how.scales), "scales")}, std::move(attributes));
    case ResizeForm::kSizes:
      return give_all("Resize", {ordered(0), region, kNoWire, to_.integers(per_axis(op.size), part("sizes"))},
                      std::move(attributes));
    case ResizeForm::kAspect:
      break;
    case ResizeForm::kNone:
      fail(ErrorKind::kUnsupported, "a resize of {} to {} by other scales has no ONNX form", to_string(x),
           to_string(op.size));
  }
  // One scale for some axes, and sizes rounded from it: the axis that gave the scale keeps its size, the
  // others ask for more than that scale gives.
  std::vector<std::int64_t> axes, sizes;
  for (int i = 0; i < x.rank(); ++i) {
    const float scale = how.scales[at(i)];
    if (scale == 1 && x[i] == op.size[i]) continue;
    const bool gives = static_cast<float>(op.size[i]) / static_cast<float>(x[i]) == scale;
    axes.push_back(axis(i));
    sizes.push_back(gives ? op.size[i] : op.size[i] + 1);
  }
  give_all("Resize", {ordered(0), region, kNoWire, to_.integers(sizes, part("sizes"))},
           std::move(attributes).integers("axes", axes).text("keep_aspect_ratio_policy", "not_larger"));
}

void NodeLowering::write(const Reshape& op) {
  const Shape& x = shape(0);
  // Where the channels pass only axes of length 1, both orders hold the same elements in a row.
  const bool same = x.rank() > 2 && (x[x.rank() - 1] == 1 || x.elements(1, x.rank() - 1) == 1);
  const bool first = same && !to_.has(value(0), Order::kOwn);
  const std::vector<std::int64_t> dims(op.shape.begin(), op.shape.end());
  const bool zero = std::ranges::find(dims, 0) != dims.end();
  give_all("Reshape", {first ? to_.wire(value(0), Order::kFirst, {}) : own(0), to_.integers(dims, part("shape"))},
           zero ? Attributes().integer("allowzero", 1) : Attributes());
}

// A transpose that a reader put in for an image operator has no name, and says only which wire of one value is
// which wire of the other. One with a name was in the file, and is written, except where image operators alone
// read it, which happens in optimised graphs only. (For three axes, to the front and to the back is the same
// permutation; which is meant shows in what is there already.)
void NodeLowering::write(const Transpose& op) {
  const ValueId x = value(0);
  const ValueId y = node_.outputs[0];
  const bool own = to_.has(x, Order::kOwn);
  const bool first = !graph().is_constant(x) && to_.has(x, Order::kFirst);
  const bool undoes = first && op.permutation == channels_first(rank());
  if (undoes && !own) return to_.give(y, Order::kOwn, to_.wire(x, Order::kFirst, {}));
  if (rank() > 2 && op.permutation == channels_last(rank())) {
    to_.give(y, Order::kFirst, this->own(0));
    if (node_.name.empty() || to_.only_images_read(y)) return;
  }
  if (undoes && node_.name.empty()) return to_.give(y, Order::kOwn, to_.wire(x, Order::kFirst, {}));
  const Permutation rest = own ? op.permutation : channels_last(rank()).then(op.permutation);
  const Wire input = to_.wire(x, own ? Order::kOwn : Order::kFirst, part("0"));
  const std::vector<std::int64_t> axes(rest.axes.begin(), rest.axes.begin() + rest.rank);
  to_.give(y, Order::kOwn, add("Transpose", {input}, Attributes().integers("perm", axes)));
}

void NodeLowering::write(const Concat& op) {
  std::vector<Wire> inputs;
  for (int i = 0; i < input_count(); ++i) inputs.push_back(ordered(i));
  give_all("Concat", std::move(inputs), Attributes().integer("axis", axis(op.axis)));
}

void NodeLowering::write(const Slice& op) {
  const Shape& x = shape(0);
  std::vector<std::int64_t> starts, ends, axes, steps;
  for (int i = 0; i < x.rank(); ++i) {
    const std::int64_t start = op.start[at(i)];
    const std::int64_t step = op.step[at(i)];
    const std::int64_t size = op.size[i];
    if (start == 0 && step == 1 && size == x[i] && !(axes.empty() && i == x.rank() - 1)) continue;
    const std::int64_t last = start + step * std::max<std::int64_t>(size - 1, 0);
    starts.push_back(start);
    // One past the last element; before the first that is nowhere, since -1 counts from the end.
    ends.push_back(size == 0 ? start : step > 0 ? last + 1 : last > 0 ? last - 1 : -x[i] - 1);
    axes.push_back(axis(i));
    steps.push_back(step);
  }
  give_all("Slice",
           {ordered(0), to_.integers(starts, part("starts")), to_.integers(ends, part("ends")),
            to_.integers(axes, part("axes")), to_.integers(steps, part("steps"))},
           {});
}

void NodeLowering::write(const Pad& op) {
  std::vector<std::int64_t> pads = per_axis(op.before);
  std::ranges::copy(per_axis(op.after), std::back_inserter(pads));
  std::vector<Wire> inputs = {ordered(0), to_.integers(pads, part("pads"))};
  if (op.value != 0 || std::signbit(op.value)) inputs.push_back(scalar(op.value, element(0), "value"));
  give_all("Pad", std::move(inputs), Attributes().text("mode", word(op.mode)));
}

void NodeLowering::write(const Gather& op) { give_own("Gather", Attributes().integer("axis", op.axis)); }

void NodeLowering::write(const Expand& op) {
  const std::vector<std::int64_t> own(op.shape.begin(), op.shape.end());
  give_all("Expand", {ordered(0), to_.integers(order_ == Order::kOwn ? own : per_axis(op.shape), part("shape"))}, {});
}

void NodeLowering::write(const Tile& op) {
  give_all("Tile", {ordered(0), to_.integers(per_axis(op.repeats), part("repeats"))}, {});
}

}  // namespace sepal::onnx
