#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sepal {

/// The instruction set that the kernels use, as Highway calls it: "AVX3" (AVX-512), "AVX2", "SSE4", "NEON",
/// "EMU128" (plain C++) ...
std::string_view target_name();

/// The instruction sets that this machine has and the kernels were compiled for, the best first. Pinning
/// one does not change the list.
std::vector<std::string> available_targets();

/// Makes all kernels of the process use `name` from now on; by default they use the best. Not to be called
/// while kernels run. Throws Error(kUsage) that lists the available ones if `name` is none of them.
void pin_target(std::string_view name);

}  // namespace sepal
