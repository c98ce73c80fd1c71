#include "sepal/kernels/target.h"

#include <gtest/gtest.h>

#include "tests/kernels/kernel_test.h"
#include "tests/raises.h"

namespace sepal {
namespace {

TEST(Target, TheBestIsInUse) {
  ASSERT_FALSE(available_targets().empty());
  EXPECT_EQ(target_name(), available_targets().front());
}

TEST(Target, PinningChangesTheOneInUseAndNotTheList) {
  const std::vector<std::string> before = available_targets();
  on_every_target([&] { EXPECT_EQ(available_targets(), before); });
  for (const std::string& target : before) {
    pin_target(target);
    EXPECT_EQ(target_name(), target);
  }
  pin_target(before.front());
}

TEST(Target, AnUnknownNameListsThoseThatAreThere) {
  EXPECT_TRUE(raises([] { pin_target("MMX"); },
                     format("no instruction set \"MMX\" here; there are {}", join(available_targets(), ", ")),
                     ErrorKind::kUsage));
  EXPECT_EQ(target_name(), available_targets().front());
}

}  // namespace
}  // namespace sepal
