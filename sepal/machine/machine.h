#pragma once

// This machine as the planner, the roofline and the reports see it: what it is, and the ceilings that were measured
// on it. Measured once, kept in the user's cache folder (see cache_folder), told by `sepal bench --machine`.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sepal {

/// One level of the memory hierarchy, as one thread sees it, and all threads together.
struct MemoryLevel {
  std::string name;                 ///< "L1", "L2", "L3", "memory"
  std::size_t bytes = 0;            ///< for one core where private, of the whole where shared; of memory what is there
  double bytes_per_second = 0;      ///< reading, one thread
  double all_bytes_per_second = 0;  ///< reading, as many threads as cores
};

struct Machine {
  std::string processor;            ///< as the system names it
  int cores = 1;                    ///< that the process may use
  std::string target;               ///< the instruction set that was measured, as kernels/target.h names it
  double flops = 0;                 ///< fused multiply-adds of f32, as 2 FLOPs each, a second, one thread
  double all_flops = 0;             ///< the same, as many threads as cores
  std::vector<MemoryLevel> levels;  ///< fastest first; the last is memory

  double flops_of(int threads) const;
  /// Of the smallest level that holds `bytes`.
  double bandwidth_of(std::size_t bytes, int threads) const;
};

/// Measures: takes about a second, uses all cores for part of it.
Machine measure_machine();

/// What was measured before for this processor, these cores and this instruction set; measures and keeps it where
/// nothing is there or it does not parse. A cache folder that cannot be written is no error. Thread-safe.
const Machine& this_machine();

/// $SEPAL_CACHE, else $XDG_CACHE_HOME/sepal, else $HOME/.cache/sepal; nothing where none is set.
std::optional<std::filesystem::path> cache_folder();

}  // namespace sepal
