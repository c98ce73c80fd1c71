#include "cli/network.h"

#include "cli/shapes.h"
#include "sepal/base/text.h"
#include "sepal/formats/onnx_read.h"
#include "sepal/model/value_info.h"
#include "sepal/model/zoo_name.h"
#include "sepal/optimize/optimize.h"

namespace sepal::cli {
namespace {

/// What only nodes left out read is an output too, lest a rewrite take it for useless.
void keep_all(Graph& graph) {
  const std::vector<int> uses = count_uses(graph);
  std::vector<ValueId> unread;
  for (const Node& node : graph.nodes()) {
    for (const ValueId output : node.outputs) {
      if (uses[Graph::index(output)] == 0) unread.push_back(output);
    }
  }
  for (const ValueId value : unread)
    graph.add_output(format("(read by a node left out {})", Graph::index(value)), value);
}

/// A batch that was asked for goes where an input leaves its first axis free, or is what the file says anyway.
void check_batch(const std::string& model, int batch, const std::vector<ValueInfo>& inputs,
                 const GuessedShapes& guess) {
  if (!guess.batches.empty()) return;
  for (const ValueInfo& input : inputs) {
    const auto bound = guess.shapes.find(input.name);
    const std::string text = bound == guess.shapes.end() ? input.text : to_string(bound->second);
    const std::int64_t first = bound != guess.shapes.end() ? (bound->second.rank() == 0 ? -1 : bound->second[0])
                                                           : (input.dimensions.empty() ? -1 : input.dimensions[0]);
    if (first != batch)
      invalid("{}: the batch cannot be {}: its input \"{}\" is {}", printable(model), batch, printable(input.name),
              text);
  }
}

Network read_file(const std::string& model, const LoadOptions& load, const NetworkUse& use, Console& console) {
  const onnx::Source source = onnx::Source::open(model, use.unhandled);
  std::vector<ValueInfo> inputs;
  for (const onnx::Declaration& input : source.inputs()) inputs.push_back(value_info(input));
  const GuessedShapes guess = guess_shapes(inputs, load.shapes, use.batch.value_or(1));
  if (!guess.open.empty()) {
    std::vector<std::string> wanted;
    for (const std::string& name : guess.open) wanted.push_back(format("--shape {}=...", printable(name)));
    invalid("{}: shapes are free; {} needs {}", printable(source.name()), use.what, join(wanted, " "));
  }
  if (use.batch) {
    check_batch(source.name(), *use.batch, inputs, guess);
  } else if (!guess.batches.empty()) {
    console.remark(format("the free first axis of {} taken as 1; --shape gives another",
                          printable(format("{}", join(guess.batches, ", ")))));
  }
  onnx::Bindings bindings;
  for (const auto& [name, shape] : guess.shapes) bindings[name] = {shape, nullptr};
  if (use.unhandled == onnx::Unhandled::kRefuse) return {source.name(), without_layout(source.graph(bindings))};
  onnx::Countable countable = source.countable(bindings);
  if (!countable.left_out.empty()) keep_all(countable.graph);
  Network network{source.name(), without_layout(countable.graph)};
  for (onnx::Uncounted& node : countable.left_out)
    network.uncounted.push_back({std::move(node.name), std::move(node.type), std::move(node.why)});
  return network;
}

}  // namespace

Network read_network(const std::string& model, const LoadOptions& load, const NetworkUse& use, Console& console) {
  if (std::optional<ZooSpec> spec = zoo_spec_of(model)) {
    if (!load.shapes.empty())
      throw Error(ErrorKind::kUsage,
                  "--shape is for a file; a network of the zoo has size, as in mobilenet_v1:size=160");
    if (use.batch && spec->options.batch != spec->entry->defaults.batch && spec->options.batch != *use.batch)
      fail(ErrorKind::kUsage, "--batch {} and {} are two batches", *use.batch, printable(model));
    if (use.batch) spec->options.batch = *use.batch;
    return {to_string(*spec), build(*spec, use.weights)};
  }
  return read_file(model, load, use, console);
}

}  // namespace sepal::cli
