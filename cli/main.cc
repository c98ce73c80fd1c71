#include <unistd.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <algorithm>
#include <functional>
#include <new>
#include <vector>

#include "cli/console.h"
#include "cli/interrupt.h"
#include "cli/verb.h"
#include "sepal/base/text.h"
#include "sepal/kernels/target.h"
#include "sepal/report/columns.h"
#include "sepal/report/json.h"
#include "sepal/version.h"

// sepal VERB ...: finds the verb, and turns what went wrong into one line and an exit code.

namespace sepal::cli {

using report::Json;
using report::to_text;
namespace {

constexpr int kBadInput = 1;
constexpr int kBadUsage = 2;
constexpr int kOurFault = 3;

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
    case ErrorKind::kUnsupported:
    case ErrorKind::kIo:
      return kBadInput;
    case ErrorKind::kUsage:
      return kBadUsage;
    case ErrorKind::kMemory:
    case ErrorKind::kInternal:
      break;
  }
  return kOurFault;
}

/// Runs `work`; whatever leaves it becomes a line on stderr and an exit code.
int guarded(const std::string& program, const std::function<void()>& work) {
  try {
    work();
    return 0;
  } catch (const Error& error) {
    print_error(program, error.what());
    return exit_code(error.kind());
  } catch (const BrokenPipe&) {
    return 0;
  } catch (const std::bad_alloc&) {
    print_error(program, "out of memory");
  } catch (const std::exception& error) {
    print_error(program, error.what());
  }
  return kOurFault;
}

std::string verbs_text() {
  std::vector<std::vector<std::string>> rows;
  for (const Verb& verb : verbs()) rows.push_back({std::string(verb.name), std::string(verb.summary)});
  return "Verbs:\n" + to_text(rows, 2) + R"(
Examples:
  sepal run mobilenet.onnx --image cat.jpg --labels labels.txt
  sepal run model.onnx --input x.npy --output-dir out
  sepal inspect model.onnx --plan
  sepal run --help

Exit codes: 0 done; 1 bad input; 2 bad usage; 3 our fault, or out of memory; 130 interrupted
)";
}

std::string version(bool json) {
  if (json) return to_text(Json{{"version", kVersion}, {"target", target_name()}, {"targets", available_targets()}});
  return format("sepal {}, instruction set {} of {}\n", kVersion, target_name(), join(available_targets(), " "));
}

/// sepal without a verb: --version, --help and what they know.
void run_bare(const std::vector<std::string>& words) {
  bool wants_version = false;
  bool json = false;
  std::optional<std::string> target;
  Options options("sepal", "Runs convolutional networks built from depthwise separable convolutions.", verbs_text(),
                  "sepal VERB");
  options.flag({"--version", "", "Print the version and the instruction set in use"}, wants_version);
  options.flag({"--json", "", "The version as a JSON document"}, json);
  options.text(target_option(), target);
  if (!options.parse(words)) return write_all(STDOUT_FILENO, options.help());
  if (target) pin_target(*target);
  if (wants_version) return write_all(STDOUT_FILENO, version(json));
  if (words.empty()) {
    write_all(STDERR_FILENO, options.help());
    throw Error(ErrorKind::kUsage, "a verb is missing");
  }
  fail(ErrorKind::kUsage, "a verb is missing; options stand after it, as in sepal run MODEL {}",
       printable(words.front()));
}

void run_verb(const Verb& verb, const std::vector<std::string>& words) {
  Options options(format("sepal {}", verb.name), format("{}.", verb.summary), std::string(verb.epilogue));
  const Action action = verb.declare(options);
  if (!options.parse(words)) return write_all(STDOUT_FILENO, options.help());
  action();
}

[[noreturn]] void refuse_verb(const std::string& word) {
  std::vector<std::string_view> names;
  for (const Verb& verb : verbs()) names.push_back(verb.name);
  const std::string_view near = nearest(word, names);
  fail(ErrorKind::kUsage, "no verb \"{}\"; {}", printable(word),
       near.empty() ? format("there are {}", join(names, ", ")) : format("did you mean \"{}\"?", near));
}

int run(std::vector<std::string> words) {
  if (!words.empty() && words.front() == "help") {  // sepal help [VERB]
    words.erase(words.begin());
    words.insert(words.end(), "--help");
  }
  if (words.empty() || words.front().starts_with('-')) {
    // Options before the verb would have to be known to all verbs; refused with a line that says so.
    const auto verb = std::ranges::find_if(words, [](const std::string& word) {
      return std::ranges::any_of(verbs(), [&](const Verb& known) { return known.name == word; });
    });
    return guarded("sepal", [&] {
      if (verb != words.end()) {
        fail(ErrorKind::kUsage, "options stand after the verb: sepal {} ... {}", *verb, printable(words.front()));
      }
      run_bare(words);
    });
  }
  for (const Verb& verb : verbs()) {
    if (verb.name != words.front()) continue;
    words.erase(words.begin());
    return guarded(format("sepal {}", verb.name), [&] { run_verb(verb, words); });
  }
  return guarded("sepal", [&] { refuse_verb(words.front()); });
}

/// Reading, optimising and packing take memory and let it go again, each what the one before did. Kept, it need not
/// come from the system anew, page by page: loading MobileNetV2 takes 5 to 9 % less time. Large blocks go back, or they
/// would leave holes.
void keep_what_is_freed() {
#if defined(__GLIBC__)
  constexpr int kLarge = 1 << 20;
  constexpr int kKept = 64 << 20;
  mallopt(M_MMAP_THRESHOLD, kLarge);
  mallopt(M_TRIM_THRESHOLD, kKept);
#endif
}

}  // namespace
}  // namespace sepal::cli

int main(int argc, char** argv) {
  sepal::cli::handle_signals();
  sepal::cli::keep_what_is_freed();
  try {
    return sepal::cli::run(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
  } catch (...) {  // the arguments themselves were too much
    sepal::cli::print_error("sepal", "out of memory");
    return 3;
  }
}
