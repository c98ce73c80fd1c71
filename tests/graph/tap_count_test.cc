#include "sepal/graph/tap_count.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/kernels/reference_random.h"
#include "tests/raises.h"

namespace sepal {
namespace {

TapCount slide(const AxisWindow& window, std::int64_t extent) {
  std::uint64_t taps = 0;
  std::uint64_t positions = 0;
  for (std::int64_t y = 0; y < window.positions; ++y) {
    std::uint64_t here = 0;
    for (std::int64_t t = 0; t < window.taps; ++t) {
      const std::int64_t place = y * window.stride + t * window.dilation - window.padding;
      if (place >= 0 && place < extent) ++here;
    }
    taps += here;
    positions += here > 0 ? 1 : 0;
  }
  return {taps, positions};
}

std::uint64_t reach(const AxisWindow& window, std::int64_t extent) {
  std::set<std::int64_t> places;
  for (std::int64_t y = 0; y < window.positions; ++y) {
    for (std::int64_t t = 0; t < window.taps; ++t) {
      const std::int64_t place = y * window.stride + t * window.dilation - window.padding;
      if (place >= 0 && place < extent) places.insert(place);
    }
  }
  return places.size();
}

TEST(CountTaps, AgreesWithSlidingTheWindow) {
  Random random(1);
  for (int round = 0; round < 20000; ++round) {
    const AxisWindow window{random.whole(0, 12), random.whole(1, 7), random.whole(1, 9), random.whole(1, 9),
                            random.whole(0, 30)};
    const std::int64_t extent = random.whole(0, 20);
    const TapCount formula = count_taps(window, extent);
    const TapCount slid = slide(window, extent);
    ASSERT_EQ(formula.taps, slid.taps) << window.positions << ' ' << window.stride << ' ' << window.taps << ' '
                                       << window.dilation << ' ' << window.padding << ' ' << extent;
    ASSERT_EQ(formula.positions, slid.positions);
    ASSERT_EQ(std::uint64_t{count_reached(window, extent)}, reach(window, extent));
  }
}

TEST(CountTaps, TakesNoLongerForHugeSizes) {
  constexpr std::int64_t kHuge = (std::int64_t{1} << 31) - 1;
  // Every position but the first and the last has all three taps.
  const AxisWindow three{.positions = kHuge, .taps = 3, .padding = 1};
  EXPECT_EQ(std::uint64_t{count_taps(three, kHuge).taps}, 3 * std::uint64_t{kHuge} - 2);
  EXPECT_EQ(std::uint64_t{count_taps(three, kHuge).positions}, std::uint64_t{kHuge});
  // A window as large as the image, at both ends: 1 + 2 + ... twice, less the middle counted once.
  const AxisWindow whole{.positions = 2 * kHuge - 1, .taps = kHuge, .padding = kHuge - 1};
  EXPECT_EQ(std::uint64_t{count_taps(whole, kHuge).taps}, std::uint64_t{kHuge} * std::uint64_t{kHuge});
  EXPECT_EQ(std::uint64_t{count_reached({.positions = kHuge, .stride = 2, .taps = 2}, kHuge)}, std::uint64_t{kHuge});
  EXPECT_TRUE(raises([] { count_reached({.positions = 2, .stride = kHuge, .taps = kHuge}, 5); },
                     "a kernel of 2147483647 with stride 2147483647 is more than is counted", ErrorKind::kInvalid));
}

}  // namespace
}  // namespace sepal
