#include "sepal/machine/machine_file.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <system_error>

#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "sepal/base/thread_pool.h"
#include "sepal/kernels/target.h"
#include "sepal/machine/system.h"

// Lines of "key value", in one order. The reader takes nothing on trust: the file may be another version's, half
// written by a system that crashed, or edited by hand.

namespace sepal {
namespace {

constexpr std::string_view kHeading = "sepal-machine 1";
constexpr std::size_t kMostBytes = 64 * 1024;
constexpr std::size_t kMostName = 200;
constexpr int kMostCores = 65'536;
constexpr std::chrono::hours kPatience{1};  // with figures that are known to be low

class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  bool done() const { return text_.empty(); }

  std::string_view next() {
    ++number_;
    const std::size_t end = text_.find('\n');
    if (end == text_.npos) wrong("the file ends in the middle of a line, or too early");
    const std::string_view line = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return line;
  }

  /// What follows `key` and a blank on the next line.
  std::string_view value_of(std::string_view key) {
    const std::string_view line = next();
    if (!line.starts_with(key) || line.size() < key.size() + 2 || line[key.size()] != ' ') {
      wrong(format("\"{} ...\" belongs here, not \"{}\"", key, printable(line)));
    }
    return line.substr(key.size() + 1);
  }

  std::string name_of(std::string_view key) {
    const std::string_view value = value_of(key);
    if (value.size() > kMostName || printable(value, kMostName) != value) {
      wrong(format("{} is no plain name: \"{}\"", key, printable(value)));
    }
    return std::string(value);
  }

  double rate(std::string_view what, std::string_view word) const {
    double value = 0;
    const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (problem != std::errc() || end != word.data() + word.size() || !std::isfinite(value) || value <= 0) {
      wrong(format("{} is a positive number, not \"{}\"", what, printable(word)));
    }
    return value;
  }

  std::size_t whole(std::string_view what, std::string_view word, std::size_t most) const {
    std::size_t value = 0;
    const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (problem != std::errc() || end != word.data() + word.size() || value == 0 || value > most) {
      wrong(format("{} is a whole number from 1 to {}, not \"{}\"", what, most, printable(word)));
    }
    return value;
  }

  [[noreturn]] void wrong(std::string_view problem) const { invalid("line {}: {}", number_, problem); }

 private:
  std::string_view text_;
  int number_ = 0;
};

MemoryLevel read_level(Lines& lines) {
  const std::string_view value = lines.value_of("level");
  std::array<std::string_view, 4> words;
  std::string_view rest = value;
  for (std::string_view& word : words) {
    word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  }
  if (words[3].empty() || !rest.empty() || value.ends_with(' ')) {
    lines.wrong(format("a level is NAME BYTES RATE RATE, not \"{}\"", printable(value)));
  }
  const bool cache = words[0].size() == 2 && words[0][0] == 'L' && words[0][1] >= '1' && words[0][1] <= '9';
  if (!cache && words[0] != "memory") {
    lines.wrong(format("a level is called L1 to L9 or memory, not \"{}\"", printable(words[0])));
  }
  return {std::string(words[0]), lines.whole("the size of a level", words[1], std::size_t{1} << 60),
          lines.rate("the rate of a level", words[2]), lines.rate("the rate of a level", words[3])};
}

/// Whether what had the cores when the file was written may have them still.
bool is_recent(const std::filesystem::path& file) {
  std::error_code problem;
  const auto written = std::filesystem::last_write_time(file, problem);
  return !problem && std::filesystem::file_time_type::clock::now() - written < kPatience;
}

}  // namespace

std::string to_text(const Machine& machine) {
  std::string text = format("{}\nprocessor {}\ncores {}\ntarget {}\nflops {}\nall_flops {}\n", kHeading,
                            machine.processor, machine.cores, machine.target, machine.flops, machine.all_flops);
  for (const MemoryLevel& level : machine.levels) {
    text += format("level {} {} {} {}\n", level.name, level.bytes, level.bytes_per_second, level.all_bytes_per_second);
  }
  return text + format("undisturbed {}\n", machine.undisturbed ? "yes" : "no");
}

Machine parse_machine(std::string_view text) {
  Lines lines(text);
  const std::string_view heading = lines.next();
  if (heading != kHeading) lines.wrong(format("\"{}\" belongs here, not \"{}\"", kHeading, printable(heading)));
  Machine machine;
  machine.processor = lines.name_of("processor");
  machine.cores = static_cast<int>(lines.whole("cores", lines.value_of("cores"), kMostCores));
  machine.target = lines.name_of("target");
  machine.flops = lines.rate("flops", lines.value_of("flops"));
  machine.all_flops = lines.rate("all_flops", lines.value_of("all_flops"));
  do {
    MemoryLevel level = read_level(lines);
    if (!machine.levels.empty() && level.bytes <= machine.levels.back().bytes) {
      lines.wrong(format("{} of {} bytes is no larger than {} of {}", level.name, level.bytes,
                         machine.levels.back().name, machine.levels.back().bytes));
    }
    machine.levels.push_back(std::move(level));
  } while (machine.levels.back().name != "memory");
  const std::string_view undisturbed = lines.value_of("undisturbed");
  machine.undisturbed = undisturbed == "yes";
  if (undisturbed != "yes" && undisturbed != "no") {
    lines.wrong(format("undisturbed is yes or no, not \"{}\"", printable(undisturbed)));
  }
  if (!lines.done()) {
    lines.next();
    lines.wrong("nothing belongs after the last line");
  }
  return machine;
}

Machine read_machine(const std::filesystem::path& path) {
  const MappedFile file(path);
  return in_place(printable(path.string()), [&] {
    if (file.bytes().size() > kMostBytes) {
      invalid("is {} long; a machine is described in a few lines",
              human_bytes(static_cast<double>(file.bytes().size())));
    }
    return parse_machine({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()});
  });
}

std::optional<std::filesystem::path> machine_file() {
  const std::optional<std::filesystem::path> folder = cache_folder();
  if (!folder) return std::nullopt;
  std::string name = format("machine-{}-{}-{}", processor_name(), available_cores(), target_name());
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    } else if (!plain) {
      c = '-';
    }
  }
  return *folder / (name + ".txt");
}

std::optional<Machine> kept_machine() {
  const std::optional<std::filesystem::path> file = machine_file();
  if (!file) return std::nullopt;
  try {
    Machine kept = read_machine(*file);
    // Two processors may share the name of a file, and a user may have copied it.
    const bool own =
        kept.processor == processor_name() && kept.cores == available_cores() && kept.target == target_name();
    if (own && (kept.undisturbed || is_recent(*file))) return kept;
  } catch (const Error&) {
    // Not there, or not what we wrote.
  }
  return std::nullopt;
}

bool keep_machine(const Machine& machine, const std::filesystem::path& path) {
  std::error_code problem;
  std::filesystem::create_directories(path.parent_path(), problem);
  if (problem) return false;
  try {
    const std::string text = to_text(machine);
    write_file(path, std::as_bytes(std::span(text)));
  } catch (const Error&) {
    return false;  // a folder that is not ours, a full disk: next time it is measured again
  }
  return true;
}

}  // namespace sepal
