#pragma once

namespace sepal::cli {

/// The exit code of a run that was interrupted (Ctrl-C).
inline constexpr int kInterrupted = 130;

/// From now on SIGINT ends the process with exit code 130 at once, or at the end of an Uninterrupted scope;
/// SIGPIPE is an error of the write that met it.
void handle_signals();

/// While one lives, an interrupt waits: for writing files, which leaves temporary files if cut short.
class Uninterrupted {
 public:
  Uninterrupted();
  ~Uninterrupted();
  Uninterrupted(const Uninterrupted&) = delete;
  Uninterrupted& operator=(const Uninterrupted&) = delete;
};

/// While one lives, the first SIGINT or SIGTERM only leaves word, for work that ends by itself at a good place; the
/// next one ends the process.
class Polled {
 public:
  Polled();
  ~Polled();
  Polled(const Polled&) = delete;
  Polled& operator=(const Polled&) = delete;
  static bool is_asked();
};

/// Ends the process with kInterrupted.
[[noreturn]] void leave_interrupted();

}  // namespace sepal::cli
