// Times convolutions of some hundreds of shapes, regular and odd, and lists those whose time per MAC is more than a few
// times that of the nearest regular shape: sides of 1, 3 or 5, stride 1 or 2, whole panels of channels, an image as
// large as MobileNet's. A microsecond a layer is allowed for the call itself. See docs/KERNELS.md, "Cliffs".
//
//   find_cliffs [RATIO]    (3, if it is not given; 0 lists all shapes)

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "bench/filled.h"
#include "sepal/base/text.h"
#include "sepal/graph/graph.h"
#include "sepal/plan/plan.h"

namespace sepal {
namespace {

struct Layer {
  std::int64_t h, w;
  std::int64_t ci, co;
  std::int64_t groups;
  Extent kernel;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;

  bool depthwise() const { return groups == ci && groups > 1; }
  Conv2d op() const {
    const auto before = [&](std::int64_t side) { return dilation * (side - 1) / 2; };
    const auto after = [&](std::int64_t side) { return dilation * (side - 1) - dilation * (side - 1) / 2; };
    return {.window = {.kernel = kernel,
                       .stride = {stride, stride},
                       .dilation = {dilation, dilation},
                       .padding = {before(kernel.h), before(kernel.w), after(kernel.h), after(kernel.w)}},
            .groups = groups};
  }
  std::int64_t macs() const {
    return ((h - 1) / stride + 1) * ((w - 1) / stride + 1) * co * kernel.h * kernel.w * (ci / groups);
  }
  std::string text() const {
    const char* kind = depthwise()              ? "depthwise"
                       : groups > 1             ? "grouped"
                       : kernel == Extent{1, 1} ? "pointwise"
                                                : "dense";
    return format("{:9} {:3}x{:<3} {:4}->{:<4} groups {:4} kernel {}x{} stride {} dilation {}", kind, h, w, ci, co,
                  groups, kernel.h, kernel.w, stride, dilation);
  }
  auto operator<=>(const Layer& other) const { return text() <=> other.text(); }
};

/// The shape that this one is measured by.
Layer regular(const Layer& layer) {
  const auto channels = [](std::int64_t c) { return std::max<std::int64_t>(32, (c + 16) / 32 * 32); };
  const auto side = [](std::int64_t extent) {
    std::int64_t nearest = 7;
    for (const std::int64_t regular : {7, 14, 28, 56, 112}) {
      if (std::abs(regular - extent) < std::abs(nearest - extent)) nearest = regular;
    }
    return nearest;
  };
  Layer result = layer;
  const std::int64_t taps = std::max(layer.kernel.h, layer.kernel.w) > 3 ? 5 : 3;
  result.kernel = layer.kernel == Extent{1, 1} && !layer.depthwise() ? Extent{1, 1} : Extent{taps, taps};
  result.h = result.w = side(std::max(layer.h, layer.w));
  result.stride = std::min<std::int64_t>(layer.stride, 2);
  result.dilation = 1;
  if (layer.depthwise()) {
    result.ci = result.co = result.groups = channels(layer.co);
    return result;
  }
  result.ci = layer.groups * channels(layer.ci / layer.groups);
  result.co = layer.groups * channels(layer.co / layer.groups);
  return result;
}

/// The best of a few rounds, in nanoseconds.
double time_of(const Layer& layer) {
  Graph graph;
  const Tensor input = filled({1, layer.h, layer.w, layer.ci});
  const ValueId x = graph.add_input("x", {DataType::kF32, input.shape()});
  const ValueId filter =
      graph.add_constant(filled({layer.co, layer.kernel.h, layer.kernel.w, layer.ci / layer.groups}));
  const ValueId y = graph.add(layer.op(), {x, filter, graph.add_constant(filled({layer.co}))});
  graph.add_output("y", y);
  Tensor output(DataType::kF32, graph.shape(y));
  const Plan plan(graph, {.threads = 1});
  const Workspace workspace(plan.workspace_bytes());
  const std::vector<ConstBuffer> from = {input.buffer()};
  const std::vector<Buffer> to = {output.buffer()};
  const auto run = [&](int times) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < times; ++i) plan.run(workspace, from, to);
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count() / times;
  };
  run(1);
  const int times = static_cast<int>(std::clamp(1e6 / run(1), 1.0, 10000.0));
  double best = run(times);
  for (int round = 0; round < 5; ++round) best = std::min(best, run(times));
  return best;
}

