#pragma once

#include "sepal/graph/shape_rule_image.h"

namespace sepal {

// The shape rules of operators of training; see `infer`.
std::vector<TensorType> infer_training(const BatchMoments& op, Inputs inputs);
std::vector<TensorType> infer_training(const BatchNormSums& op, Inputs inputs);
std::vector<TensorType> infer_training(const BatchNormInputGradient& op, Inputs inputs);
std::vector<TensorType> infer_training(const TrainingConv2d& op, Inputs inputs);
std::vector<TensorType> infer_training(const Conv2dGradient& op, Inputs inputs);
std::vector<TensorType> infer_training(const UnaryGradient& op, Inputs inputs);
std::vector<TensorType> infer_training(const PoolGradient& op, Inputs inputs);
std::vector<TensorType> infer_training(const ResizeGradient& op, Inputs inputs);
std::vector<TensorType> infer_training(const CrossEntropy& op, Inputs inputs);
std::vector<TensorType> infer_training(const Dropout& op, Inputs inputs);
std::vector<TensorType> infer_training(const Update& op, Inputs inputs);

}  // namespace sepal
