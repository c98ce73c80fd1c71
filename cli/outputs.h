#pragma once

#include <optional>
#include <string>

namespace sepal::cli {

/// Looks whether a file may be written to `path`, before there is anything to write. `input` is the file that the verb
/// reads. Throws Error(kIo) where `path` is a folder or ends in a slash, Error(kInvalid) where it is `input`, under
/// whatever name.
void check_output(const std::string& path, const std::optional<std::string>& input = std::nullopt);

}  // namespace sepal::cli
