#include "sepal/machine/system.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <optional>
#include <string_view>

#include "sepal/base/memory.h"
#include "sepal/base/text.h"

// Small files of /proc and /sys, read line by line and believed as far as they make sense.

namespace sepal {
namespace {

constexpr std::size_t kKibi = 1024;
constexpr std::size_t kLeastCache = 4 * kKibi;
constexpr std::size_t kMostCache = 4 * kKibi * kKibi * kKibi;
constexpr int kMostSharers = 4096;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// The first line of a small file, trimmed; empty where it cannot be read.
std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return std::string(trimmed(line));
}

/// "key : value" lines, the first of each key.
std::map<std::string, std::string, std::less<>> fields(const std::filesystem::path& path) {
  std::map<std::string, std::string, std::less<>> found;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (colon == line.npos) continue;
    const std::string_view text = line;
    found.emplace(trimmed(text.substr(0, colon)), trimmed(text.substr(colon + 1)));
  }
  return found;
}

/// The whole number that `text` begins with, and the rest of it; nothing where there is none.
std::optional<std::size_t> take_number(std::string_view& text) {
  std::size_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

/// "48K" -> 49152; 0 for what is no size or beyond any cache.
std::size_t parse_size(std::string_view text) {
  const std::optional<std::size_t> number = take_number(text);
  const std::string_view units = "KMG";
  std::size_t unit = 1;
  if (text.size() == 1 && units.find(text[0]) != units.npos) {
    for (std::size_t i = 0; i <= units.find(text[0]); ++i) unit *= kKibi;
  } else if (!text.empty()) {
    return 0;
  }
  return number && *number <= kMostCache / unit ? *number * unit : 0;
}

/// "0-3,8" -> 5; 1 for what is no list of processors.
int count_processors(std::string_view list) {
  std::size_t count = 0;
  while (true) {
    const std::optional<std::size_t> first = take_number(list);
    std::optional<std::size_t> last = first;
    if (first && list.starts_with('-')) {
      list.remove_prefix(1);
      last = take_number(list);
    }
    if (!first || !last || *last < *first || *last - *first >= kMostSharers) return 1;
    count += *last - *first + 1;
    if (count > kMostSharers) return 1;
    if (list.empty()) return static_cast<int>(count);
    if (!list.starts_with(',')) return 1;
    list.remove_prefix(1);
  }
}

/// As Linux describes them: a folder a cache.
std::vector<Cache> described(const std::filesystem::path& folder) {
  std::vector<Cache> found;
  for (int index = 0; index < 16; ++index) {
    const std::filesystem::path place = folder / format("index{}", index);
    const std::string type = first_line(place / "type");
    if (type != "Data" && type != "Unified") continue;
    const std::string level = first_line(place / "level");
    if (level.size() != 1 || level[0] < '1' || level[0] > '9') continue;
    found.push_back({level[0] - '0', parse_size(first_line(place / "size")),
                     count_processors(first_line(place / "shared_cpu_list"))});
  }
  return found;
}

/// As the C library knows them, without who shares them: one core each but for the last.
std::vector<Cache> known_to_libc() {
  std::vector<Cache> found;
#ifdef _SC_LEVEL1_DCACHE_SIZE
  for (const auto& [level, name] :
       {std::pair(1, _SC_LEVEL1_DCACHE_SIZE), {2, _SC_LEVEL2_CACHE_SIZE}, {3, _SC_LEVEL3_CACHE_SIZE}}) {
    const long bytes = ::sysconf(name);
    if (bytes > 0) found.push_back({level, static_cast<std::size_t>(bytes), level == 3 ? kMostSharers : 1});
  }
#endif
  return found;
}

/// Those that can be.
std::vector<Cache> credible(std::vector<Cache> found) {
  std::ranges::stable_sort(found, {}, &Cache::level);
  std::vector<Cache> kept;
  for (const Cache& cache : found) {
    if (cache.bytes < kLeastCache || cache.bytes > kMostCache) continue;
    if (!kept.empty() && (cache.level == kept.back().level || cache.bytes <= kept.back().bytes)) continue;
    kept.push_back(cache);
  }
  return kept;
}

}  // namespace

std::string processor_name(const std::filesystem::path& cpuinfo) {
  const auto found = fields(cpuinfo);
  // x86 says "model name"; boards with Arm cores say what board they are.
  for (const char* key : {"model name", "Model", "Hardware", "cpu model", "Processor"}) {
    const auto field = found.find(key);
    if (field != found.end() && !field->second.empty()) return printable(field->second, 100);
  }
  return "unknown";
}

std::vector<Cache> caches(const std::filesystem::path& folder) {
  std::vector<Cache> found = credible(described(folder));
  if (found.empty()) found = credible(known_to_libc());
  if (found.empty()) found = {{1, 32 * kKibi, 1}, {2, 512 * kKibi, 1}};
  return found;
}

std::size_t free_memory(const std::filesystem::path& meminfo) {
  const std::size_t all = machine_memory();
  const auto found = fields(meminfo);
  const auto field = found.find("MemAvailable");
  if (field == found.end()) return all;
  std::string_view text = field->second;
  const std::optional<std::size_t> number = take_number(text);
  if (!number || text != " kB" || *number > all / kKibi) return all;
  return *number * kKibi;
}

}  // namespace sepal
