// Makes what the demo and the README's examples run on, so that nothing has to be downloaded: a small
// MobileNet with seeded weights (untrained: its answers mean nothing), a picture of a flower, and the same
// picture as the array that the network takes. The same every time.

#include <zlib.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <initializer_list>
#include <iostream>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sepal/base/error.h"
#include "sepal/base/mapped_file.h"
#include "sepal/formats/image.h"
#include "sepal/formats/npy.h"
#include "sepal/formats/onnx_write.h"
#include "sepal/graph/graph.h"

namespace sepal {
namespace {

constexpr std::int64_t kSide = 96;
constexpr std::string_view kLabels = "daisy\ntulip\nrose\nlily\niris\npoppy\naster\norchid\nviolet\nbuttercup";
constexpr std::int64_t kClasses = 10;

/// A network under construction: the graph, its newest value, and where its weights come from.
class Builder {
 public:
  Builder() {
    const ValueId input = graph_.add_input("image", {DataType::kF32, {1, 3, kSide, kSide}});
    value_ = graph_.add(Transpose{channels_last(4)}, {input}, "channels_last");
  }

  /// Convolution, batch norm and ReLU6, as MobileNet has them (Howard et al. 2017, figure 3).
  void convolution(const std::string& name, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                   bool depthwise = false) {
    const std::int64_t in = graph_.shape(value_).c();
    const std::int64_t around = (kernel - 1) / 2;
    Conv2d conv{.window = {.kernel = {kernel, kernel},
                           .stride = {stride, stride},
                           .dilation = {},
                           .padding = {around, around, around, around}},
                .groups = depthwise ? in : 1,
                .activation = {}};
    const std::int64_t per_group = in / conv.groups;
    const ValueId filter = weights({out, kernel, kernel, per_group}, kernel * kernel * per_group);
    value_ = graph_.add(conv, {value_, filter}, name);
    value_ = graph_.add(BatchNorm{}, {value_, constant(out, 1), constant(out, 0), constant(out, 0), constant(out, 1)},
                        name + "/norm");
    value_ = graph_.add(Unary{.kind = UnaryKind::kClip, .alpha = 0, .beta = 6}, {value_}, name + "/relu6");
  }

  /// Depthwise 3x3, then pointwise.
  void separable(const std::string& name, std::int64_t out, std::int64_t stride) {
    convolution(name + "/depthwise", graph_.shape(value_).c(), 3, stride, true);
    convolution(name + "/pointwise", out, 1, 1);
  }

  /// Mean over the image, then one score a class.
  Graph classifier() && {
    const std::int64_t in = graph_.shape(value_).c();
    value_ = graph_.add(Reduce{.kind = ReduceKind::kMean, .axes = {1, 2}, .keep_dims = false}, {value_}, "mean");
    const ValueId filter = weights({kClasses, in}, in);
    value_ = graph_.add(Gemm{.transpose_b = true}, {value_, filter, constant(kClasses, 0)}, "scores");
    graph_.add_output("scores", value_);
    return std::move(graph_);
  }

 private:
  /// Uniform values of variance 2 / fan_in, which keep the size of what flows through ReLUs (He et al. 2015).
  ValueId weights(const Shape& shape, std::int64_t fan_in) {
    const float limit = std::sqrt(6.0f / static_cast<float>(fan_in));
    Tensor tensor(DataType::kF32, shape);
    for (float& value : tensor.values<float>()) {
      // 24 bits by hand: the standard library's distributions differ between implementations.
      value = limit * (static_cast<float>(random_() >> 40) * 0x1p-23f - 1);
    }
    return graph_.add_constant(std::move(tensor));
  }

  ValueId constant(std::int64_t count, float value) {
    Tensor tensor(DataType::kF32, {count});
    for (float& element : tensor.values<float>()) element = value;
    return graph_.add_constant(std::move(tensor));
  }

