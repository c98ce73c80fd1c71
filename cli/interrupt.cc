#include "cli/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string_view>

// A network runs for milliseconds to seconds and holds nothing that outlives the process, so an interrupt
// ends it on the spot. Only writing files is seen through to the end of the file, and training to the end of a step.

namespace sepal::cli {
namespace {

std::atomic<int> waiting = 0;
std::atomic<bool> interrupted = false;
std::atomic<bool> polled = false;
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free, "used in a handler");

[[noreturn]] void leave() {
  // On a terminal: off the progress line, which would stay as a torso.
  constexpr std::string_view kNewline = "\n";
  if (::isatty(STDERR_FILENO) != 0) {
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kNewline.data(), kNewline.size());
  }
  ::_exit(kInterrupted);
}

void on_interrupt(int) {
  const bool again = interrupted.exchange(true);
  if (waiting == 0 && (again || !polled)) leave();
}

}  // namespace

void handle_signals() {
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
}

Uninterrupted::Uninterrupted() { ++waiting; }

Uninterrupted::~Uninterrupted() {
  if (--waiting == 0 && interrupted) leave();
}

Polled::Polled() {
  polled = true;
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGTERM, &action, nullptr);
}

Polled::~Polled() {
  polled = false;
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  ::sigaction(SIGTERM, &action, nullptr);
}

bool Polled::is_asked() { return interrupted; }

void leave_interrupted() { leave(); }

}  // namespace sepal::cli
