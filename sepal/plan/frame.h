#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "sepal/base/range.h"
#include "sepal/base/thread_pool.h"
#include "sepal/plan/plan.h"

namespace sepal {

/// What a step needs while it runs: where each place of an operand begins, and how many threads may share.
struct Frame {
  std::byte* workspace = nullptr;
  std::span<const Constant> constants;
  std::span<const ConstBuffer> inputs;
  std::span<const Buffer> outputs;
  int threads = 1;
  ConstBuffer* scratch = nullptr;  ///< room for the inputs of the step that has the most
  std::byte* rooms = nullptr;      ///< Step::room bytes for each thread, one after another
  std::byte* shared = nullptr;     ///< Step::shared_room bytes

  const void* read(const Operand& operand) const noexcept {
    switch (operand.place) {
      case Operand::Place::kConstant:
        return constants[operand.index]->data();
      case Operand::Place::kInput:
        return inputs[operand.index].data;
      case Operand::Place::kOutput:
        return outputs[operand.index].data;
      case Operand::Place::kWorkspace:
        break;
    }
    return workspace + operand.index;
  }
  /// Only workspace and outputs are written.
  void* write(const Operand& operand) const noexcept {
    return operand.place == Operand::Place::kOutput ? outputs[operand.index].data : workspace + operand.index;
  }
  /// What the step's share of a thread needs besides.
  float* room(const Step& step, int thread) const noexcept {
    return reinterpret_cast<float*>(rooms + static_cast<std::size_t>(thread) * step.room);
  }
  template <typename T>
  TensorView<const T> view(const Operand& operand) const noexcept {
    return {static_cast<const T*>(read(operand)), operand.type.shape};
  }
  template <typename T>
  TensorView<T> output(const Operand& operand) const noexcept {
    return {static_cast<T*>(write(operand)), operand.type.shape};
  }
};

/// Multiply-adds (or elements) below which a thread more costs more than it brings: about 20 us of work.
inline constexpr std::int64_t kWorkPerThread = 1 << 17;

/// Into how many parts `units` that are `work` together are divided.
inline std::int64_t parts_of(std::int64_t work, std::int64_t units, int threads) {
  return std::max<std::int64_t>(1, std::min({std::int64_t{threads}, units, work / kWorkPerThread}));
}

/// Divides `range` into as many parts as threads and work allow, and calls kernel(part, index) for each. Kernels
/// give the same bits in any division, so results do not depend on the number of threads.
template <typename Kernel>
void share_indexed(const Frame& frame, std::int64_t work, Range range, const Kernel& kernel) noexcept {
  const std::int64_t parts = parts_of(work, range.size(), frame.threads);
  if (parts == 1) return kernel(range, 0);
  ThreadPool::shared().run(static_cast<int>(parts), frame.threads,
                           [&](int index) { kernel(part(range, index, parts), index); });
}

/// The same for kernels that need no room of their own.
template <typename Kernel>
void share(const Frame& frame, std::int64_t work, Range range, const Kernel& kernel) noexcept {
  share_indexed(frame, work, range, [&](Range rows, int) { kernel(rows); });
}

}  // namespace sepal
