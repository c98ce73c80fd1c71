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
  friend bool operator==(const MemoryLevel&, const MemoryLevel&) = default;
};

struct Machine {
  std::string processor;            ///< as the system names it
  int cores = 1;                    ///< that the process may use
  std::string target;               ///< the instruction set that was measured, as kernels/target.h names it
  double flops = 0;                 ///< fused multiply-adds of f32, as 2 FLOPs each, a second, one thread
  double all_flops = 0;             ///< the same, as many threads as cores
  std::vector<MemoryLevel> levels;  ///< fastest first; the last is memory
  bool undisturbed = true;          ///< false: other programs had the cores for much of the time, and figures are low

  /// FLOPs a second of `threads` threads: what one does times as many, at most what all do.
  double flops_of(int threads) const;
  /// Bytes a second of `threads` threads from the smallest level that holds `bytes`; from memory if none does.
  double bandwidth_of(std::size_t bytes, int threads) const;
  friend bool operator==(const Machine&, const Machine&) = default;
};

/// Measures with the instruction set in use: takes about a second, uses all cores for part of it. Each figure is the
/// best of several repetitions of milliseconds, since whatever else runs can only make them longer; where not one of
/// them had its cores for itself, for up to four times as long, the machine is marked as disturbed.
///   A cache is read in a buffer half its size (its part of it, where threads share it), memory in one four times
/// the largest cache, but at most 256 MiB and a quarter of the free memory: on a machine with more cache than that,
/// memory's figure is partly its cache's.
Machine measure_machine();

/// What was measured before for this processor, these cores and the instruction set in use; measures and keeps it
/// where kept_machine() has nothing. A cache folder that cannot be written is no error.
///   Where SEPAL_MACHINE names a file, the machine that it describes (machine_file.h) instead: a phone's ceilings for
/// predictions here, or the same ones everywhere for tests. Throws Error that names the variable, file and line if it
/// does not parse. Thread-safe; the reference stays good, also when another instruction set is pinned.
const Machine& this_machine();

/// $SEPAL_CACHE, else $XDG_CACHE_HOME/sepal, else $HOME/.cache/sepal; nothing where none is set. The latter two count
/// only where they are absolute.
std::optional<std::filesystem::path> cache_folder();

}  // namespace sepal
