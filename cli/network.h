#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/options.h"
#include "sepal/formats/onnx_read.h"
#include "sepal/graph/graph.h"
#include "sepal/report/network_report.h"
#include "sepal/zoo/zoo.h"

namespace sepal::cli {

/// A network that is looked at rather than run through the front door: counted, planned, timed.
struct Network {
  std::string name;
  Graph graph;
  std::vector<report::UncountedNode> uncounted = {};
};

/// What is done with it decides how it is read.
struct NetworkUse {
  Weights weights = Weights::kNone;                        ///< of a network of the zoo
  onnx::Unhandled unhandled = onnx::Unhandled::kLeaveOut;  ///< nodes of a file that cannot be run
  const char* what = "counting";                           ///< for errors: "counting needs --shape ..."
  std::optional<int> batch = {};                           ///< --batch
};

/// A file or a network of the zoo. Free batches are those of --batch, else taken as 1, said on `console`; other free
/// shapes throw Error(kInvalid) that asks for --shape, as does --batch where the batch is fixed.
Network read_network(const std::string& model, const LoadOptions& load, const NetworkUse& use, Console& console);

}  // namespace sepal::cli
