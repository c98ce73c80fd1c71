#pragma once

#include <concepts>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#pragma GCC visibility push(default)

namespace sepal {

/// What went wrong, so that a caller can choose an exit code or a status without reading the text.
enum class ErrorKind {
  kInvalid,      ///< bad input: a file, an array, an option's value
  kUnsupported,  ///< understood, and not done here
  kIo,           ///< a file could not be opened, read or written
  kUsage,        ///< the call itself is wrong: an unknown name, a missing argument
  kMemory,       ///< memory that was asked for is not there
  kInternal,     ///< our fault
};

/// Every error of the library. The message reads `<file>: <node>: <problem>[; <remedy>]`, in lower case
/// and without a full stop; whoever throws knows the problem, whoever calls adds where it was (`in`).
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

  ErrorKind kind() const noexcept { return kind_; }

  /// The same error with the place in front: "net.onnx" + "block_3: no filter".
  Error in(std::string_view place) const { return Error(kind_, std::string(place) + ": " + what()); }

 private:
  ErrorKind kind_;
};

/// Runs `work`; an Error that leaves it carries `place` in front of its message.
template <std::invocable Work>
decltype(auto) in_place(std::string_view place, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    throw error.in(place);
  }
}

/// A precondition of the code itself, not of its input. Throws Error(kInternal) that names the line.
void expect(bool holds, const char* what, std::source_location where = std::source_location::current());

}  // namespace sepal

#pragma GCC visibility pop