std::vector<Layer> layers() {
  std::vector<Layer> all;
  const std::vector<Extent> kernels = {{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}, {6, 6}, {7, 7}, {8, 8}, {9, 9},
                                       {1, 2}, {1, 3}, {3, 1}, {1, 5}, {5, 1}, {1, 9}, {9, 1}, {2, 3}, {5, 3}};
  const std::vector<std::int64_t> channels = {2, 3, 4, 7, 8, 13, 16, 17, 24, 31, 61, 64, 127, 251, 512, 1021, 1024};
  const std::vector<std::int64_t> sides = {1, 2, 3, 4, 5, 6, 8, 9, 11, 13, 14, 17, 27, 56, 61, 112, 224};
  const auto windows = [&](std::int64_t size, std::int64_t ci, std::int64_t co, std::int64_t groups) {
    for (const Extent& kernel : kernels) {
      for (const std::int64_t stride : {1, 2, 3}) all.push_back({size, size, ci, co, groups, kernel, stride, 1});
      if (kernel == Extent{1, 1}) continue;
      for (const std::int64_t dilation : {2, 3, 4}) all.push_back({size, size, ci, co, groups, kernel, 1, dilation});
    }
  };
  windows(28, 96, 96, 96);
  windows(14, 61, 61, 61);
  windows(28, 32, 64, 1);
  for (const std::int64_t c : channels) {
    for (const std::int64_t kernel : {3, 4, 7}) all.push_back({14, 14, c, c, c, {kernel, kernel}});
    for (const std::int64_t other : {3, 16, 31, 64, 1024}) {
      all.push_back({7, 7, c, other, 1, {1, 1}});
      all.push_back({7, 7, other, c, 1, {1, 1}});
      if (other < 1024 && c < 1000) all.push_back({14, 14, c, other, 1, {3, 3}});
    }
  }
  for (const std::int64_t side : sides) {
    for (const std::int64_t kernel : {3, 5, 6, 7}) all.push_back({side, side, 32, 32, 32, {kernel, kernel}});
    all.push_back({side, 1, 64, 64, 64, {7, 1}});
    all.push_back({1, side, 64, 64, 64, {1, 7}});
    all.push_back({side, side, 32, 48, 1, {1, 1}});
    all.push_back({side, side, 16, 24, 1, {3, 3}});
    all.push_back({side, 1, 32, 32, 1, {5, 1}});
  }
  for (const std::int64_t m : {2, 3, 4}) {
    for (const std::int64_t c : {2, 3, 8, 16, 31, 64}) {
      for (const std::int64_t kernel : {3, 5}) {
        for (const std::int64_t stride : {1, 2}) all.push_back({28, 28, c, c * m, c, {kernel, kernel}, stride});
      }
    }
  }
  for (const std::int64_t groups : {2, 3, 4, 8, 32}) {
    for (const std::int64_t c : {2, 4, 8, 16, 32, 48}) {
      for (const std::int64_t kernel : {1, 3})
        all.push_back({14, 14, groups * c, groups * c, groups, {kernel, kernel}});
    }
  }
  return all;
}

int find_cliffs(double ratio) {
  std::map<std::string, double> regulars;  // ns a MAC
  int cliffs = 0;
  const std::vector<Layer> all = layers();
  for (const Layer& layer : all) {
    const Layer measure = regular(layer);
    auto [found, fresh] = regulars.try_emplace(measure.text(), 0.0);
    if (fresh) found->second = time_of(measure) / static_cast<double>(measure.macs());
    const auto macs = static_cast<double>(layer.macs());
    const double time = time_of(layer);
    const double times = std::max(0.0, time - 1000) / macs / found->second;
    if (times < ratio) continue;
    ++cliffs;
    std::puts(
        format("{:5.1f}  {:9.2f} us {:6.1f} GFLOP/s  {}", times, time / 1e3, 2 * macs / time, layer.text()).c_str());
  }
  std::puts(format("{} of {} shapes take at least {} times what the nearest regular one does a MAC", cliffs, all.size(),
                   ratio)
                .c_str());
  return 0;
}

}  // namespace
}  // namespace sepal

int main(int count, char** arguments) { return sepal::find_cliffs(count > 1 ? std::atof(arguments[1]) : 3); }
