// The depthwise convolutions of a training step on one thread: the layers of MobileNetV1 and V2 at 224 x 224, a batch
// of 16, forward with normalised and activated input and the moments of the output, and backward with both gradients.
// Layers one by one, and a network's one after another as they stand in it, where none finds its data in a cache.
//
//   kernels_bench --benchmark_filter=training

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/bench.h"
#include "sepal/kernels/training_depthwise.h"

namespace sepal {
namespace {

struct Layer {
  std::int64_t size;  // rows and columns of the input
  std::int64_t c;
  std::int64_t stride;
};

constexpr Layer kV1[] = {{112, 32, 1}, {112, 64, 2}, {56, 128, 1}, {56, 128, 2}, {28, 256, 1},
                         {28, 256, 2}, {14, 512, 1}, {14, 512, 1}, {14, 512, 1}, {14, 512, 1},
                         {14, 512, 1}, {14, 512, 2}, {7, 1024, 1}};
constexpr Layer kV2[] = {{112, 32, 1}, {112, 96, 2}, {56, 144, 1}, {56, 144, 2}, {28, 192, 1}, {28, 192, 1},
                         {28, 192, 2}, {14, 384, 1}, {14, 384, 1}, {14, 384, 1}, {14, 384, 1}, {14, 576, 1},
                         {14, 576, 1}, {14, 576, 2}, {7, 960, 1},  {7, 960, 1},  {7, 960, 1}};
constexpr std::int64_t kBatch = 16;

float* floats(Tensor& tensor) { return tensor.values<float>().data(); }
Tensor room_of(std::int64_t count) { return Tensor(DataType::kF32, Shape{count}); }

// A layer with all that its step reads and writes.
class Training {
 public:
  explicit Training(const Layer& layer)
      : in_{kBatch, layer.size, layer.size, layer.c},
        out_{kBatch, (layer.size - 1) / layer.stride + 1, (layer.size - 1) / layer.stride + 1, layer.c},
        x_(filled(in_)),
        y_(filled(out_)),
        g_(filled(out_)),
        dx_(DataType::kF32, in_),
        filter_(filled({9, layer.c})),
        vectors_(filled({5, layer.c + 16})),
        moments_(room_of(row_blocks(out_).count * moment_floats(layer.c))),
        sums_(room_of(row_blocks(in_).count * 2 * layer.c)),
        gradient_(room_of(9 * layer.c)) {
    const Window window{{3, 3}, {layer.stride, layer.stride}, {1, 1}, {1, 1, 1, 1}};
    const auto vector = [&](std::int64_t i) { return floats(vectors_) + i * (layer.c + 16); };
    const ReadArgs read{vector(0), vector(1), vector(0), {UnaryKind::kRelu}};
    forward_ = {x_.view<float>(), read, floats(filter_), window, y_.view<float>(), floats(moments_)};
    backward_ = {.input = x_.view<float>(),
                 .read = read,
                 .filter = floats(filter_),
                 .window = window,
                 .gradient = {floats(g_), floats(y_), vector(2), vector(3), vector(4)},
                 .output = out_,
                 .input_gradient = floats(dx_),
                 .sums = floats(sums_)};
    partial_ = room_of(depthwise_gradient_floats(backward_));
    backward_.partial = floats(partial_);
    room_ = room_of(std::max(training_depthwise_room(forward_), depthwise_gradient_room(backward_)));
  }
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;

  std::int64_t macs() const { return out_.elements() * 9; }
  void forward() { training_depthwise(forward_, {0, row_blocks(out_).count}, floats(room_)); }
  void backward() {
    depthwise_gradient(backward_, {0, depthwise_gradient_parts(backward_)}, floats(room_));
    join_depthwise_gradient(backward_, {0, out_.c()}, floats(gradient_));
  }

 private:
  Shape in_, out_;
  Tensor x_, y_, g_, dx_, filter_, vectors_, moments_, sums_, gradient_, partial_, room_;
  TrainingDepthwiseArgs forward_;
  DepthwiseGradientArgs backward_;
};

void forward_layer(benchmark::State& state, const Layer& layer) {
  Training training(layer);
  for (auto _ : state) training.forward();
  report_macs(state, training.macs());
}

void backward_layer(benchmark::State& state, const Layer& layer) {
  Training training(layer);
  for (auto _ : state) training.backward();
  report_macs(state, 2 * training.macs());
}

std::vector<std::unique_ptr<Training>> all_of(const std::vector<Layer>& layers) {
  std::vector<std::unique_ptr<Training>> result;
  for (const Layer& layer : layers) result.push_back(std::make_unique<Training>(layer));
  return result;
}

void forward_network(benchmark::State& state, const std::vector<Layer>& layers) {
  const auto network = all_of(layers);
  std::int64_t macs = 0;
  for (const auto& layer : network) macs += layer->macs();
  for (auto _ : state) {
    for (const auto& layer : network) layer->forward();
  }
  report_macs(state, macs);
}

void backward_network(benchmark::State& state, const std::vector<Layer>& layers) {
  const auto network = all_of(layers);
  std::int64_t macs = 0;
  for (const auto& layer : network) macs += 2 * layer->macs();
  for (auto _ : state) {
    for (auto layer = network.rbegin(); layer != network.rend(); ++layer) (*layer)->backward();
  }
  report_macs(state, macs);
}

const bool kRegistered = [] {
  const auto layers = [](const std::string& network, const std::vector<Layer>& all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Layer& layer = all[i];
      const auto same = [&](const Layer& other) {
        return other.size == layer.size && other.c == layer.c && other.stride == layer.stride;
      };
      if (i > 0 && same(all[i - 1])) continue;
      const std::string name = network + "/" + std::to_string(layer.size) + "^2 " + std::to_string(layer.c) +
                               (layer.stride == 1 ? "" : " s" + std::to_string(layer.stride));
      benchmark::RegisterBenchmark(("training depthwise forward/" + name).c_str(), forward_layer, layer)
          ->Unit(benchmark::kMillisecond);
      benchmark::RegisterBenchmark(("training depthwise backward/" + name).c_str(), backward_layer, layer)
          ->Unit(benchmark::kMillisecond);
    }
    benchmark::RegisterBenchmark(("training depthwise forward/all of " + network).c_str(), forward_network, all)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(("training depthwise backward/all of " + network).c_str(), backward_network, all)
        ->Unit(benchmark::kMillisecond);
  };
  layers("v1", {std::begin(kV1), std::end(kV1)});
  layers("v2", {std::begin(kV2), std::end(kV2)});
  return true;
}();

}  // namespace
}  // namespace sepal
