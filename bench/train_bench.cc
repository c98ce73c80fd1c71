// Times whole steps of training: forward pass, gradients and SGD with momentum, on random images and labels, and prints
// a line of JSON. The share of the peak takes a step for three forward passes' MACs, as is usual: gradients with
// respect to inputs and to filters cost a pass each.
//
//   train_bench NETWORK [--threads N] [--seconds S] [--by-kernel]
//
// for example train_bench mobilenet_v1:batch=16 --threads 2. --by-kernel also lists, on standard error, what each
// kernel of the plan takes together. scripts/bench_train_peers runs it beside PyTorch.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "bench/filled.h"
#include "sepal/base/text.h"
#include "sepal/graph/cost.h"
#include "sepal/kernels/target.h"
#include "sepal/machine/machine.h"
#include "sepal/plan/plan.h"
#include "sepal/train/step_graph.h"
#include "sepal/zoo/zoo.h"

namespace sepal {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kLeastSteps = 3;

struct Options {
  std::string network;
  int threads = 1;
  double seconds = 3;
  bool by_kernel = false;
};

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// The most memory that this process had resident, in KiB; 0 where the system does not tell.
long peak_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
  }
  return 0;
}

/// "training convolution f32, depthwise": the kernel, and of what kind of convolution.
std::string kind_of(const Step& step) {
  const bool convolution =
      std::holds_alternative<TrainingConv2d>(step.op) || std::holds_alternative<Conv2dGradient>(step.op);
  if (!convolution) return std::string(step.kernel);
  const Shape& filter = step.inputs[1].type.shape;
  const bool pointwise = filter.h() * filter.w() == 1;
  return format("{}, {}", step.kernel,
                filter.c() == 1 && filter.n() > 1 ? "depthwise"
                : pointwise                       ? "pointwise"
                                                  : "dense");
}

/// A planned step and its tensors.
class TrainingStep {
 public:
  TrainingStep(const StepGraph& step, int threads)
      : plan_(step.graph, {.threads = threads}), workspace_(plan_.workspace_bytes()) {
    const Graph& graph = step.graph;
    for (std::size_t i = 0; i < graph.inputs().size(); ++i) {
      const TensorType& type = graph.type(graph.inputs()[i].value);
      if (i >= StepGraph::kFirstSlotInput) {
        tensors_.push_back(step.slots[i - StepGraph::kFirstSlotInput].initial->copy());
      } else {
        tensors_.push_back(i == 0 ? filled(type.shape) : Tensor(type.type, type.shape));
      }
    }
    const Shape targets = tensors_[2].shape();
    for (std::int64_t i = 0; i < targets[0]; ++i) {
      tensors_[2].values<float>()[static_cast<std::size_t>(i * targets[1] + 7 * i % targets[1])] = 1;
    }
    tensors_[3].values<float>()[0] = 0.01f;
    results_.emplace_back(DataType::kF32, Shape{});
    results_.emplace_back(DataType::kF32, targets);
    for (const Tensor& tensor : tensors_) inputs_.push_back(tensor.buffer());
    for (Tensor& tensor : results_) outputs_.push_back(tensor.buffer());
    for (std::size_t i = StepGraph::kFirstSlotInput; i < tensors_.size(); ++i) outputs_.push_back(tensors_[i].buffer());
  }

  void run() const { plan_.run(workspace_, inputs_, outputs_); }
  float loss() const { return results_[0].values<float>()[0]; }
  std::size_t workspace_bytes() const { return plan_.workspace_bytes(); }

  /// Milliseconds of each kernel together, in one run.
  std::map<std::string, double> by_kernel() const {
    std::map<std::string, double> sums;
    for (std::size_t i = 0; i < plan_.steps().size(); ++i) {
      const auto start = Clock::now();
      plan_.run_step(i, workspace_, inputs_, outputs_);
      sums[kind_of(plan_.steps()[i])] += milliseconds_since(start);
    }
    return sums;
  }

 private:
  Plan plan_;
  Workspace workspace_;
  std::vector<Tensor> tensors_;
  std::vector<Tensor> results_;
  std::vector<ConstBuffer> inputs_;
  std::vector<Buffer> outputs_;
};

void measure(const Options& options) {
  const long idle = peak_kib();
  const ZooSpec spec = parse_zoo_spec(options.network);
  const Graph network = build(spec);
  const NetworkCost cost = cost_of(network);
  const LearningRule rule{.rule = UpdateRule::kSgd, .weight_decay = 4e-5f};
  const TrainingStep step(step_graph(training_graph(network, {}), {.rule = rule}), options.threads);
  step.run();  // memory comes into being, the processor wakes up
  std::vector<double> times;
  const auto start = Clock::now();
  while (times.size() < kLeastSteps || milliseconds_since(start) < 1e3 * options.seconds) {
    const auto begin = Clock::now();
    step.run();
    times.push_back(milliseconds_since(begin));
  }
  std::ranges::sort(times);
  const long peak = peak_kib();
  const auto images = static_cast<double>(network.shape(network.inputs()[0].value)[0]);
  const double flops = 6 * static_cast<double>(cost.total.macs);
  const double best = times.front();
  std::puts(
      format(R"({{"network": "{}", "threads": {}, "target": "{}", "steps": {}, "loss": {:.6g}, "min_ms": {:.6g}, )"
             R"("median_ms": {:.6g}, "images_per_second": {:.6g}, "macs": {}, "parameters": {}, "peak_share": {:.4f}, )"
             R"("workspace_kib": {}, "idle_kib": {}, "peak_kib": {}}})",
             options.network, options.threads, target_name(), times.size(), step.loss(), best, times[times.size() / 2],
             images / best * 1e3, cost.total.macs, cost.total.parameters.trained(),
             flops / (best * 1e-3) / this_machine().flops_of(options.threads), step.workspace_bytes() / 1024, idle,
             peak)
          .c_str());
  if (!options.by_kernel) return;
  for (const auto& [kernel, milliseconds] : step.by_kernel())
    std::fputs(format("{:10.2f} ms  {}\n", milliseconds, kernel).c_str(), stderr);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] {
      if (++i == argc) fail(ErrorKind::kUsage, "{} without a value", word);
      return std::string(argv[i]);
    };
    if (word == "--threads") {
      options.threads = std::stoi(value());
    } else if (word == "--seconds") {
      options.seconds = std::stod(value());
    } else if (word == "--by-kernel") {
      options.by_kernel = true;
    } else if (options.network.empty() && !word.starts_with("-")) {
      options.network = word;
    } else {
      fail(ErrorKind::kUsage, "\"{}\"; usage: train_bench NETWORK [--threads N] [--seconds S] [--by-kernel]", word);
    }
  }
  if (options.network.empty()) fail(ErrorKind::kUsage, "no network; train_bench mobilenet_v1:batch=16, for example");
  return options;
}

}  // namespace
}  // namespace sepal

int main(int argc, char** argv) {
  try {
    sepal::measure(sepal::parse(argc, argv));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train_bench: %s\n", error.what());
    return 1;
  }
}
