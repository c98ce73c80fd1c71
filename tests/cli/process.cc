#include "tests/cli/process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

// Output goes through files, not pipes: nothing to drain while the tool runs, so nothing to deadlock.

namespace sepal::cli {

Outcome run_tool(const std::vector<std::string>& words, const std::filesystem::path& out_file) {
  const TemporaryFolder folder;
  const std::string out = out_file.empty() ? folder / "out" : out_file.string();
  const std::string err = folder / "err";
  std::vector<std::string> arguments = words;
  arguments.insert(arguments.begin(), SEPAL_TOOL);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  const pid_t child = ::fork();
  if (child == 0) {
    const int out_fd = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int err_fd = ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(out_fd, STDOUT_FILENO);
    ::dup2(err_fd, STDERR_FILENO);
    ::execv(SEPAL_TOOL, argv.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  Outcome outcome;
  outcome.exit = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  if (out_file.empty()) outcome.out = read_text(out);
  outcome.err = read_text(err);
  return outcome;
}

testing::AssertionResult refuses(const std::vector<std::string>& words, int exit, std::string_view line) {
  const Outcome outcome = run_tool(words);
  if (outcome.exit == exit && outcome.out.empty() && outcome.err == std::string(line) + "\n")
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << "exit " << outcome.exit << ", stdout \"" << outcome.out << "\", stderr \""
                                     << outcome.err << "\"; expected exit " << exit << " and the line \"" << line
                                     << "\"";
}

testing::AssertionResult succeeds(const Outcome& outcome, std::string_view out, std::string_view err) {
  if (outcome.exit == 0 && outcome.out.find(out) != std::string::npos && outcome.err.find(err) != std::string::npos) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "exit " << outcome.exit << ", stdout \"" << outcome.out << "\", stderr \""
                                     << outcome.err << "\"; expected exit 0, \"" << out << "\" and \"" << err << "\"";
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "sepal_cli_test.XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw std::filesystem::filesystem_error("mkdtemp", std::error_code(errno, std::generic_category()));
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::write(std::string_view name, std::string_view bytes) const {
  std::ofstream(path_ / name, std::ios::binary) << bytes;
  return *this / name;
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace sepal::cli
