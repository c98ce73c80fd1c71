#pragma once

// A machine as a file of a few lines, for the cache folder and for SEPAL_MACHINE:
//
//   sepal-machine 1
//   processor AMD EPYC
//   cores 2
//   target AVX3_DL
//   flops 2.73e+11                        (one thread; FLOPs a second)
//   all_flops 5.46e+11                    (all threads)
//   level L1 49152 5.5e+11 1.1e+12        (bytes; bytes a second of one thread, of all)
//   level L2 1048576 2.7e+11 5.4e+11
//   level L3 33554432 1.4e+11 2.8e+11
//   level memory 25276514304 4.5e+10 5.2e+10
//   undisturbed yes

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "sepal/machine/machine.h"

namespace sepal {

/// The lines above, without the remarks. parse_machine gives the same machine again, bit by bit.
std::string to_text(const Machine& machine);

/// Throws Error(kInvalid) that names the line, unless everything is there, in this order, and nothing else; numbers are
/// positive and finite, levels grow and end with memory.
Machine parse_machine(std::string_view text);

/// The same from a file, whose name stands in front of what is wrong. Throws Error(kIo) where it cannot be read.
Machine read_machine(const std::filesystem::path& path);

/// The file that SEPAL_MACHINE names; nothing where it is not set or empty.
std::optional<std::filesystem::path> given_machine_file();

/// Where this machine's ceilings are kept: in cache_folder(), named for the processor, the cores and the instruction
/// set in use; nothing where there is no such folder.
std::optional<std::filesystem::path> machine_file();

/// What is kept there, if it is this machine's: not there, damaged, or of another processor, number of cores or
/// instruction set is nothing; nor is what was measured while other programs had the cores, an hour later.
std::optional<Machine> kept_machine();

/// Writes `machine` to `path`, whole or not at all, making its folder if need be. False where that cannot be.
bool keep_machine(const Machine& machine, const std::filesystem::path& path);

}  // namespace sepal
