// From graph to plan, in three walks: choose a kernel a node and say which values share memory (a reshape is
// only another name; an elementwise function may overwrite what is not read again), place what is left in
// one workspace by lifetimes, and write down where each operand lies.

#include "sepal/plan/plan.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "sepal/base/checked.h"
#include "sepal/base/text.h"
#include "sepal/graph/work.h"
#include "sepal/machine/system.h"
#include "sepal/plan/chains.h"
#include "sepal/plan/conv_site.h"
#include "sepal/plan/frame.h"
#include "sepal/plan/fusion.h"
#include "sepal/plan/limits.h"
#include "sepal/plan/memory.h"
#include "sepal/plan/select.h"

namespace sepal {
namespace {

/// Bytes that one or more values share.
struct Storage {
  Operand::Place place = Operand::Place::kWorkspace;
  std::size_t index = 0;
  Lifetime life{};
};

void run_copy(const Step& step, const Frame& frame) noexcept {
  const std::size_t bytes = bytes_of(step.outputs[0].type);
  if (bytes > 0) std::memcpy(frame.write(step.outputs[0]), frame.read(step.inputs[0]), bytes);
}

/// Bytes that each thread needs for the step that needs the most, and all of them together.
struct Rooms {
  std::size_t each = 0;
  std::size_t shared = 0;

  explicit Rooms(std::span<const Step> steps) {
    for (const Step& step : steps) {
      each = std::max(each, step.room);
      shared = std::max(shared, step.shared_room);
    }
  }
  /// Nothing where that does not fit.
  std::optional<std::size_t> bytes(int threads) const {
    std::size_t all = 0;
    if (__builtin_mul_overflow(each, static_cast<std::size_t>(std::max(threads, 1)), &all)) return std::nullopt;
    return __builtin_add_overflow(all, shared, &all) ? std::nullopt : std::optional(all);
  }
};

class Planner {
 public:
  /// Without `pack` the weights are left alone and the plan cannot run: for its memory alone.
  Planner(const Graph& graph, const PlanOptions& options, bool pack = true)
      : graph_(graph),
        options_(options),
        pack_(pack),
        limits_(graph, options.memory_limit),
        storage_of_(graph.value_count(), kNone) {
    mark_live();
    share_ends();
    if (options.fuse && !options.reference_only) choose_fusions();
    for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
      if (!is_live(graph.nodes()[i])) continue;
      // In the graph's order, whatever step a node belongs to.
      limits_.count(graph.nodes()[i], name_of_node(graph.nodes()[i]));
      if (!taken_.contains(i)) visit(i);
    }
    if (!without_kernel_.empty()) {
      fail(ErrorKind::kUnsupported, "no kernel for {}", join(without_kernel_, ", "));
    }
    bind_outputs();
  }

  std::vector<Step> steps;
  std::vector<Constant> constants;
  std::size_t workspace_bytes = 0;
  std::size_t weight_bytes = 0;

  std::size_t activation_bytes() const { return limits_.activation_bytes(); }

  /// Places the workspace and tells the steps.
  void finish() {
    std::vector<Lifetime> lives;
    std::vector<Storage*> owners;
    for (Storage& storage : storages_) {
      if (storage.place != Operand::Place::kWorkspace) continue;
      lives.push_back(storage.life);
      owners.push_back(&storage);
    }
    Placement placement = place(lives);
    for (std::size_t i = 0; i < owners.size(); ++i) owners[i]->index = placement.offsets[i];
    workspace_bytes = placement.bytes;
    constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
    std::size_t all = Rooms(steps).bytes(options_.threads).value_or(kMost);
    if (__builtin_add_overflow(all, workspace_bytes, &all)) all = kMost;
    limits_.check_sum(all);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const auto bind = [&](std::span<const std::size_t> from, std::vector<Operand>& to) {
        for (std::size_t j = 0; j < from.size(); ++j) {
          const Storage& storage = storages_[from[j]];
          to[j].place = storage.place;
          to[j].index = storage.index;
        }
      };
      bind(inputs_of_[i], steps[i].inputs);
      bind(outputs_of_[i], steps[i].outputs);
    }
    count_weights();
  }

 private:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  std::size_t& storage_of(ValueId value) { return storage_of_[Graph::index(value)]; }

  void mark_live() {
    live_.resize(graph_.value_count());
    for (const Port& port : graph_.outputs()) live_[Graph::index(port.value)] = true;
    for (std::size_t i = graph_.nodes().size(); i-- > 0;) {
      const Node& node = graph_.nodes()[i];
      if (!is_live(node)) continue;
      for (const ValueId input : node.inputs) live_[Graph::index(input)] = true;
    }
  }

