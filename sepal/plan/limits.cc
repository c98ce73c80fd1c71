#include "sepal/plan/limits.h"

#include <algorithm>

#include "sepal/base/checked.h"
#include "sepal/base/text.h"

namespace sepal {
namespace {

std::string human(std::size_t bytes) { return human_bytes(static_cast<double>(bytes)); }

}  // namespace

std::size_t bytes_of(const TensorType& type) {
  return static_cast<std::size_t>(type.shape.elements()) * size_of(type.type);
}

MemoryLimits::MemoryLimits(const Graph& graph, std::size_t limit)
    : graph_(graph), limit_(limit), constant_budget_(std::size_t{64} << 20), depends_(graph.value_count()) {
  for (const Port& port : graph.inputs()) depends_[Graph::index(port.value)] = true;
  for (std::size_t i = 0; i < graph.value_count(); ++i) {
    const Constant& constant = graph.constant(ValueId{static_cast<std::uint32_t>(i)});
    if (constant != nullptr) constant_budget_ += 16 * constant->bytes();
  }
}

void MemoryLimits::count(const Node& node, const std::string& name) {
  const bool depends = std::ranges::any_of(node.inputs, [&](ValueId input) { return depends_[Graph::index(input)]; });
  for (const ValueId output : node.outputs) {
    depends_[Graph::index(output)] = depends;
    if (std::holds_alternative<Reshape>(node.op)) continue;  // takes no memory
    const TensorType& type = graph_.type(output);
    const std::size_t bytes = bytes_of(type);
    if (limit_ != 0 && bytes > limit_) {
      invalid("{}: its output {} takes {}, but the limit is {}", name, to_string(type), human(bytes), human(limit_));
    }
    if (!depends && bytes > constant_budget_) {
      invalid("{}: its output {} takes {}, more than the constants that it is computed from justify", name,
              to_string(type), human(bytes));
    }
    if (!depends) constant_budget_ -= bytes;
    const auto sum = checked_add(static_cast<std::int64_t>(activation_bytes_), static_cast<std::int64_t>(bytes));
    if (!sum) invalid("{}: with its output {} all activations take more than 8 EiB", name, to_string(type));
    activation_bytes_ = static_cast<std::size_t>(*sum);
  }
}

void MemoryLimits::check_sum(std::size_t workspace) const {
  std::size_t outputs = 0;  // of sizes that were added up before: no overflow
  for (const Port& port : graph_.outputs()) outputs += bytes_of(graph_.type(port.value));
  if (limit_ != 0 && workspace + outputs > limit_) {
    invalid("activations need {} and outputs {}, but the limit is {}", human(workspace), human(outputs), human(limit_));
  }
}

}  // namespace sepal
