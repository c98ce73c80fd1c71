// Resize and its forerunner Upsample. Their many ways to say a size become one: the output's shape, and the
// scale per axis that places its elements in the input.

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_import.h"

namespace sepal::onnx {
namespace {

std::size_t at(int axis) { return static_cast<std::size_t>(axis); }

template <typename Kind>
struct Word {
  std::string_view word;
  Kind kind;
};

constexpr Word<ResizeMode> kModes[] = {
    {"nearest", ResizeMode::kNearest}, {"linear", ResizeMode::kLinear}, {"cubic", ResizeMode::kCubic}};

constexpr Word<ResizeNearest> kNearest[] = {{"round_prefer_floor", ResizeNearest::kRoundPreferFloor},
                                            {"round_prefer_ceil", ResizeNearest::kRoundPreferCeil},
                                            {"floor", ResizeNearest::kFloor},
                                            {"ceil", ResizeNearest::kCeil}};

constexpr Word<ResizeCoordinate> kCoordinates[] = {{"half_pixel", ResizeCoordinate::kHalfPixel},
                                                   {"half_pixel_symmetric", ResizeCoordinate::kHalfPixelSymmetric},
                                                   {"pytorch_half_pixel", ResizeCoordinate::kPytorchHalfPixel},
                                                   {"align_corners", ResizeCoordinate::kAlignCorners},
                                                   {"asymmetric", ResizeCoordinate::kAsymmetric},
                                                   {"tf_crop_and_resize", ResizeCoordinate::kTfCropAndResize},
                                                   {"tf_half_pixel_for_nn", ResizeCoordinate::kTfHalfPixelForNearest}};

template <typename Kind, std::size_t kCount>
Kind choose(const NodeImport& node, std::string_view attribute, std::string_view otherwise,
            const Word<Kind> (&words)[kCount]) {
  const std::string_view given = node.text(attribute, otherwise);
  for (const auto& [word, kind] : words) {
    if (word == given) return kind;
  }
  invalid("{} is \"{}\"", attribute, printable(given));
}

/// An input's numbers as floats; empty where it is left out or has none, which ONNX takes for the same.
std::vector<float> floats(const NodeImport& node, int input) {
  if (!node.has(input)) return {};
  const Tensor& tensor = node.constant(input);
  return visit_type(tensor.type(), [&]<typename T>() {
    std::vector<float> result;
    for (const T value : tensor.values<T>()) result.push_back(static_cast<float>(value));
    return result;
  });
}

void check_scale(float scale) {
  if (!(scale > 0) || !std::isfinite(scale)) invalid("a scale of {}", scale);
}

/// floor(length * scale), in single precision as everybody computes it.
std::int64_t scaled(std::int64_t length, float scale) {
  const float result = std::floor(static_cast<float>(length) * scale);
  if (!(result >= 0 && result < 0x1p59f)) invalid("{} elements scaled by {}", length, scale);
  return static_cast<std::int64_t>(result);
}

void set_scales(Resize& op, const Shape& x, const std::vector<float>& scales, const std::vector<int>& axes) {
  if (scales.size() != axes.size()) invalid("{} scales for {} axes", scales.size(), axes.size());
  const bool crop = op.how.coordinate == ResizeCoordinate::kTfCropAndResize;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    check_scale(scales[i]);
    const std::size_t axis = at(axes[i]);
    const float part = crop ? op.how.roi_end[axis] - op.how.roi_start[axis] : 1;
    op.how.scales[axis] = scales[i];
    op.size = op.size.with(axes[i], scaled(x[axes[i]], part * scales[i]));
  }
}

void set_sizes(Resize& op, const Shape& x, const std::vector<std::int64_t>& sizes, const std::vector<int>& axes,
               std::string_view policy) {
  if (sizes.size() != axes.size()) invalid("{} sizes for {} axes", sizes.size(), axes.size());
  if (policy != "stretch" && policy != "not_larger" && policy != "not_smaller") {
    invalid("keep_aspect_ratio_policy is \"{}\"", printable(policy));
  }
  std::vector<float> scales;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t length = x[axes[i]];
    if (sizes[i] < 0 || (length == 0 && sizes[i] != 0)) invalid("{} elements resized to {}", length, sizes[i]);
    // What has no elements keeps none, at any scale.
    scales.push_back(length == 0 || sizes[i] == 0 ? 1 : static_cast<float>(sizes[i]) / static_cast<float>(length));
  }
  const bool smaller = policy == "not_larger";
  const float common = scales.empty() ? 1
                       : smaller      ? *std::ranges::min_element(scales)
                                      : *std::ranges::max_element(scales);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (policy == "stretch") {
      op.how.scales[at(axes[i])] = scales[i];
      op.size = op.size.with(axes[i], sizes[i]);
    } else {
      op.how.scales[at(axes[i])] = common;
      op.size = op.size.with(axes[i], scaled(1, std::floor(static_cast<float>(x[axes[i]]) * common + 0.5f)));
    }
  }
}

