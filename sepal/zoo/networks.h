#pragma once

// The networks, one function each: what ZooEntry::describe points to.

#include "sepal/zoo/builder.h"

namespace sepal {

void mobilenet_v1(NetworkBuilder& net, const ZooOptions& options);
/// The same with a standard convolution in place of each separable one.
void mobilenet_v1_standard(NetworkBuilder& net, const ZooOptions& options);
/// The same without the five layers of 14x14x512.
void mobilenet_v1_shallow(NetworkBuilder& net, const ZooOptions& options);
void mobilenet_v2(NetworkBuilder& net, const ZooOptions& options);
void mobilenet_v3_large(NetworkBuilder& net, const ZooOptions& options);
void mobilenet_v3_small(NetworkBuilder& net, const ZooOptions& options);
void xception(NetworkBuilder& net, const ZooOptions& options);
void mnasnet_a1(NetworkBuilder& net, const ZooOptions& options);
void mnasnet_b1(NetworkBuilder& net, const ZooOptions& options);

/// How a member of the EfficientNet family differs from the first.
struct CompoundScale {
  double width;                ///< of channels
  std::int64_t tenths_deeper;  ///< 11: 1.1 times as many blocks in a stage, rounded up
};
void efficientnet_lite(NetworkBuilder& net, const ZooOptions& options, const CompoundScale& scale);

/// A keyword spotter's shape: feature maps, separable layers, and where it halves.
struct KeywordShape {
  std::int64_t channels;
  int layers;
  Extent stem_stride;
  std::int64_t first_stride;  ///< of the first separable layer
};
void ds_cnn(NetworkBuilder& net, const ZooOptions& options, const KeywordShape& shape);

void resnet18(NetworkBuilder& net, const ZooOptions& options);
void vgg16(NetworkBuilder& net, const ZooOptions& options);

}  // namespace sepal