  bool is_live(const Node& node) const {
    return std::ranges::any_of(node.outputs, [&](ValueId output) { return live_[Graph::index(output)]; });
  }

  /// Readers of each storage: of the value that began it, and of the reshapes of it.
  void share_ends() {
    for (std::size_t i = 0; i < graph_.inputs().size(); ++i) {
      begin(graph_.inputs()[i].value, {.place = Operand::Place::kInput, .index = i});
    }
    // Roots: where a chain of reshapes begins.
    root_.resize(graph_.value_count());
    for (std::size_t i = 0; i < root_.size(); ++i) root_[i] = i;
    left_.assign(graph_.value_count(), 0);
    for (const Node& node : graph_.nodes()) {
      if (is_reshape(node)) root_[Graph::index(node.outputs[0])] = root_[Graph::index(node.inputs[0])];
    }
    for (const Node& node : graph_.nodes()) {
      if (is_reshape(node) || !is_live(node)) continue;
      for (const ValueId input : node.inputs) ++left_[root(input)];
    }
    for (const Port& port : graph_.outputs()) ++left_[root(port.value)];
  }

  static std::string name_of_node(const Node& node) {
    return printable(node.name.empty() ? name_of(node.op) : node.name);
  }
  static bool is_reshape(const Node& node) { return std::holds_alternative<Reshape>(node.op); }
  std::size_t root(ValueId value) const { return root_[Graph::index(value)]; }

  std::size_t begin(ValueId value, Storage storage) {
    storage.life.bytes = bytes_of(graph_.type(value));
    storages_.push_back(storage);
    return storage_of(value) = storages_.size() - 1;
  }

  std::size_t read(ValueId value) {
    if (graph_.is_constant(value)) {
      const Constant& constant = graph_.constant(value);
      const auto [found, fresh] = constant_storage_.emplace(constant.get(), storages_.size());
      if (fresh) {
        begin(value, {.place = Operand::Place::kConstant, .index = constants.size()});
        constants.push_back(constant);
      }
      return storage_of(value) = found->second;
    }
    const std::size_t storage = storage_of(value);
    storages_[storage].life.last = steps.size();
    return storage;
  }

  /// Keeps those fusions whose convolution has a kernel that adds.
  void choose_fusions() {
    find_additions(graph_, fusions_);
    std::erase_if(fusions_, [&](const auto& entry) {
      const Node& node = graph_.nodes()[entry.first];
      const Candidate* candidate = is_live(node) ? select({graph_, node}, false) : nullptr;
      return candidate == nullptr || !candidate->adds;
    });
    find_gates(graph_, fusions_);
    add_cascades(
        graph_,
        options_.fused ? *options_.fused : ranked(graph_, options_.caches.value_or(cache_sizes()), options_.threads),
        fusions_);
    for (const auto& [node, fusion] : fusions_) taken_.insert(fusion.nodes.begin(), fusion.nodes.end());
  }

  void visit(std::size_t index) {
    const Node& node = graph_.nodes()[index];
    const std::string name = name_of_node(node);
    if (is_reshape(node)) {
      storage_of(node.outputs[0]) = read(node.inputs[0]);
      return;
    }
    const Site site{graph_, node};
    const Candidate* candidate = select(site, options_.reference_only);
    if (candidate == nullptr) {
      without_kernel_.push_back(format("{} ({} of {})", name, name_of(node.op), to_string(site.input(0))));
      return;
    }
    Step step{.kernel = std::string(candidate->name), .node = name, .op = node.op};
    step.nodes = {index};
    step.work = work(node);
    step.run = candidate->run;
    if (candidate->size != nullptr) candidate->size(site, step);
    std::vector<ValueId> inputs = node.inputs;
    std::vector<ValueId> outputs = node.outputs;
    const auto found = fusions_.find(index);
    if (found != fusions_.end()) {
      fuse(found->second, *candidate, site, step, inputs);
      outputs = {found->second.output};
    } else if (candidate->prepare != nullptr && pack_) {
      candidate->prepare(site, step);
    }
    std::vector<std::size_t> from;
    for (const ValueId input : inputs) {
      from.push_back(read(input));
      --left_[root(input)];
      step.inputs.push_back({.type = graph_.type(input)});
    }
    std::vector<std::size_t> to;
    for (const ValueId output : outputs) {
      if (const auto over = overwritten(*candidate, site, step, inputs, output)) {
        step.in_place = true;
        storage_of(output) = *over;
        storages_[*over].life.last = steps.size();
        to.push_back(*over);
      } else {
        Storage fresh;
        fresh.life.first = fresh.life.last = steps.size();
        to.push_back(begin(output, fresh));
      }
      step.outputs.push_back({.type = graph_.type(output)});
    }
    add(std::move(step), std::move(from), std::move(to));
  }