/// Opsets before 11 leave open how the nearest is found. As ONNX Runtime has it: from x / scale, rounded
/// down where the image grows and up where it shrinks.
void set_old_sampling(Resize& op, const std::vector<float>& scales) {
  const bool shrinks = std::ranges::any_of(scales, [](float scale) { return scale < 1; });
  op.how.coordinate = ResizeCoordinate::kAsymmetric;
  op.how.nearest = shrinks ? ResizeNearest::kCeil : ResizeNearest::kFloor;
}

std::vector<int> all_axes(int rank) {
  std::vector<int> axes(at(rank));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

/// An operator that keeps the shape, yet.
Resize unchanged(const NodeImport& node) {
  Resize op;
  op.size = node.shape(0);
  op.how.mode = choose(node, "mode", "nearest", kModes);
  return op;
}

}  // namespace

void import_upsample(NodeImport& node) {
  Resize op = unchanged(node);
  const auto* attribute = node.reals("scales");
  if (node.opset() < 9 && attribute == nullptr) invalid("Upsample without scales");
  const std::vector<float> scales = node.opset() < 9 ? *attribute : floats(node, 1);
  set_old_sampling(op, scales);
  set_scales(op, node.shape(0), scales, all_axes(node.shape(0).rank()));
  node.give(node.add(op, {node.input(0)}));
}

void import_resize(NodeImport& node) {
  const Shape x = node.shape(0);
  Resize op = unchanged(node);
  std::vector<int> axes = all_axes(x.rank());
  if (node.opset() < 11) {
    const std::vector<float> scales = floats(node, 1);
    set_old_sampling(op, scales);
    set_scales(op, x, scales, axes);
    return node.give(node.add(op, {node.input(0)}));
  }
  op.how.coordinate = choose(node, "coordinate_transformation_mode", "half_pixel", kCoordinates);
  op.how.nearest = choose(node, "nearest_mode", "round_prefer_floor", kNearest);
  op.how.cubic_a = node.real("cubic_coeff_a", -0.75f);
  op.how.exclude_outside = node.flag("exclude_outside", false);
  op.how.antialias = node.flag("antialias", false);
  op.how.extrapolation = node.real("extrapolation_value", 0);
  if (const auto* given = node.integers("axes"); given != nullptr && !given->empty()) {
    axes.clear();
    for (const std::int64_t axis : *given) {
      axes.push_back(checked_axis(axis, x.rank()));
      if (std::ranges::count(axes, axes.back()) > 1) invalid("axes [{}] name one twice", join(*given, ", "));
    }
  }
  if (op.how.coordinate == ResizeCoordinate::kTfCropAndResize) {
    const std::vector<float> roi = floats(node, 1);
    if (roi.size() != 2 * axes.size()) invalid("a region of {} numbers for {} axes", roi.size(), axes.size());
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (!std::isfinite(roi[i]) || !std::isfinite(roi[i + axes.size()]))
        invalid("a region from {} to {}", roi[i], roi[i + axes.size()]);
      op.how.roi_start[at(axes[i])] = roi[i];
      op.how.roi_end[at(axes[i])] = roi[i + axes.size()];
    }
  }
  const std::vector<float> scales = floats(node, 2);
  if (!scales.empty()) {
    set_scales(op, x, scales, axes);
  } else if (node.has(3)) {
    set_sizes(op, x, node.integers(3), axes, node.text("keep_aspect_ratio_policy", "stretch"));
  } else {
    invalid("Resize with neither scales nor sizes");
  }
  node.give(node.add(op, {node.input(0)}));
}

}  // namespace sepal::onnx
