#pragma once

#include <cstdint>

#include "sepal/graph/training_op.h"
#include "sepal/kernels/training.h"
#include "sepal/plan/frame.h"
#include "sepal/plan/select.h"

namespace sepal {

// What the rows for training share: room for coefficients, packed weights and partial sums, which belong to one run.

/// Places for arrays of floats one after another, each on a cache line with a vector's slack after it. First without
/// memory, to be told its size, then over the memory, in the same order.
class Room {
 public:
  explicit Room(std::byte* memory = nullptr) : memory_(reinterpret_cast<float*>(memory)) {}

  float* take(std::int64_t floats) {
    float* const place = memory_ == nullptr ? &nowhere_ : memory_ + floats_;
    floats_ += (floats + 2 * kLine - 1) / kLine * kLine;
    return place;
  }
  std::size_t bytes() const { return static_cast<std::size_t>(floats_) * sizeof(float); }

 private:
  static constexpr std::int64_t kLine = 16;
  static inline float nowhere_ = 0;  ///< what is there stays different from what is not, without memory, too
  float* memory_;
  std::int64_t floats_ = 0;
};

/// Bytes of room for so many floats of a thread's own.
inline std::size_t room_bytes(std::int64_t floats) {
  Room room;
  room.take(floats);
  return room.bytes();
}

inline const float* values(const Frame& frame, const Step& step, std::size_t input) {
  return frame.view<float>(step.inputs[input]).data;
}
inline float* results(const Frame& frame, const Step& step, std::size_t output) {
  return frame.output<float>(step.outputs[output]).data;
}

/// scale, bias, mean, variance from input `first` on.
inline BatchNormArgs batch_norm_args(const Frame& frame, const Step& step, std::size_t first, float epsilon) {
  return {values(frame, step, first), values(frame, step, first + 1), values(frame, step, first + 2),
          values(frame, step, first + 3), epsilon};
}

/// Values to a block of rows in the elementwise passes over a batch.
inline constexpr std::int64_t kRowBlock = 1 << 14;

/// Rows [rows, channels] in blocks of about kRowBlock values.
struct RowDivision {
  std::int64_t rows;
  std::int64_t channels;
  std::int64_t block;  ///< rows
  std::int64_t blocks;

  explicit RowDivision(const Shape& shape)
      : rows(shape.elements(0, shape.rank() - 1)),
        channels(shape[shape.rank() - 1]),
        block(std::max<std::int64_t>(kRowBlock / std::max<std::int64_t>(channels, 1), 1)),
        blocks((rows + block - 1) / block) {}
  Range of(std::int64_t index) const { return {index * block, std::min(rows, (index + 1) * block)}; }
};

// training_conv.cc
void size_training_conv(const Site& site, Step& step);
void run_training_conv(const Step& step, const Frame& frame) noexcept;

// training_conv_gradient.cc
void size_conv_gradient(const Site& site, Step& step);
void run_conv_gradient(const Step& step, const Frame& frame) noexcept;

}  // namespace sepal
