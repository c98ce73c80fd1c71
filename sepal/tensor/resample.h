#pragma once

#include <array>
#include <cstdint>

#include "sepal/tensor/shape.h"

namespace sepal {

enum class PadMode : std::uint8_t { kConstant, kReflect, kEdge, kWrap };

enum class ResizeMode : std::uint8_t { kNearest, kLinear, kCubic };

/// Where an output coordinate lies in the input, as ONNX Resize names it.
enum class ResizeCoordinate : std::uint8_t {
  kHalfPixel,              ///< (x + 0.5) / scale - 0.5
  kHalfPixelSymmetric,     ///< half pixel about the centre of the image when the size was rounded
  kPytorchHalfPixel,       ///< as half pixel, 0 where the output has one element
  kAlignCorners,           ///< x (input - 1) / (output - 1)
  kAsymmetric,             ///< x / scale
  kTfCropAndResize,        ///< within the region of interest
  kTfHalfPixelForNearest,  ///< (x + 0.5) / scale, of opset 11 only
};

enum class ResizeNearest : std::uint8_t { kRoundPreferFloor, kRoundPreferCeil, kFloor, kCeil };

/// How Resize samples; every axis by itself, so any rank and any axis order.
struct Resample {
  ResizeMode mode = ResizeMode::kNearest;
  ResizeCoordinate coordinate = ResizeCoordinate::kHalfPixel;
  ResizeNearest nearest = ResizeNearest::kRoundPreferFloor;
  float cubic_a = -0.75f;
  bool exclude_outside = false;
  bool antialias = false;
  float extrapolation = 0;                                         ///< outside the image, kTfCropAndResize only
  std::array<float, Shape::kMaxRank> scales = {1, 1, 1, 1, 1, 1};  ///< output / input, per axis
  std::array<float, Shape::kMaxRank> roi_start{};                  ///< per axis, 0..1, kTfCropAndResize only
  std::array<float, Shape::kMaxRank> roi_end = {1, 1, 1, 1, 1, 1};
  friend bool operator==(const Resample&, const Resample&) = default;
};

}  // namespace sepal