  Graph graph_;
  ValueId value_{};
  std::mt19937_64 random_{20170417};  // the day when MobileNet was published
};

Graph network() {
  Builder builder;
  builder.convolution("stem", 16, 3, 2);
  builder.separable("block_1", 32, 1);
  builder.separable("block_2", 64, 2);
  builder.separable("block_3", 64, 1);
  builder.separable("block_4", 128, 2);
  builder.separable("block_5", 128, 1);
  Graph graph = std::move(builder).classifier();
  graph.about.name = "demo";
  graph.about.documentation = "a small MobileNet with seeded weights, untrained";
  graph.about.properties = {
      {"sepal.labels", std::string(kLabels)}, {"sepal.mean", "0.5"}, {"sepal.std", "0.5"}, {"sepal.resize", "crop"}};
  return graph;
}

struct Colour {
  double red, green, blue;
};

/// A flower of five petals on five sepals before grass; x and y from -1 to 1.
Colour flower(double x, double y) {
  const double radius = std::hypot(x, y);
  const double angle = std::atan2(y, x);
  const double petals = 0.45 + 0.3 * std::cos(5 * angle);
  const double sepals = 0.5 - 0.3 * std::cos(5 * angle);
  if (radius < 0.16) return {230, 180 - 200 * radius, 40};
  if (radius < petals) return {235 - 120 * radius, 90 + 100 * radius, 200};
  if (radius < sepals) return {60, 140 - 60 * radius, 50};
  return {110 + 30 * std::sin(9 * x), 160 + 40 * y, 80};
}

void append_big_endian(std::vector<std::byte>& bytes, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::byte>(value >> shift));
}

/// One chunk of a PNG: length, type, data, checksum (PNG specification, section 5.3).
void append_chunk(std::vector<std::byte>& png, std::string_view type, std::span<const std::byte> data) {
  append_big_endian(png, data.size());
  const std::size_t begin = png.size();
  for (const char letter : type) png.push_back(static_cast<std::byte>(letter));
  png.insert(png.end(), data.begin(), data.end());
  const auto* checked = reinterpret_cast<const Bytef*>(png.data() + begin);
  append_big_endian(png, crc32(0, checked, static_cast<uInt>(png.size() - begin)));
}

/// 8 bit RGB rows, each with a filter byte 0 in front, as a PNG.
std::vector<std::byte> png_of(const std::vector<Bytef>& rows, std::size_t width, std::size_t height) {
  uLongf size = compressBound(static_cast<uLong>(rows.size()));
  std::vector<std::byte> packed(size);
  const int status =
      compress(reinterpret_cast<Bytef*>(packed.data()), &size, rows.data(), static_cast<uLong>(rows.size()));
  expect(status == Z_OK, "compress has the room that compressBound asks for");
  packed.resize(size);

  std::vector<std::byte> png;
  for (const int byte : {0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A}) png.push_back(static_cast<std::byte>(byte));
  std::vector<std::byte> header;
  append_big_endian(header, width);
  append_big_endian(header, height);
  for (const int byte : {8, 2, 0, 0, 0}) header.push_back(static_cast<std::byte>(byte));  // 8 bit, RGB, not interlaced
  append_chunk(png, "IHDR", header);
  append_chunk(png, "IDAT", packed);
  append_chunk(png, "IEND", {});
  return png;
}

std::vector<std::byte> picture() {
  constexpr int kWidth = 200;
  constexpr int kHeight = 150;
  std::vector<Bytef> rows;
  for (int row = 0; row < kHeight; ++row) {
    rows.push_back(0);
    for (int column = 0; column < kWidth; ++column) {
      const Colour colour = flower((column - kWidth / 2.0) / (kHeight / 2.0), (row - kHeight / 2.0) / (kHeight / 2.0));
      for (const double value : {colour.red, colour.green, colour.blue}) rows.push_back(static_cast<Bytef>(value));
    }
  }
  return png_of(rows, kWidth, kHeight);
}

void make_demo(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  onnx::write(folder / "mobilenet.onnx", network());
  write_file(folder / "flower.png", picture());
  const ImageFormat format{.size = {kSide, kSide}, .normalisation = {.mean = {0.5, 0.5, 0.5}, .std = {0.5, 0.5, 0.5}}};
  write_npy(folder / "flower.npy", read_image(folder / "flower.png", format).buffer());
}

}  // namespace
}  // namespace sepal

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: make_demo FOLDER\n";
    return 2;
  }
  try {
    sepal::make_demo(arguments[1]);
  } catch (const std::exception& error) {
    std::cerr << "make_demo: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
