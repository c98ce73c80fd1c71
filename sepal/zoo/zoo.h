#pragma once

// Networks by name, as graphs with seeded weights: what their papers' tables say, layer by layer.

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "sepal/graph/graph.h"

#pragma GCC visibility push(default)

namespace sepal {

/// Options of a network; 0 (and -1) stand for the network's own default.
struct ZooOptions {
  double width = 1;       ///< multiplier of channels (alpha)
  std::int64_t size = 0;  ///< side of the square input; of ds_cnn the default is 49 x 10 and fixed
  std::int64_t classes = 0;
  std::int64_t stem_stride = 0;  ///< 1: the stem keeps the size, for small images
  std::uint64_t seed = 1;
};

/// One network of the zoo.
struct ZooEntry {
  std::string_view name;
  std::string_view what;    ///< one line
  std::string_view source;  ///< paper and table
  Graph (*build)(const ZooOptions& options);
};

/// All networks, in the order of `sepal zoo`.
std::span<const ZooEntry> zoo();

/// "mobilenet_v2:width=0.5,size=160,classes=10,stem=1,seed=7" taken apart.
struct ZooSpec {
  const ZooEntry* entry;
  ZooOptions options;
};
/// Throws Error(kUsage): no such network (with the nearest name), no such option, a value out of range.
ZooSpec parse_zoo_spec(std::string_view text);

/// The network's graph: NHWC inside, one input "input" [1, size, size, 3], one output "output" (logits), convolutions
/// without bias followed by batch norm where the paper has them, weights He-initialised (He et al. 2015) from the seed:
/// the same on every machine.
Graph build(const ZooSpec& spec);

}  // namespace sepal

#pragma GCC visibility pop
