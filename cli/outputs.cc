#include "cli/outputs.h"

#include <filesystem>
#include <system_error>

#include "sepal/base/text.h"

namespace sepal::cli {

void check_output(const std::string& path, const std::optional<std::string>& input) {
  std::error_code none;  // what is not there is no folder and not the input
  if (std::filesystem::is_directory(path, none)) fail(ErrorKind::kIo, "{}: is a folder, not a file", printable(path));
  if (!std::filesystem::path(path).has_filename())
    fail(ErrorKind::kIo, "{}: there is no such folder, and a file's name does not end in a slash", printable(path));
  if (input && std::filesystem::equivalent(path, *input, none))
    invalid("{}: is the model itself, which would be lost; write to another file", printable(path));
}

}  // namespace sepal::cli
