// The rows that only move elements, of every type, against the reference: the bits must be the same.

#include <gtest/gtest.h>

#include <functional>

#include "sepal/plan/plan.h"
#include "tests/optimize/same.h"
#include "tests/plan/net.h"

namespace sepal {
namespace {

struct Row {
  const char* why;
  const char* kernel;
  Shape input;
  std::function<ValueId(Graph&, ValueId)> build;
};

Slice slice(const PerAxis& start, const PerAxis& step, const Shape& size) {
  return {.start = start, .step = step, .size = size};
}

ValueId index(Graph& graph, std::int64_t value) {
  Tensor tensor(DataType::kI64, {});
  tensor.values<std::int64_t>()[0] = value;
  return graph.add_constant(std::move(tensor));
}

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows = {
      {"channels beside one another",
       "concat",
       {2, 5, 7, 3},
       [](Graph& g, ValueId x) { return g.add(Concat{.axis = 3}, {x, x, x}); }},
      {"large enough for threads",
       "concat",
       {1, 96, 97, 24},
       [](Graph& g, ValueId x) { return g.add(Concat{.axis = 3}, {x, x}); }},
      {"one after another", "concat", {3, 4}, [](Graph& g, ValueId x) { return g.add(Concat{.axis = 0}, {x, x}); }},
      {"one of them empty",
       "concat",
       {3, 4},
       [](Graph& g, ValueId x) {
         const ValueId none = g.add(slice({}, {1, 1, 1, 1, 1, 1}, {3, 0}), {x});
         return g.add(Concat{.axis = 1}, {x, none, x});
       }},
      {"a part of the channels",
       "slice",
       {2, 5, 7, 10},
       [](Graph& g, ValueId x) { return g.add(slice({0, 0, 0, 3}, {1, 1, 1, 1, 1, 1}, {2, 5, 7, 4}), {x}); }},
      {"every other pixel",
       "slice",
       {1, 8, 10, 3},
       [](Graph& g, ValueId x) { return g.add(slice({0, 1, 0, 0}, {1, 2, 2, 1, 1, 1}, {1, 4, 5, 3}), {x}); }},
      {"backwards",
       "slice",
       {4, 9},
       [](Graph& g, ValueId x) { return g.add(slice({3, 8}, {-1, -2, 1, 1, 1, 1}, {4, 5}), {x}); }},
      {"nothing",
       "slice",
       {4, 9},
       [](Graph& g, ValueId x) { return g.add(slice({}, {1, 1, 1, 1, 1, 1}, {4, 0}), {x}); }},
      {"more channels",
       "pad",
       {2, 5, 7, 3},
       [](Graph& g, ValueId x) { return g.add(Pad{.after = {0, 0, 0, 5}}, {x}); }},
      {"a frame of a value",
       "pad",
       {2, 5, 7, 3},
       [](Graph& g, ValueId x) { return g.add(Pad{.before = {0, 1, 2, 0}, .after = {1, 3, 0, 1}, .value = 7}, {x}); }},
      {"less on one side, more on the other",
       "pad",
       {4, 6, 5},
       [](Graph& g, ValueId x) { return g.add(Pad{.before = {-1, 2, -2}, .after = {2, -3, 0}, .value = -3}, {x}); }},
      {"a frame that cuts everything off",
       "reference",
       {4, 6},
       [](Graph& g, ValueId x) { return g.add(Pad{.before = {-4, 0}, .after = {3, 0}}, {x}); }},
      {"a mirrored frame",
       "reference",
       {4, 6},
       [](Graph& g, ValueId x) { return g.add(Pad{.mode = PadMode::kReflect, .before = {1, 2}}, {x}); }},
      {"axes inside out",
       "transpose",
       {5, 2, 7},
       [](Graph& g, ValueId x) { return g.add(Transpose{Permutation::of({2, 1, 0})}, {x}); }},
      {"a channel shuffle",
       "transpose",
       {44, 44, 24, 2, 1},
       [](Graph& g, ValueId x) { return g.add(Transpose{Permutation::of({3, 4, 2, 0, 1})}, {x}); }},
      {"a gate on every pixel",
       "expand",
       {2, 1, 1, 5},
       [](Graph& g, ValueId x) { return g.add(Expand{{2, 3, 4, 5}}, {x}); }},
      {"a value a row, more axes", "expand", {3, 1}, [](Graph& g, ValueId x) { return g.add(Expand{{4, 3, 5}}, {x}); }},
      {"one half", "gather", {2, 5, 6}, [](Graph& g, ValueId x) { return g.add(Gather{.axis = 0}, {x, index(g, 1)}); }},
      {"from the end",
       "gather",
       {2, 5, 6},
       [](Graph& g, ValueId x) { return g.add(Gather{.axis = 1}, {x, index(g, -2)}); }},
      {"beyond the end: the last",
       "gather",
       {2, 5, 6},
       [](Graph& g, ValueId x) { return g.add(Gather{.axis = 2}, {x, index(g, 9)}); }},
  };
  return kRows;
}

constexpr DataType kTypes[] = {DataType::kF32, DataType::kF16, DataType::kI8,  DataType::kU8,  DataType::kI16,
                               DataType::kU16, DataType::kI32, DataType::kI64, DataType::kBool};

TEST(Moves, AgreeWithTheReferenceInEveryType) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.why);
    for (const DataType type : kTypes) {
      SCOPED_TRACE(name_of(type));
      Graph graph;
      ValueId x = graph.add_input("x", {DataType::kF32, row.input});
      if (type != DataType::kF32) x = graph.add(Cast{.to = type}, {x});
      graph.add_output("y", row.build(graph, x));
      EXPECT_EQ(Plan(graph, {}).steps().back().kernel, row.kernel);
      const Tensor expected = std::move(outputs_of(graph, {.reference_only = true}, 100)[0]);
      for (const int threads : {1, 3}) {
        EXPECT_TRUE(identical(outputs_of(graph, {.threads = threads}, 100)[0], expected)) << threads << " threads";
      }
    }
  }
}

TEST(Moves, TakeAnIndexKnownOnlyAtRunTime) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::kF32, {3, 4}});
  const ValueId i = graph.add(Cast{.to = DataType::kI32}, {graph.add_input("i", {DataType::kF32, {1}})});
  graph.add_output("y", graph.add(Gather{.axis = 0}, {x, i}));
  EXPECT_EQ(Plan(graph, {}).steps().back().kernel, "gather");
  EXPECT_TRUE(identical(outputs_of(graph, {}, 2)[0], outputs_of(graph, {.reference_only = true}, 2)[0]));
}

}  // namespace
}  // namespace sepal
