#pragma once

// The blocks that networks are made of, and how their channels round.

#include <span>

#include "sepal/zoo/builder.h"

namespace sepal {

/// channels * width rounded down, at least 8 (Howard et al. 2017, section 3.3, leaves rounding open; as Keras).
std::int64_t scaled(std::int64_t channels, double width);
/// channels * width to the nearest multiple of 8, but not below 90 % of it (the code of Sandler et al. 2018).
std::int64_t scaled_to_8(std::int64_t channels, double width);

/// The first convolution, 3x3 with stride 2 (or 1).
FeatureMap stem(NetworkBuilder& net, const ZooOptions& options, std::int64_t out, const Unary& activation);

/// The strides of a table's rows, asked for one after another: of those that are not 1 the first ZooOptions::unstrided
/// become 1, so that a small image keeps its size for longer.
class Strides {
 public:
  explicit Strides(const ZooOptions& options) : left_(options.unstrided) {}
  std::int64_t operator()(std::int64_t stride) { return stride > 1 && left_ > 0 ? --left_, 1 : stride; }

 private:
  std::int64_t left_;
};

struct Depthwise {
  std::int64_t kernel = 3;
  Extent stride{};
  Unary activation{};
  Shift shift = Shift::kNorm;
};
/// One filter for each channel.
FeatureMap depthwise(NetworkBuilder& net, const std::string& name, const FeatureMap& x, const Depthwise& filter);

/// A depthwise and a pointwise convolution, each with batch norm and activation (Howard et al. 2017, figure 3).
FeatureMap separable(NetworkBuilder& net, const std::string& name, const FeatureMap& x, std::int64_t out, Extent stride,
                     const Unary& activation);

/// Scales channels by what their means say of all of them (Hu et al. 2018): mean, to `squeezed` channels, ReLU, back,
/// gate.
struct Squeeze {
  std::int64_t channels = 0;  ///< 0: none
  Unary gate = kSigmoid;
};
FeatureMap squeeze_excite(NetworkBuilder& net, const std::string& name, const FeatureMap& x, const Squeeze& squeeze);

/// Pointwise to `expanded` channels (left out where the input has as many), depthwise, squeeze and excitation,
/// linear pointwise to `out`; the input added where it has the result's shape (Sandler et al. 2018, figure 4d).
struct InvertedResidual {
  std::int64_t expanded = 1;
  std::int64_t out = 1;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  Squeeze squeeze{};
  Unary activation = kRelu6;
};
FeatureMap inverted_residual(NetworkBuilder& net, const std::string& name, const FeatureMap& x,
                             const InvertedResidual& block);

/// A row of a mobile network's table: `repeats` inverted residuals, the first with the stride.
struct Stage {
  std::int64_t expansion;
  std::int64_t kernel;
  std::int64_t out;
  std::int64_t repeats;
  std::int64_t stride;
  bool squeeze = false;  ///< to a quarter of the block's input channels, sigmoid gate (Tan et al. 2019)
};
/// Their channels times `width`, to multiples of 8. Blocks are called block1, block2 ... throughout.
FeatureMap stages(NetworkBuilder& net, FeatureMap x, std::span<const Stage> rows, double width, Strides strides,
                  const Unary& activation);

/// Mean over the map and a fully connected layer: the end of most networks.
void classifier(NetworkBuilder& net, const FeatureMap& x, const ZooOptions& options);

}  // namespace sepal
