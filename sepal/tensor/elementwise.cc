#include "sepal/tensor/elementwise.h"

#include <array>
#include <cstddef>

namespace sepal {
namespace {

// Each in the order of its enum.
constexpr std::array<std::string_view, 32> kUnary = {
    "identity",   "abs",   "negate",     "sign", "floor",     "ceil",     "round",    "sqrt",
    "reciprocal", "exp",   "log",        "erf",  "sin",       "cos",      "tanh",     "not",
    "relu",       "clip",  "leaky_relu", "elu",  "selu",      "celu",     "sigmoid",  "hard_sigmoid",
    "hard_swish", "swish", "mish",       "gelu", "gelu_tanh", "softplus", "softsign", "thresholded_relu"};
constexpr std::array<std::string_view, 17> kBinary = {
    "add",   "subtract", "multiply",      "divide",  "minimum",          "maximum", "power", "prelu", "modulo",
    "equal", "less",     "less_or_equal", "greater", "greater_or_equal", "and",     "or",    "xor"};
constexpr std::array<std::string_view, 2> kPool = {"max", "average"};
constexpr std::array<std::string_view, 10> kReduce = {"sum", "mean", "max",        "min",     "product",
                                                      "l1",  "l2",   "sum_square", "log_sum", "log_sum_exp"};

static_assert(static_cast<std::size_t>(UnaryKind::kThresholdedRelu) + 1 == kUnary.size());
static_assert(static_cast<std::size_t>(BinaryKind::kXor) + 1 == kBinary.size());
static_assert(static_cast<std::size_t>(ReduceKind::kLogSumExp) + 1 == kReduce.size());

}  // namespace

std::string_view name_of(UnaryKind kind) { return kUnary[static_cast<std::size_t>(kind)]; }
std::string_view name_of(BinaryKind kind) { return kBinary[static_cast<std::size_t>(kind)]; }
std::string_view name_of(PoolKind kind) { return kPool[static_cast<std::size_t>(kind)]; }
std::string_view name_of(ReduceKind kind) { return kReduce[static_cast<std::size_t>(kind)]; }

}  // namespace sepal
