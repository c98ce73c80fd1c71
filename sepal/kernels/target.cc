#include "sepal/kernels/target.h"

#include <hwy/targets.h>

#include "sepal/base/text.h"

// Highway keeps the set of instruction sets that dispatch may choose from; the best of them is taken. Its
// hook for tests, which narrows the set, is what pins one.

namespace sepal {
namespace {

std::vector<std::int64_t> found_targets() {
  // Remembered from before anything was pinned.
  static const std::vector<std::int64_t> targets = hwy::SupportedAndGeneratedTargets();
  return targets;
}

}  // namespace

std::string_view target_name() {
  const std::int64_t usable = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(usable & -usable);  // the lowest bit is the best
}

std::vector<std::string> available_targets() {
  std::vector<std::string> names;
  for (const std::int64_t target : found_targets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

void pin_target(std::string_view name) {
  for (const std::int64_t target : found_targets()) {
    if (name == hwy::TargetName(target)) {
      hwy::SetSupportedTargetsForTest(target);
      return;
    }
  }
  fail(ErrorKind::kUsage, "no instruction set \"{}\" here; there are {}", printable(name),
       join(available_targets(), ", "));
}

}  // namespace sepal
