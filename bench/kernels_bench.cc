// Convolutions one by one, on one thread, over layers of MobileNetV1 to V3 at 224 x 224. A layer that is repeated
// stays warm in the caches, so these figures are upper bounds: what counts is a whole network's time. What else a
// network is made of stands in rows_bench.cc, blocks as the planner takes them in blocks_bench.cc.
//
//   kernels_bench --benchmark_filter=pointwise

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "bench/bench.h"
#include "sepal/kernels/depthwise.h"
#include "sepal/kernels/direct.h"
#include "sepal/kernels/packed.h"
#include "sepal/kernels/pointwise.h"
#include "sepal/tensor/tensor.h"

namespace sepal {
namespace {

constexpr Unary kRelu6 = {UnaryKind::kClip, 0, 6};

struct Layer {
  const char* network;
  std::int64_t size;  // rows and columns of the input
  std::int64_t ci, co;
  std::int64_t kernel, stride;
};

void pointwise_layer(benchmark::State& state, const Layer& layer) {
  const std::int64_t rows = layer.size * layer.size;
  const Tensor input = filled({rows, layer.ci});
  const Tensor filter = filled({layer.co, layer.ci});
  Tensor packed(DataType::kF32, Shape{packed_floats(layer.co, layer.ci)});
  pack_panels({filter.values<float>().data(), layer.co, layer.ci, layer.ci, 1}, nullptr, packed.values<float>().data());
  Tensor output(DataType::kF32, Shape{rows, layer.co});
  const PointwiseArgs args = {
      input.values<float>().data(),  layer.ci, layer.ci, layer.co, packed.values<float>().data(), kRelu6,
      output.values<float>().data(), layer.co};
  for (auto _ : state) pointwise(args, {0, rows});
  report_macs(state, rows * layer.ci * layer.co);
}

// The output of the layer, padded so that its size is the input's over the stride.
Shape output_of(const Layer& layer) {
  const std::int64_t size = (layer.size - 1) / layer.stride + 1;
  return {1, size, size, layer.co};
}
Window window_of(const Layer& layer) {
  const std::int64_t pad = layer.kernel / 2;
  return {{layer.kernel, layer.kernel}, {layer.stride, layer.stride}, {1, 1}, {pad, pad, pad, pad}};
}

void depthwise_layer(benchmark::State& state, const Layer& layer) {
  const Tensor input = filled({1, layer.size, layer.size, layer.ci});
  const Tensor filter = filled({layer.kernel, layer.kernel, layer.ci});
  const Tensor bias = filled({layer.ci});
  Tensor output(DataType::kF32, output_of(layer));
  const DepthwiseArgs args = {
      input.view<float>(), filter.values<float>().data(), bias.values<float>().data(), window_of(layer), kRelu6,
      output.view<float>()};
  for (auto _ : state) depthwise(args, {0, output.shape().h()});
  report_macs(state, output.elements() * layer.kernel * layer.kernel);
}

void direct_layer(benchmark::State& state, const Layer& layer) {
  const std::int64_t k = layer.kernel * layer.kernel * layer.ci;
  const Tensor input = filled({1, layer.size, layer.size, layer.ci});
  const Tensor filter = filled({layer.co, layer.kernel, layer.kernel, layer.ci});
  const Tensor zeros(DataType::kF32, {layer.ci});
  Tensor packed(DataType::kF32, Shape{packed_direct_floats(1, layer.co, k)});
  pack_direct(filter.values<float>().data(), nullptr, 1, layer.co, k, packed.values<float>().data());
  Tensor output(DataType::kF32, output_of(layer));
  const DirectArgs args = {
      input.view<float>(), packed.values<float>().data(), zeros.values<float>().data(), window_of(layer), 1, kRelu6,
      output.view<float>()};
  for (auto _ : state) direct(args, {0, output.shape().h()});
  report_macs(state, output.elements() * k);
}

constexpr Layer kPointwise[] = {
    {"v1", 112, 32, 64, 1, 1},  {"v1", 56, 128, 128, 1, 1},       {"v1", 28, 256, 256, 1, 1},
    {"v1", 14, 512, 512, 1, 1}, {"v1", 7, 1024, 1024, 1, 1},      {"v2", 112, 32, 16, 1, 1},
    {"v2", 112, 16, 96, 1, 1},  {"v2", 56, 144, 24, 1, 1},        {"v2", 14, 96, 576, 1, 1},
    {"v2", 7, 960, 320, 1, 1},  {"v1 dense", 1, 1024, 1000, 1, 1}};
constexpr Layer kDepthwise[] = {{"v1", 112, 32, 32, 3, 1},  {"v1", 112, 64, 64, 3, 2},  {"v1", 56, 128, 128, 3, 1},
                                {"v1", 28, 256, 256, 3, 2}, {"v1", 14, 512, 512, 3, 1}, {"v1", 7, 1024, 1024, 3, 1},
                                {"v2", 56, 144, 144, 3, 1}, {"v2", 14, 576, 576, 3, 1}, {"v3", 28, 120, 120, 5, 1},
                                {"v3", 14, 672, 672, 5, 2}};
constexpr Layer kDirect[] = {
    {"stem", 224, 3, 32, 3, 2}, {"dense 3x3", 56, 64, 64, 3, 1}, {"dense 3x3", 14, 256, 256, 3, 1}};

std::string name_of(const char* kernel, const Layer& layer) {
  return std::string(kernel) + "/" + layer.network + "/" + std::to_string(layer.size) + "^2 " +
         std::to_string(layer.ci) + "-" + std::to_string(layer.co) +
         (layer.stride == 1 ? "" : " s" + std::to_string(layer.stride));
}

const bool kRegistered = [] {
  for (const Layer& layer : kPointwise) {
    benchmark::RegisterBenchmark(name_of("pointwise", layer).c_str(), pointwise_layer, layer);
  }
  for (const Layer& layer : kDepthwise) {
    benchmark::RegisterBenchmark(name_of("depthwise", layer).c_str(), depthwise_layer, layer);
  }
  for (const Layer& layer : kDirect)
    benchmark::RegisterBenchmark(name_of("direct", layer).c_str(), direct_layer, layer);
  return true;
}();

}  // namespace
}  // namespace sepal
