#pragma once

// What the system says about its processor. Containers and virtual machines make much of it up, so every answer is
// held against what can be.

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace sepal {

/// The processor's name in one printable line; "unknown" where the system does not tell.
std::string processor_name(const std::filesystem::path& cpuinfo = "/proc/cpuinfo");

/// One data (or unified) cache.
struct Cache {
  int level = 1;
  std::size_t bytes = 0;
  int sharers = 1;  ///< logical processors that it serves
  friend bool operator==(const Cache&, const Cache&) = default;
};

/// The caches of the first core, nearest first, sizes growing, never empty: as Linux describes them in `folder`, else
/// as the C library knows them, else 32 KiB and 512 KiB, which hardly any machine falls short of. A level whose size is
/// below 4 KiB, above 4 GiB or not above the level before is left out.
std::vector<Cache> caches(const std::filesystem::path& folder = "/sys/devices/system/cpu/cpu0/cache");

/// Bytes of memory that could be had now without pushing anything out; at most machine_memory().
std::size_t free_memory(const std::filesystem::path& meminfo = "/proc/meminfo");

}  // namespace sepal
