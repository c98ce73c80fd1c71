#pragma once

#include "sepal/graph/shape_rule_image.h"

namespace sepal {

// The shape rules of operators that move elements about; see `infer`.
std::vector<TensorType> infer_move(const Reshape& op, Inputs inputs);
std::vector<TensorType> infer_move(const Transpose& op, Inputs inputs);
std::vector<TensorType> infer_move(const Concat& op, Inputs inputs);
std::vector<TensorType> infer_move(const Slice& op, Inputs inputs);
std::vector<TensorType> infer_move(const Pad& op, Inputs inputs);
std::vector<TensorType> infer_move(const Resize& op, Inputs inputs);
std::vector<TensorType> infer_move(const Gather& op, Inputs inputs);
std::vector<TensorType> infer_move(const Cast& op, Inputs inputs);
std::vector<TensorType> infer_move(const Expand& op, Inputs inputs);
std::vector<TensorType> infer_move(const Tile& op, Inputs inputs);

}  // namespace sepal
