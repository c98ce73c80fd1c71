#include "cli/console.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include "sepal/base/text.h"

namespace sepal::cli {

void Console::remark(std::string text) {
  if (!quiet_) remarks_.push_back(std::move(text));
}

void Console::progress(std::string_view text) {
  if (quiet_ || ::isatty(STDERR_FILENO) == 0) return;
  in_progress_ = true;
  write_all(STDERR_FILENO, format("\r\x1b[K{}: {}", program_, printable(text)));
}

void Console::clear_progress() noexcept {
  if (!in_progress_) return;
  in_progress_ = false;
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, "\r\x1b[K", 4);
}

void Console::finish(std::string_view document) {
  clear_progress();
  constexpr std::size_t kWhole = std::numeric_limits<std::size_t>::max();
  for (const std::string& remark : remarks_) {
    write_all(STDERR_FILENO, format("{}: {}\n", program_, printable(remark, kWhole)));
  }
  remarks_.clear();
  write_all(STDOUT_FILENO, document);
}

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (written == 0 || errno != EINTR) {
      const int code = written == 0 ? ENOSPC : errno;
      if (descriptor == STDERR_FILENO) return;  // nobody to tell
      if (code == EPIPE) throw BrokenPipe();
      fail(ErrorKind::kIo, "cannot write to standard output: {}", std::strerror(code));
    }
  }
}

void print_error(std::string_view program, std::string_view message) noexcept {
  try {
    write_all(STDERR_FILENO, format("{}: {}\n", program, printable(message, std::numeric_limits<std::size_t>::max())));
  } catch (...) {
    constexpr std::string_view kShort = "sepal: out of memory\n";
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kShort.data(), kShort.size());
  }
}

}  // namespace sepal::cli
