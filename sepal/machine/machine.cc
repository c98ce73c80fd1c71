#include "sepal/machine/machine.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include "sepal/base/error.h"
#include "sepal/kernels/target.h"
#include "sepal/machine/machine_file.h"

// Which machine this is, and where its ceilings come from: SEPAL_MACHINE, else the cache folder, else measuring.

namespace sepal {
namespace {

/// The value of an environment variable; empty where it is not set.
std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

double rate_of(double one, double all, int threads, int cores) {
  return threads >= cores ? all : std::min(one * std::max(threads, 1), all);
}

/// Errors say who named the file: nobody wrote it on the command line.
Machine given_machine(const std::filesystem::path& file) {
  return in_place("SEPAL_MACHINE", [&] { return read_machine(file); });
}

Machine kept_or_measured() {
  if (std::optional<Machine> kept = kept_machine()) return *std::move(kept);
  Machine measured = measure_machine();
  if (const auto file = machine_file()) keep_machine(measured, *file);
  return measured;
}

}  // namespace

double Machine::flops_of(int threads) const { return rate_of(flops, all_flops, threads, cores); }

double Machine::bandwidth_of(std::size_t bytes, int threads) const {
  expect(!levels.empty(), "a machine has memory");
  const auto holds = [bytes](const MemoryLevel& level) { return bytes <= level.bytes; };
  auto level = std::ranges::find_if(levels, holds);
  if (level == levels.end()) --level;
  return rate_of(level->bytes_per_second, level->all_bytes_per_second, threads, cores);
}

const Machine& this_machine() {
  static std::mutex mutex;
  // By instruction set and by where ceilings are looked for. What is in a map stays where it is.
  static std::map<std::tuple<std::string, std::filesystem::path, std::filesystem::path>, Machine> known;
  const std::lock_guard lock(mutex);
  const std::optional<std::filesystem::path> given = given_machine_file();
  const std::tuple key(std::string(target_name()), given.value_or(""), cache_folder().value_or(""));
  auto found = known.find(key);
  if (found == known.end()) found = known.emplace(key, given ? given_machine(*given) : kept_or_measured()).first;
  return found->second;
}

std::optional<std::filesystem::path> given_machine_file() {
  const std::string given = environment("SEPAL_MACHINE");
  return given.empty() ? std::nullopt : std::optional<std::filesystem::path>(given);
}

std::optional<std::filesystem::path> cache_folder() {
  if (std::string own = environment("SEPAL_CACHE"); !own.empty()) return own;
  if (const std::filesystem::path users = environment("XDG_CACHE_HOME"); users.is_absolute()) return users / "sepal";
  if (const std::filesystem::path home = environment("HOME"); home.is_absolute()) return home / ".cache" / "sepal";
  return std::nullopt;
}

}  // namespace sepal
