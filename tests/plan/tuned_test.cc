#include "sepal/plan/tuned.h"

#include <unistd.h>

#include <cstdlib>

#include "sepal/base/text.h"
#include "sepal/kernels/target.h"
#include "sepal/plan/chains.h"
#include "tests/plan/net.h"
#include "tests/raises.h"

namespace sepal {
namespace {

/// Two separable convolutions: nodes 0 to 3 are one chain.
Graph two_blocks(std::int64_t width = 16) {
  Net net;
  const Conv2d depthwise{.window = {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}, .groups = 8};
  Conv2d second = depthwise;
  second.groups = width;
  const ValueId x = net.conv(net.conv(net.input({1, 12, 12, 8}), depthwise, 8), {}, width);
  net.graph.add_output("y", net.conv(net.conv(x, second, width), {}, 8));
  return net.graph;
}

TEST(Tuned, TextIsReadAsItWasWritten) {
  const std::vector<Fused> fused = {{{0, 1}, 4}, {{2, 3}, 12}};
  EXPECT_EQ(to_text(fused), "sepal-tuned 1\nstep 0 1 rows 4\nstep 2 3 rows 12\n");
  EXPECT_EQ(parse_tuned(to_text(fused)), fused);
  EXPECT_EQ(parse_tuned("sepal-tuned 1\n"), std::vector<Fused>());
}

TEST(Tuned, OtherTextIsRefused) {
  struct Case {
    const char* why;
    const char* text;
    const char* message;
  };
  const Case cases[] = {
      {"nothing", "", "line 1: it has no end"},
      {"another file", "sepal-machine 1\n", "line 1: \"sepal-tuned 1\" belongs here, not \"sepal-machine 1\""},
      {"torn off", "sepal-tuned 1\nstep 0 1 ro", "line 2: it has no end"},
      {"another line", "sepal-tuned 1\nfuse 0 1\n",
       "line 2: \"step NODE NODE ... rows N\" belongs here, not \"fuse 0 1\""},
      {"no number", "sepal-tuned 1\nstep 0 x rows 2\n", "line 2: \"x\" is no whole number from 0 on"},
      {"below zero", "sepal-tuned 1\nstep 0 1 rows -2\n", "line 2: \"-2\" is no whole number from 0 on"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    EXPECT_TRUE(raises([&] { parse_tuned(test.text); }, test.message, ErrorKind::kInvalid));
  }
}

TEST(Tuned, StepsThatDoNotSuitTheNetworkAreRefused) {
  const Graph graph = two_blocks();
  struct Case {
    const char* why;
    std::vector<Fused> fused;
    const char* what;
  };
  const Case cases[] = {
      {"one alone", {{{0}, 2}}, "1 convolutions from node 0, 2 rows"},
      {"not neighbours", {{{0, 2}, 2}}, "2 convolutions from node 0, 2 rows"},
      {"beyond the end", {{{3, 4}, 2}}, "2 convolutions from node 3, 2 rows"},
      {"twice", {{{0, 1}, 2}, {{1, 2}, 2}}, "2 convolutions from node 1, 2 rows"},
      {"no rows", {{{0, 1}, 0}}, "2 convolutions from node 0, 0 rows"},
      {"more rows than there are", {{{0, 1}, 13}}, "2 convolutions from node 0, 13 rows"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    EXPECT_TRUE(raises([&] { Plan(graph, {.fused = test.fused}); },
                       format("a step of {} at once, does not suit this network; tune it again", test.what),
                       ErrorKind::kInvalid));
  }
}

TEST(Tuned, APlanDoesAsItIsTold) {
  const Graph graph = two_blocks();
  EXPECT_EQ(chains_of(graph), (std::vector<std::vector<std::size_t>>{{0, 1, 2, 3}}));
  const std::vector<Tensor> apart = outputs_of(graph, {.fuse = false});
  for (const std::vector<Fused>& fused :
       {std::vector<Fused>{{{0, 1, 2, 3}, 2}}, {{{1, 2}, 5}}, {{{0, 1}, 12}, {{2, 3}, 1}}, {}}) {
    const Plan plan(graph, {.fused = fused});
    std::size_t steps = 4;
    for (const Fused& one : fused) steps -= one.nodes.size() - 1;
    EXPECT_EQ(plan.steps().size(), steps);
    EXPECT_TRUE(identical(outputs_of(graph, {.fused = fused})[0], apart[0]));
  }
}

TEST(Tuned, IsKeptForOneNetworkAndMachine) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / format("sepal_tuned_{}", ::getpid());
  ::setenv("SEPAL_CACHE", folder.c_str(), 1);
  const Graph graph = two_blocks();
  const std::vector<Fused> fused = {{{1, 2}, 4}};
  EXPECT_EQ(kept_fused(graph, 1), std::nullopt);
  ASSERT_TRUE(keep_fused(fused, tuned_file(graph, 1).value()));
  EXPECT_EQ(kept_fused(graph, 1), fused);
  EXPECT_EQ(with_kept({}, graph).fused, fused);
  EXPECT_EQ(with_kept({.fuse = false}, graph).fused, std::nullopt);
  EXPECT_EQ(with_kept({.fused = std::vector<Fused>{}}, graph).fused, std::vector<Fused>());
  EXPECT_EQ(kept_fused(graph, 2), std::nullopt) << "other threads";
  EXPECT_EQ(kept_fused(two_blocks(24), 1), std::nullopt) << "another network";
  pin_target(available_targets().back());
  EXPECT_EQ(kept_fused(graph, 1), std::nullopt) << "another instruction set";
  pin_target(available_targets().front());
  for (const std::vector<Fused>& wrong : {std::vector<Fused>{{{0, 2}, 4}}, {{{7, 8}, 4}}}) {
    ASSERT_TRUE(keep_fused(wrong, tuned_file(graph, 1).value()));
    EXPECT_EQ(kept_fused(graph, 1), std::nullopt) << "of another network";
  }
  EXPECT_FALSE(keep_fused(fused, tuned_file(graph, 1).value() / "below a file"));
  std::filesystem::remove_all(folder);
  ::unsetenv("SEPAL_CACHE");
  ::unsetenv("HOME");
  ::unsetenv("XDG_CACHE_HOME");
  EXPECT_EQ(tuned_file(graph, 1), std::nullopt);
  EXPECT_EQ(kept_fused(graph, 1), std::nullopt);
}

}  // namespace
}  // namespace sepal