  std::int64_t work(const Node& node) const {
    std::vector<TensorType> inputs;
    std::vector<TensorType> outputs;
    for (const ValueId input : node.inputs) inputs.push_back(graph_.type(input));
    for (const ValueId output : node.outputs) outputs.push_back(graph_.type(output));
    return work_of(node.op, inputs, outputs);
  }

  /// What the node's step does besides.
  void fuse(const Fusion& fusion, const Candidate& candidate, const Site& site, Step& step,
            std::vector<ValueId>& inputs) {
    for (const std::size_t taken : fusion.nodes) {
      step.work =
          checked_add(step.work, work(graph_.nodes()[taken])).value_or(std::numeric_limits<std::int64_t>::max());
    }
    step.nodes.insert(step.nodes.end(), fusion.nodes.begin(), fusion.nodes.end());
    std::get<Conv2d>(step.op).activation = fusion.activation;
    step.adds = fusion.addend.has_value();
    if (fusion.gated) step.room = gate_bytes(graph_.shape(fusion.gated->map));
    if (!fusion.before.empty()) {
      std::vector<std::size_t> nodes = fusion.before;
      nodes.push_back(step.nodes.front());
      std::vector<std::string> names;
      std::vector<ValueId> operands = {graph_.nodes()[nodes.front()].inputs[0]};
      for (const std::size_t node : nodes) {
        const std::vector<ValueId>& read = graph_.nodes()[node].inputs;
        operands.insert(operands.end(), read.begin() + 1, read.end());
        names.push_back(name_of_node(graph_.nodes()[node]));
      }
      inputs = std::move(operands);
      step.node = format("{}", join(names, " + "));
      step.run = run_cascade;
      step.rows_at_once = fusion.rows_at_once;
      prepare_cascade(graph_, nodes, pack_, step);
      step.kernel = name_of_cascade(step);
    } else if (candidate.prepare != nullptr && pack_) {
      candidate.prepare(site, step);
    }
    if (fusion.gated) {
      inputs[0] = fusion.gated->map;
      step.gate = inputs.size();
      inputs.push_back(fusion.gated->factors);
    }
    if (fusion.addend) inputs.push_back(*fusion.addend);
    if (fusion.gated) step.kernel += ", gate";
    if (fusion.addend) step.kernel += ", add";
  }

  /// The storage of an input that the output may take over: in the workspace, of the same bytes, and read by
  /// nobody later. Beyond the node's own inputs stands what is added to the result, value by value.
  std::optional<std::size_t> overwritten(const Candidate& candidate, const Site& site, const Step& step,
                                         std::span<const ValueId> inputs, ValueId output) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const ValueId input = inputs[i];
      const bool added = step.adds && i + 1 == inputs.size();
      const bool allowed = added || (candidate.in_place != nullptr && candidate.in_place(site, i));
      if (graph_.is_constant(input) || !allowed) continue;
      const std::size_t storage = storage_of(input);
      if (storages_[storage].place != Operand::Place::kWorkspace || left_[root(input)] != 0) continue;
      if (storages_[storage].life.bytes != bytes_of(graph_.type(output))) continue;
      // Another input may lie in the same bytes only if it is this very value, and read value by value as well.
      const bool shared =
          std::ranges::any_of(inputs, [&](ValueId other) { return other != input && storage_of(other) == storage; });
      const bool twice = added && std::ranges::count(inputs, input) > 1;
      if (!shared && !twice) return storage;
    }
    return std::nullopt;
  }

  void add(Step step, std::vector<std::size_t> from, std::vector<std::size_t> to) {
    steps.push_back(std::move(step));
    inputs_of_.push_back(std::move(from));
    outputs_of_.push_back(std::move(to));
  }

  /// Values that lie in the workspace are computed where the caller wants them; the rest is copied.
  void bind_outputs() {
    for (std::size_t i = 0; i < graph_.outputs().size(); ++i) {
      const ValueId value = graph_.outputs()[i].value;
      const std::size_t storage = read(value);
      if (storages_[storage].place == Operand::Place::kWorkspace) {
        storages_[storage].place = Operand::Place::kOutput;
        storages_[storage].index = i;
        continue;
      }
      Step step{.kernel = "copy", .node = "output " + printable(graph_.outputs()[i].name), .op = Unary{}};
      step.run = run_copy;
      step.inputs = {{.type = graph_.type(value)}};
      step.outputs = {{.type = graph_.type(value)}};
      Storage target{.place = Operand::Place::kOutput, .index = i};
      storages_.push_back(target);
      add(std::move(step), {storage}, {storages_.size() - 1});
    }
  }

  /// Packed weights, and the constants that steps without packed weights read.
  void count_weights() {
    std::set<std::size_t> read_as_they_are;
    for (const Step& step : steps) {
      if (step.packed != nullptr) weight_bytes += step.packed->size();
      for (const Operand& input : step.inputs) {
        if (input.place == Operand::Place::kConstant && step.packed == nullptr) read_as_they_are.insert(input.index);
      }
    }
    for (std::size_t i = 0; i < constants.size(); ++i) {
      if (read_as_they_are.contains(i))
        weight_bytes += constants[i]->bytes();
      else
        constants[i] = nullptr;  // packed: the plan needs the original no more
    }
  }

  const Graph& graph_;
  const PlanOptions& options_;
  bool pack_;
  MemoryLimits limits_;
  std::vector<std::size_t> storage_of_;  ///< by value
  std::vector<bool> live_;
  std::vector<std::size_t> root_;  ///< by value: the value at which its chain of reshapes begins
  std::vector<int> left_;          ///< by root: readers still to come
  std::vector<Storage> storages_;
  std::map<const Tensor*, std::size_t> constant_storage_;
  std::vector<std::vector<std::size_t>> inputs_of_;   ///< by step
  std::vector<std::vector<std::size_t>> outputs_of_;  ///< by step
  std::map<std::size_t, Fusion> fusions_;             ///< by the node that takes others along
  std::set<std::size_t> taken_;                       ///< nodes that are part of another's step
  std::vector<std::string> without_kernel_;
};

}  // namespace

