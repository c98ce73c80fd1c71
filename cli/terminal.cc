#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace sepal::cli {

report::TextStyle terminal_style() {
  if (isatty(STDOUT_FILENO) == 0) return {};
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string_view(value == nullptr ? "" : value);
  };
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return {.width = known ? size.ws_col : 80, .colour = variable("NO_COLOR").empty() && variable("TERM") != "dumb"};
}

}  // namespace sepal::cli
