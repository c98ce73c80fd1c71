#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sepal::cli {

/// What a run of the tool came to.
struct Outcome {
  int exit = -1;  ///< exit code, or 1000 + the signal that ended it
  std::string out;
  std::string err;
};

/// Runs the tool with these words and waits. Its stdout goes to `out_file`, where one is given.
Outcome run_tool(const std::vector<std::string>& words, const std::filesystem::path& out_file = {});

/// Whether the tool refused: that exit code, nothing on stdout, and this one line on stderr.
testing::AssertionResult refuses(const std::vector<std::string>& words, int exit, std::string_view line);

/// Whether it succeeded with both texts among what it printed.
testing::AssertionResult succeeds(const Outcome& outcome, std::string_view out = {}, std::string_view err = {});

/// A folder of its own, removed with what is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// The path of `name` in it, as text.
  std::string operator/(std::string_view name) const { return (path_ / name).string(); }
  /// Writes a file and returns its path.
  std::string write(std::string_view name, std::string_view bytes) const;

 private:
  std::filesystem::path path_;
};

std::string read_text(const std::filesystem::path& path);

}  // namespace sepal::cli
