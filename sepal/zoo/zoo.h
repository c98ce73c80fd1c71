#pragma once

// Networks by name, as graphs with seeded weights: what their papers' tables say, layer by layer.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sepal/graph/graph.h"

namespace sepal {

class NetworkBuilder;

/// What can be chosen about a network. Each has defaults of its own: ZooEntry::defaults.
struct ZooOptions {
  double width = 1;              ///< multiplier of channels (alpha); how it rounds is the network's own rule
  std::int64_t size = 224;       ///< side of the square input
  std::int64_t channels = 3;     ///< of the input: 1 for grey images
  std::int64_t classes = 1000;   ///< logits
  std::int64_t batch = 1;        ///< images in one run
  std::int64_t stem_stride = 2;  ///< 1: the stem keeps the input's size, for small images
  std::int64_t unstrided = 0;  ///< rows behind the stem that stride, from the front, and here do not: for small images
  std::uint64_t seed = 1;      ///< of the weights
  friend bool operator==(const ZooOptions&, const ZooOptions&) = default;
};

/// An option that a network does not have, and why: "its input is 49 x 10".
struct FixedOption {
  std::string_view option;
  std::string_view why;
};

/// One network of the zoo.
struct ZooEntry {
  std::string_view name;
  std::string_view what;    ///< one line
  std::string_view source;  ///< paper and table
  ZooOptions defaults;
  std::span<const FixedOption> fixed;
  /// Adds the layers, from input to logits.
  void (*describe)(NetworkBuilder& net, const ZooOptions& options);
};

/// All networks, in the order of `sepal zoo`.
std::span<const ZooEntry> zoo();

/// Names of the options that the network has: "width", "size" ...
std::vector<std::string_view> options_of(const ZooEntry& entry);

/// A network and what was chosen about it.
struct ZooSpec {
  const ZooEntry* entry;
  ZooOptions options;
};

/// "mobilenet_v2:width=0.5,size=160,classes=10,stem=1,seed=7" taken apart; what is not named is as
/// ZooEntry::defaults says. Throws Error(kUsage): no such network (with the nearest name), no such option, one that
/// this network does not have, a value out of range.
ZooSpec parse_zoo_spec(std::string_view text);

/// The same where `text`, up to a colon, is the name of a network; nothing where it is not, so that it may be
/// something else, such as a path.
std::optional<ZooSpec> find_zoo_spec(std::string_view text);

/// The text that parse_zoo_spec reads, with those options that are not the network's defaults.
std::string to_string(const ZooSpec& spec);

/// What the constants of a graph hold. With kNone they are zeros: enough for counting, and quicker.
enum class Weights : std::uint8_t { kSeeded, kNone };

/// The network's graph: one input "input" [batch, size, size, channels] (of ds_cnn [batch, 49, 10, 1]), one output
/// "output" [batch, classes], logits; convolutions without bias followed by batch norm where the paper has it. Weights
/// are He-initialised (He et al. 2015) from the seed, and the same bit by bit on every machine; batch norm holds the
/// statistics that such weights lead to, so that activations neither die out nor explode.
/// Throws Error(kInvalid) that names the layer where the size is too small or the weights do not fit this
/// machine; the spec stands in front.
Graph build(const ZooSpec& spec, Weights weights = Weights::kSeeded);

}  // namespace sepal