CacheSizes cache_sizes() {
  static const CacheSizes sizes = [] {
    CacheSizes found;
    found.l3 = 0;
    for (const Cache& cache : caches()) {
      if (cache.level == 2) found.l2 = static_cast<std::int64_t>(cache.bytes);
      if (cache.level > 2) found.l3 = static_cast<std::int64_t>(cache.bytes);
    }
    found.l3 = std::max(found.l3, found.l2);
    return found;
  }();
  return sizes;
}

std::size_t planned_bytes(const Graph& graph, const PlanOptions& options) {
  Planner planner(graph, options, false);
  planner.finish();
  std::size_t bytes = planner.workspace_bytes + Rooms(planner.steps).bytes(options.threads).value_or(0);
  for (const Port& port : graph.inputs()) bytes += bytes_of(graph.type(port.value));
  for (const Port& port : graph.outputs()) bytes += bytes_of(graph.type(port.value));
  return bytes;
}

Plan::Plan(const Graph& graph, const PlanOptions& options) : threads_(std::max(options.threads, 1)) {
  Planner planner(graph, options);
  planner.finish();
  steps_ = std::move(planner.steps);
  look_ahead();
  constants_ = std::move(planner.constants);
  activation_bytes_ = planner.activation_bytes();
  weight_bytes_ = planner.weight_bytes;
  // Behind the activations, room for the operands of the step that has the most (see run_reference).
  std::size_t most = 0;
  for (const Step& step : steps_) most = std::max(most, step.inputs.size());
  scratch_ = planner.workspace_bytes + kSlack;
  rooms_ = (scratch_ + most * sizeof(ConstBuffer) + 63) / 64 * 64;
  const Rooms rooms(steps_);
  shared_ = rooms_ + rooms.each * static_cast<std::size_t>(threads_);
  workspace_bytes_ = rooms_ + rooms.bytes(threads_).value_or(0);
  if (threads_ > 1) ThreadPool::shared().reserve(threads_);
}

/// Tells every step what weights come after its own.
void Plan::look_ahead() {
  const float* next = nullptr;
  for (std::size_t i = steps_.size(); i-- > 0;) {
    steps_[i].ahead = next;
    if (steps_[i].packed != nullptr) next = reinterpret_cast<const float*>(steps_[i].packed->data());
  }
}

Frame Plan::frame(const Workspace& workspace, std::span<const ConstBuffer> inputs,
                  std::span<const Buffer> outputs) const noexcept {
  return {.workspace = workspace.data(),
          .constants = constants_,
          .inputs = inputs,
          .outputs = outputs,
          .threads = threads_,
          .scratch = reinterpret_cast<ConstBuffer*>(workspace.data() + scratch_),
          .rooms = workspace.data() + rooms_,
          .shared = workspace.data() + shared_};
}

void Plan::run(const Workspace& workspace, std::span<const ConstBuffer> inputs,
               std::span<const Buffer> outputs) const noexcept {
  const Frame all = frame(workspace, inputs, outputs);
  for (const Step& step : steps_) step.run(step, all);
}

void Plan::run_step(std::size_t index, const Workspace& workspace, std::span<const ConstBuffer> inputs,
                    std::span<const Buffer> outputs) const noexcept {
  steps_[index].run(steps_[index], frame(workspace, inputs, outputs));
}

}  // namespace sepal
