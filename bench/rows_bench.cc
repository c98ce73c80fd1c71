// Kernels that are no convolutions, one by one, on one thread, over maps that networks have: pools, means, softmax,
// functions, additions, gates, transpositions. They are bound by what they move, so GB/s are told. As in
// kernels_bench.cc maps stay in the caches.
//
//   kernels_bench --benchmark_filter=binary

#include <cstdint>
#include <string>
#include <vector>

#include "bench/bench.h"
#include "sepal/kernels/elementwise.h"
#include "sepal/kernels/pool.h"
#include "sepal/kernels/softmax.h"
#include "sepal/kernels/spatial_mean.h"
#include "sepal/kernels/transpose.h"

namespace sepal {
namespace {

/// An image: rows and columns, and channels.
struct Map {
  std::int64_t size;
  std::int64_t c;
};

std::string name_of(const char* kernel, const Map& map) {
  return std::string(kernel) + "/" + std::to_string(map.size) + "^2 " + std::to_string(map.c);
}

Shape shape_of(const Map& map) { return {1, map.size, map.size, map.c}; }

void pool_map(benchmark::State& state, const Map& map, PoolKind kind) {
  const Tensor input = filled(shape_of(map));
  const std::int64_t out = (map.size - 1) / 2 + 1;
  Tensor output(DataType::kF32, {1, out, out, map.c});
  const PoolArgs args{.input = input.view<float>(),
                      .window = {.kernel = {3, 3}, .stride = {2, 2}, .dilation = {1, 1}, .padding = {1, 1, 1, 1}},
                      .kind = kind,
                      .output = output.view<float>()};
  for (auto _ : state) pool(args, {0, out});
  report_moved(state, input.elements() + output.elements());
}

void mean_map(benchmark::State& state, const Map& map) {
  const Tensor input = filled(shape_of(map));
  Tensor output(DataType::kF32, {1, map.c});
  const SpatialMeanArgs args{input.view<float>(), output.values<float>().data()};
  for (auto _ : state) spatial_mean(args, {0, map.c});
  report_moved(state, input.elements() + output.elements());
}

/// `map.size` rows of `map.c` classes.
void softmax_rows(benchmark::State& state, const Map& map) {
  const Tensor input = filled({map.size, map.c});
  Tensor output(DataType::kF32, {map.size, map.c});
  const SoftmaxArgs args{
      .input = input.values<float>().data(), .columns = map.c, .output = output.values<float>().data()};
  for (auto _ : state) softmax(args, {0, map.size});
  report_moved(state, input.elements() + output.elements());
}

void unary_map(benchmark::State& state, const Map& map, Unary function) {
  const Tensor input = filled(shape_of(map));
  Tensor output(DataType::kF32, shape_of(map));
  for (auto _ : state)
    unary(function, input.values<float>().data(), output.values<float>().data(), {0, input.elements()});
  report_moved(state, input.elements() + output.elements());
}

/// A shortcut: two maps of one shape.
void add_maps(benchmark::State& state, const Map& map) {
  const Tensor a = filled(shape_of(map));
  const Tensor b = filled(shape_of(map));
  Tensor output(DataType::kF32, shape_of(map));
  const std::int64_t rows = map.size * map.size;
  const BinaryArgs args{.a = a.values<float>().data(),
                        .b = {.data = b.values<float>().data(), .rows = rows},
                        .columns = map.c,
                        .activation = {},
                        .output = output.values<float>().data()};
  for (auto _ : state) binary(args, {0, rows});
  report_moved(state, 3 * a.elements());
}

/// Squeeze and excitation: a factor a channel.
void gate_map(benchmark::State& state, const Map& map) {
  const Tensor a = filled(shape_of(map));
  const Tensor gate = filled({1, map.c});
  Tensor output(DataType::kF32, shape_of(map));
  const std::int64_t rows = map.size * map.size;
  const BinaryArgs args{.kind = BinaryKind::kMultiply,
                        .a = a.values<float>().data(),
                        .b = {.data = gate.values<float>().data(), .rows = 1, .repeat = rows},
                        .columns = map.c,
                        .activation = {},
                        .output = output.values<float>().data()};
  for (auto _ : state) binary(args, {0, rows});
  report_moved(state, 2 * a.elements());
}

/// Channels last to channels first, and back.
void transpose_map(benchmark::State& state, const Map& map, bool to_last) {
  const Tensor input = filled(shape_of(map));
  Tensor output(DataType::kF32, shape_of(map));
  const std::int64_t pixels = map.size * map.size;
  const std::int64_t rows = to_last ? map.c : pixels;
  const std::int64_t columns = to_last ? pixels : map.c;
  const TransposeArgs args{.input = input.data(), .rows = rows, .columns = columns, .output = output.data()};
  for (auto _ : state) transpose(args, {0, columns});
  report_moved(state, 2 * input.elements());
}

constexpr Map kPooled[] = {{112, 64}, {147, 128}, {56, 64}};
constexpr Map kMeans[] = {{7, 1024}, {7, 1280}, {14, 672}, {56, 72}};
constexpr Map kClasses[] = {{1, 1000}, {8, 1000}, {1, 12}, {196, 196}};
constexpr Map kMaps[] = {{112, 16}, {56, 24}, {28, 40}, {14, 112}, {7, 160}};
constexpr Map kTurned[] = {{224, 3}, {56, 24}, {14, 512}, {7, 1024}};

struct Function {
  const char* name;
  Unary unary;
};
constexpr Function kFunctions[] = {{"relu", {UnaryKind::kRelu}},
                                   {"hard swish", {UnaryKind::kHardSwish}},
                                   {"swish", {UnaryKind::kSwish, 1}},
                                   {"sigmoid", {UnaryKind::kSigmoid}},
                                   {"gelu", {UnaryKind::kGelu}}};

const bool kRegistered = [] {
  for (const Map& map : kPooled) {
    benchmark::RegisterBenchmark(name_of("pool/max 3 s2", map).c_str(), pool_map, map, PoolKind::kMax);
    benchmark::RegisterBenchmark(name_of("pool/average 3 s2", map).c_str(), pool_map, map, PoolKind::kAverage);
  }
  for (const Map& map : kMeans) benchmark::RegisterBenchmark(name_of("spatial mean", map).c_str(), mean_map, map);
  for (const Map& map : kClasses) {
    const std::string name = "softmax/" + std::to_string(map.size) + " x " + std::to_string(map.c);
    benchmark::RegisterBenchmark(name.c_str(), softmax_rows, map);
  }
  for (const Function& function : kFunctions) {
    const std::string name = name_of((std::string("unary/") + function.name).c_str(), {28, 120});
    benchmark::RegisterBenchmark(name.c_str(), unary_map, Map{28, 120}, function.unary);
  }
  for (const Map& map : kMaps) {
    benchmark::RegisterBenchmark(name_of("binary/add", map).c_str(), add_maps, map);
    benchmark::RegisterBenchmark(name_of("binary/gate", map).c_str(), gate_map, map);
  }
  for (const Map& map : kTurned) {
    benchmark::RegisterBenchmark(name_of("transpose/to last", map).c_str(), transpose_map, map, true);
    benchmark::RegisterBenchmark(name_of("transpose/to first", map).c_str(), transpose_map, map, false);
  }
  return true;
}();

}  // namespace
}  // namespace sepal
