#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sepal/graph/graph.h"
#include "sepal/tensor/tensor.h"

namespace sepal {

struct Frame;

/// Where a value lies while the plan runs.
struct Operand {
  enum class Place : std::uint8_t { kWorkspace, kConstant, kInput, kOutput };
  Place place = Place::kWorkspace;
  std::size_t index = 0;  ///< workspace: offset in bytes; else: which constant, input or output
  TensorType type{};
};

/// One of several convolutions that a step computes one after another.
struct Stage {
  Conv2d conv;
  Shape filter;                ///< [co, kh, kw, ci / groups]
  Shape output;                ///< [n, h', w', co]
  std::int64_t packed = 0;     ///< where its weights begin in Step::packed, in floats
  std::int64_t ring_rows = 0;  ///< rows of the output that are kept, all but the last stage
  std::int64_t ring = 0;       ///< where they begin in a thread's room, in floats
};

/// One kernel at work. A plan is data: a step names its kernel, its operands and its packed weights, and
/// `run` is the plain function that hands them over.
struct Step {
  std::string kernel;  ///< "pointwise f32, add", "reference" ...: the row of the table in select.cc, and what besides
  std::string node;    ///< the node's name in the graph, or its operator's where it has none; of stages "a + b"
  Op op;               ///< the last one's
  std::vector<Operand> inputs{};
  std::vector<Operand> outputs{};
  std::shared_ptr<const AlignedBytes> packed{};  ///< weights as the kernel wants them, or null
  bool in_place = false;                         ///< the output takes the memory of an input
  bool adds = false;                             ///< the last input is added to the result, before the activation
  std::size_t gate = 0;                          ///< the input that the first is multiplied by; 0: none
  const float* ahead = nullptr;                  ///< packed weights that the next product wants: asked for meanwhile
  std::int64_t work = 0;                         ///< work_of the node: what is worth sharing among threads
  std::size_t room = 0;                          ///< bytes that each thread needs besides
  std::size_t shared_room = 0;                   ///< bytes that all of them need together
  std::vector<std::size_t> nodes{};              ///< indices in Graph::nodes() of what the step computes
  std::vector<Stage> stages{};                   ///< of a step of several convolutions: one after another
  std::int64_t rows_at_once = 0;                 ///< of such a step: output rows that are computed in one go
  void (*run)(const Step& step, const Frame& frame) noexcept = nullptr;
};

/// Memory of one run at a time; make one a thread and use it again and again.
class Workspace {
 public:
  /// Throws Error(kMemory) if there is not enough.
  explicit Workspace(std::size_t bytes) : memory_(bytes) {}
  std::byte* data() const noexcept { return memory_.data(); }

 private:
  AlignedBytes memory_;
};

/// Bytes of the data caches that one core sees; shared ones as a whole.
struct CacheSizes {
  std::int64_t l2 = 1 << 20;
  std::int64_t l3 = 32 << 20;  ///< l2's where there is no third level
  friend bool operator==(const CacheSizes&, const CacheSizes&) = default;
};
/// This machine's.
CacheSizes cache_sizes();

/// Convolutions that one step computes: indices in Graph::nodes(), each reading the one before.
struct Fused {
  std::vector<std::size_t> nodes;
  std::int64_t rows_at_once = 2;  ///< of the last one's output
  friend bool operator==(const Fused&, const Fused&) = default;
};

struct PlanOptions {
  int threads = 1;
  std::size_t memory_limit = 0;               ///< most bytes of activations and outputs; 0: no limit
  bool reference_only = false;                ///< every step by the reference kernels: the oracle of whole networks
  bool fuse = true;                           ///< one step may compute several nodes
  std::optional<CacheSizes> caches{};         ///< what fusion is ranked by; this machine's where not given
  std::optional<std::vector<Fused>> fused{};  ///< in the place of what the ranking finds (plan/tuned.h)
};

/// Bytes of activations, inputs and outputs included, that a Plan of this graph would take; its weights are not read.
/// Throws as Plan does.
std::size_t planned_bytes(const Graph& graph, const PlanOptions& options);

/// A graph made ready to run on this machine: a kernel for each node, weights packed, every activation at an
/// offset of one workspace. Immutable; may be run from several threads, each with a workspace of its own.
class Plan {
 public:
  /// Throws Error(kInvalid) where options.fused are no chains of this graph, and with its figures if a node, or all
  /// together, would take more than the limit, or much more than the constants that it hangs on; Error(kUnsupported)
  /// that lists all nodes without a kernel.
  Plan(const Graph& graph, const PlanOptions& options);

  /// Runs the network. inputs and outputs are those of the graph, in its order, with its types and shapes;
  /// kSlack bytes after each must be readable (a Tensor has them). Allocates nothing; results depend on plan and
  /// inputs, never on the number of threads.
  void run(const Workspace& workspace, std::span<const ConstBuffer> inputs,
           std::span<const Buffer> outputs) const noexcept;

  /// The same for step `index` alone, after those before it: for timing each by itself.
  void run_step(std::size_t index, const Workspace& workspace, std::span<const ConstBuffer> inputs,
                std::span<const Buffer> outputs) const noexcept;

  std::span<const Step> steps() const { return steps_; }
  std::size_t workspace_bytes() const { return workspace_bytes_; }
  /// Sum of all activations, each with memory of its own: what planning saves is the difference.
  std::size_t activation_bytes() const { return activation_bytes_; }
  /// Bytes of packed weights and of constants that steps read as they are.
  std::size_t weight_bytes() const { return weight_bytes_; }
  int threads() const { return threads_; }

 private:
  Frame frame(const Workspace& workspace, std::span<const ConstBuffer> inputs,
              std::span<const Buffer> outputs) const noexcept;
  void look_ahead();

  std::vector<Step> steps_;
  std::vector<Constant> constants_;
  std::size_t scratch_ = 0;  ///< offset in the workspace
  std::size_t rooms_ = 0;    ///< the same of the threads' rooms
  std::size_t shared_ = 0;   ///< the same of what they share
  std::size_t workspace_bytes_ = 0;
  std::size_t activation_bytes_ = 0;
  std::size_t weight_bytes_ = 0;
  int threads_ = 1;
};

}  // namespace sepal
