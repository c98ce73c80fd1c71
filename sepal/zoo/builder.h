#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sepal/graph/graph.h"
#include "sepal/zoo/weights.h"
#include "sepal/zoo/zoo.h"

namespace sepal {

/// A value on its way through a network, [1, h, w, c] or [1, c].
struct FeatureMap {
  ValueId value;
  double power = 1;  ///< the mean square to be expected of it, for the statistics of batch norm
};

/// Rows and columns around a map: kSame gives output = ceil(input / stride), the odd one after the map (as
/// TensorFlow, where the mobile networks are from), kEven (kernel - 1) / 2 on all sides, kNone none.
enum class Border : std::uint8_t { kSame, kEven, kNone };

/// What a convolution's result gets before the activation.
enum class Shift : std::uint8_t { kNorm, kBias, kNone };

struct Convolution {
  std::int64_t out = 1;
  Extent kernel{};
  Extent stride{};
  Unary activation{};
  std::int64_t groups = 1;
  Border border = Border::kSame;
  Shift shift = Shift::kNorm;
};

inline constexpr Unary kRelu{UnaryKind::kRelu};
inline constexpr Unary kRelu6{UnaryKind::kClip, 0, 6};
inline constexpr Unary kHardSwish{UnaryKind::kHardSwish};
inline constexpr Unary kSigmoid{UnaryKind::kSigmoid};
inline constexpr Unary kHardSigmoid{UnaryKind::kHardSigmoid, 1.0f / 6, 0.5f};

/// A graph in the making, layer by layer. Names are as "block3/depthwise"; the batch norm behind a convolution is
/// called "block3/depthwise/norm", its activation "block3/depthwise/activation".
/// Layers throw Error(kInvalid) that names them where a map is too small or the weights so far exceed the
/// machine's memory.
class NetworkBuilder {
 public:
  NetworkBuilder(std::uint64_t seed, Weights weights);

  FeatureMap input(const Shape& shape);
  FeatureMap conv(const std::string& name, const FeatureMap& x, const Convolution& conv);
  FeatureMap activation(const std::string& name, const FeatureMap& x, const Unary& activation);
  FeatureMap max_pool(const std::string& name, const FeatureMap& x, std::int64_t kernel, std::int64_t stride,
                      Border border);
  FeatureMap add(const std::string& name, const FeatureMap& a, const FeatureMap& b);
  /// x, each channel times its gate [1, 1, 1, c].
  FeatureMap gated(const std::string& name, const FeatureMap& x, const FeatureMap& gate);
  /// The mean over the map, [1, 1, 1, c].
  FeatureMap mean(const std::string& name, const FeatureMap& x);
  /// [1, h, w, c] -> [1, h w c].
  FeatureMap flatten(const std::string& name, const FeatureMap& x);
  /// Fully connected with bias: [1, c] -> [1, out].
  FeatureMap dense(const std::string& name, const FeatureMap& x, std::int64_t out, const Unary& activation = {});
  void output(const FeatureMap& x);

  std::int64_t channels(const FeatureMap& x) const;
  /// The graph so far; the builder is empty then.
  Graph finish() { return std::move(graph_); }

 private:
  FeatureMap norm(const std::string& name, const FeatureMap& x);
  Window window(const std::string& name, const FeatureMap& x, Extent kernel, Extent stride, Border border) const;
  /// A constant made by fill(), or zeros of that shape.
  template <typename Fill>
  ValueId constant(const std::string& name, const Shape& shape, const Fill& fill);
  ValueId filter(const std::string& name, const Shape& shape);
  ValueId bias(const std::string& name, std::int64_t channels);

  Graph graph_;
  WeightSource source_;
  Weights weights_;
  std::size_t memory_;  ///< of the machine
  std::size_t weight_bytes_ = 0;
};

}  // namespace sepal
