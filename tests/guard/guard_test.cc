// A check that cannot fail is worse than none: a byte beyond a piece of memory ends the program.

#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

#include "sepal/tensor/tensor.h"
#include "tests/guard/guarded.h"

namespace sepal {
namespace {

Against side() {
  const char* name = std::getenv("SEPAL_GUARD");
  return name != nullptr && std::string_view(name) == "beginning" ? Against::kBeginning : Against::kEnd;
}

void read(const volatile float* value) { static_cast<void>(*value); }

TEST(GuardDeathTest, AFloatBesideAVector) {
  for (const std::size_t size : {1u, 3u, 4u, 1000u, 1024u, 4099u}) {
    std::vector<float> values(size);
    read(values.data());
    read(values.data() + size - 1);
    const float* beside = side() == Against::kEnd ? values.data() + size : values.data() - 1;
    EXPECT_DEATH(read(beside), "") << size;
  }
}

TEST(GuardDeathTest, AFloatBesideATensorAndItsSlack) {
  const Tensor tensor(DataType::kF32, {5, 32});
  const float* values = tensor.values<float>().data();
  if (side() == Against::kEnd) {
    read(values + 5 * 32 + kSlack / sizeof(float) - 1);
    EXPECT_DEATH(read(values + 5 * 32 + kSlack / sizeof(float)), "");
  } else {
    EXPECT_DEATH(read(values - 1), "");
  }
}

TEST(GuardDeathTest, AFloatBesideGuardedMemory) {
  const Guarded end(5, Against::kEnd);
  EXPECT_DEATH(read(end.data() + 5), "");
  const Guarded beginning(5, Against::kBeginning);
  EXPECT_DEATH(read(beginning.data() - 1), "");
}

TEST(Guard, WhatIsWrittenOnTheOtherSideShows) {
  Guarded end(5, Against::kEnd);
  EXPECT_TRUE(end.intact());
  end.data()[-1] = 1;
  EXPECT_FALSE(end.intact());
  Guarded beginning(5, Against::kBeginning);
  beginning.data()[5] = 1;
  EXPECT_FALSE(beginning.intact());
}

}  // namespace
}  // namespace sepal
