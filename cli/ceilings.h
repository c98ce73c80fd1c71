#pragma once

#include "cli/console.h"
#include "sepal/machine/machine.h"

namespace sepal::cli {

/// this_machine(), with a remark where its ceilings were measured while other programs had the cores.
const Machine& known_machine(Console& console);

/// The same remark for a machine that is at hand.
void remark_if_disturbed(const Machine& machine, Console& console);

}  // namespace sepal::cli
