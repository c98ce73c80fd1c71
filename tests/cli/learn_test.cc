// sepal learn from the outside; what its page does is tested in tests/web.

#include <gtest/gtest.h>

#include "tests/cli/process.h"

namespace sepal::cli {
namespace {

TEST(Learn, WritesOnePage) {
  const TemporaryFolder folder;
  const std::string file = folder / "learn.html";
  folder.write("learn.html", "an older one");
  const Outcome outcome = run_tool({"learn", "--html", file, "--quiet"});
  EXPECT_TRUE(succeeds(outcome, file + ": "));
  EXPECT_EQ(outcome.err, "");
  const std::string page = read_text(file);
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
  EXPECT_TRUE(page.ends_with("</html>\n"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1) << "no temporary is left";
}

TEST(Learn, SaysWhereItCannotWrite) {
  const TemporaryFolder folder;
  const std::string file = folder / "none/learn.html";
  EXPECT_TRUE(refuses({"learn"}, 2, "sepal learn: --html FILE is missing: where the page goes"));
  EXPECT_TRUE(
      refuses({"learn", "--html", file}, 1, "sepal learn: " + file + ": cannot be written: No such file or directory"));
  EXPECT_TRUE(refuses({"learn", "--html", folder.path().string()}, 1,
                      "sepal learn: " + folder.path().string() + ": is a folder, not a file"));
}

}  // namespace
}  // namespace sepal::cli
