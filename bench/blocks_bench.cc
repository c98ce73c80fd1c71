// Blocks as a plan runs them on one thread: separable layers, and the standard convolutions that they stand for. Which
// kernels and how many steps it takes is the planner's choice. As in kernels_bench.cc a block that is repeated stays
// warm.
//
//   kernels_bench --benchmark_filter=separable

#include <cstdint>
#include <string>

#include "bench/bench.h"
#include "sepal/graph/conv_layer.h"
#include "sepal/measure/paired.h"
#include "sepal/zoo/layer.h"

namespace sepal {
namespace {

/// A block: channels, the side of the image, of the kernel, and the stride.
struct Block {
  std::int64_t in, out, size, kernel, stride;
};

ConvLayer layer_of(const Block& block) {
  const std::int64_t pad = block.kernel / 2;
  return {.in = block.in,
          .out = block.out,
          .size = {block.size, block.size},
          .window = {.kernel = {block.kernel, block.kernel},
                     .stride = {block.stride, block.stride},
                     .dilation = {1, 1},
                     .padding = {pad, pad, pad, pad}},
          .bias = true};
}

void block_of(benchmark::State& state, const Block& block, bool separable) {
  const ConvLayer layer = layer_of(block);
  TimedPlan plan(separable ? separable_layer(layer) : standard_layer(layer), 1);
  for (auto _ : state) plan.run();
  const Comparison cost = compare(layer);
  report_macs(state, static_cast<std::int64_t>(separable ? cost.separable().macs : cost.standard.macs));
}

constexpr Block kBlocks[] = {{32, 64, 112, 3, 1},  {64, 128, 112, 3, 2},  {128, 128, 56, 3, 1},  {256, 256, 28, 3, 1},
                             {512, 512, 14, 3, 1}, {512, 1024, 14, 3, 2}, {1024, 1024, 7, 3, 1}, {728, 728, 19, 3, 1},
                             {144, 24, 56, 3, 1},  {576, 96, 14, 3, 1},   {120, 40, 28, 5, 1},   {64, 64, 25, 3, 1}};

const bool kRegistered = [] {
  for (const Block& block : kBlocks) {
    const std::string layer = to_string(layer_of(block));
    benchmark::RegisterBenchmark(("separable/" + layer).c_str(), block_of, block, true);
    benchmark::RegisterBenchmark(("standard/" + layer).c_str(), block_of, block, false);
  }
  return true;
}();

}  // namespace
}  // namespace sepal
