#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sepal::cli {

/// What a verb says. Results are gathered and come out at the very end, so a failure leaves stdout empty and
/// one line on stderr.
class Console {
 public:
  /// `program` ("sepal run") stands in front of each remark; `quiet` drops them.
  Console(std::string program, bool quiet) : program_(std::move(program)), quiet_(quiet) {}
  ~Console() { clear_progress(); }
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// A line for stderr, where it appears before the results.
  void remark(std::string text);
  /// Replaces the progress line, on a terminal only.
  void progress(std::string_view text);
  /// Remarks to stderr, then `document` to stdout, whole. Throws Error(kIo) if stdout takes no more; a
  /// reader that went away is no error (BrokenPipe).
  void finish(std::string_view document);

 private:
  void clear_progress() noexcept;

  std::string program_;
  bool quiet_;
  bool in_progress_ = false;
  std::vector<std::string> remarks_;
};

/// Thrown when stdout's reader has seen enough (`sepal ... | head`).
struct BrokenPipe {};

/// Writes all of `text` to the descriptor. Throws Error(kIo) or BrokenPipe.
void write_all(int descriptor, std::string_view text);

/// The one line of a failure on stderr, control characters shown as \xNN. Never throws.
void print_error(std::string_view program, std::string_view message) noexcept;

}  // namespace sepal::cli
