#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sepal/graph/graph.h"

namespace sepal {

enum class ParameterKind : std::uint8_t {
  kFilter,     ///< of a dense or pointwise convolution, or a matrix
  kDepthwise,  ///< one plane a channel
  kNorm,       ///< scale or shift of a normalisation
  kBias,
  kSlope,
};

/// Something to be learned.
struct Parameter {
  std::string name;  ///< "block3/depthwise/filter"
  ParameterKind kind = ParameterKind::kFilter;
  Constant initial;
  ValueId value{};   ///< an input of the training graph
  ValueId source{};  ///< the constant of the network that it takes the place of
};

/// A mean or variance that inference uses, which follows those of the batches.
struct RunningMoment {
  std::string name;  ///< "block3/depthwise/norm/mean"
  Constant initial;
  ValueId batch{};         ///< of this batch, in the training graph
  ValueId source{};        ///< the constant of the network
  bool variance = false;   ///< then the batch's is biased, and
  std::int64_t count = 1;  ///< so many values went into it
};

struct TrainingGraphOptions {
  bool fresh = true;                     ///< batch norms begin with scale 1, shift 0, mean 0 and variance 1
  std::vector<std::string> frozen = {};  ///< parameters of nodes whose names begin so stay as they are
  float dropout = 0;                     ///< rate in front of the last layer with weights
  std::uint64_t seed = 0;                ///< of dropout
};

/// A network as its training sees it: parameters are inputs, and batch norms take the moments of their batch. The first
/// input is the network's, the second "step" (i64, scalar), then the parameters in their order.
struct TrainingGraph {
  Graph graph;
  std::vector<Parameter> parameters;
  std::vector<RunningMoment> moments;
  ValueId input{};
  ValueId step{};
  ValueId output{};  ///< logits [n, classes]
};

/// Turns a network with one input and one output, as it is before any optimisation, into its training graph. A batch
/// norm and an activation between two convolutions are read by the second one (TrainingConv2d) and are no passes of
/// their own. Throws Error(kInvalid) where the network has other ends or nothing to learn.
TrainingGraph training_graph(const Graph& network, const TrainingGraphOptions& options);

/// The network with other values in the place of some of its constants, whose shapes they have.
Graph with_values(const Graph& network, const std::map<ValueId, Constant>& values);

}  // namespace sepal
