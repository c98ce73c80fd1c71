#include "cli/ceilings.h"

#include "sepal/machine/machine_file.h"

namespace sepal::cli {

void remark_if_disturbed(const Machine& machine, Console& console) {
  if (machine.undisturbed) return;
  const std::string fact = "other programs had the cores while this machine was measured, so its figures are low";
  console.remark(given_machine_file() ? fact : fact + "; sepal bench --machine --again measures anew");
}

const Machine& known_machine(Console& console) {
  const Machine& machine = this_machine();
  remark_if_disturbed(machine, console);
  return machine;
}

}  // namespace sepal::cli
