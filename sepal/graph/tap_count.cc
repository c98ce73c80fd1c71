// How many taps of a sliding window fall on the image, without sliding it: sizes come from strangers' files, and a
// loop over them could take for ever. The pairs (position, tap) below a bound are a sum of rounded quotients of
// terms in arithmetic progression, which Euclid's algorithm takes apart (Graham, Knuth, Patashnik: Concrete
// Mathematics, section 3.5).

#include "sepal/graph/tap_count.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace sepal {
namespace {

__extension__ using Wide = __int128;  // products of two sizes, each below 2^60

Wide floor_quotient(Wide a, Wide b) { return a / b - (a % b < 0 ? 1 : 0); }
Wide ceil_quotient(Wide a, Wide b) { return -floor_quotient(-a, b); }
Wide clamp(Wide value, Wide most) { return std::clamp<Wide>(value, 0, most); }

/// 128 bits are more than any sum here; what a Count holds is less.
Count to_count(Wide value) {
  constexpr Wide kMost = ~std::uint64_t{0};
  return value > kMost ? Count(~std::uint64_t{0}) * Count(2) : Count(static_cast<std::uint64_t>(value));
}

/// The sum of floor((step i + first) / divisor) over i = 0 .. count - 1; first, step >= 0, divisor > 0.
Wide sum_of_quotients(Wide count, Wide divisor, Wide step, Wide first) {
  Wide sum = 0;
  while (count > 0) {
    // Whole multiples of the divisor come out at once.
    sum += count * (count - 1) / 2 * (step / divisor) + count * (first / divisor);
    step %= divisor;
    first %= divisor;
    // What is left counts lattice points under a line of slope below 1: seen along the other axis, the same problem
    // with step and divisor exchanged.
    const Wide top = step * count + first;
    count = top / divisor;
    first = top % divisor;
    std::swap(step, divisor);
  }
  return sum;
}

/// Pairs with y stride + t dilation < bound.
Wide pairs_below(const AxisWindow& window, Wide bound) {
  // Taps before `all` lie below the bound at every position, those from `none` on at no position.
  const Wide all =
      clamp(ceil_quotient(bound - Wide{window.positions - 1} * window.stride, window.dilation), window.taps);
  const Wide none = clamp(ceil_quotient(bound, window.dilation), window.taps);
  // The others, the last first: tap t at ceil((bound - t dilation) / stride) positions.
  const Wide first = bound - (none - 1) * window.dilation + window.stride - 1;
  return all * window.positions + sum_of_quotients(none - all, window.stride, window.dilation, first);
}

}  // namespace

TapCount count_taps(const AxisWindow& window, std::int64_t extent) {
  if (window.positions <= 0 || window.taps <= 0 || extent <= 0) return {};
  const Wide padding = window.padding;
  const Wide taps = pairs_below(window, padding + extent) - pairs_below(window, padding);
  // Taps further apart than the image is long: at most one of a position falls on it.
  if (window.dilation >= extent) return {to_count(taps), to_count(taps)};
  // Else a window that reaches the image from both sides, or begins on it, has a tap there.
  const Wide reach = Wide{window.taps - 1} * window.dilation;
  const Wide before = clamp(ceil_quotient(padding - reach, window.stride), window.positions);
  const Wide until = clamp(ceil_quotient(padding + extent, window.stride), window.positions);
  return {to_count(taps), to_count(until - before)};
}

Count count_reached(const AxisWindow& window, std::int64_t extent) {
  if (window.positions <= 0 || window.taps <= 0 || extent <= 0) return {};
  // Taps t, t + period, t + 2 period ... land on the same residue modulo the stride, `shift` strides further each.
  const std::int64_t period = window.stride / std::gcd(window.stride, window.dilation);
  const Wide shift = Wide{period} * window.dilation / window.stride;
  const std::int64_t residues = std::min(window.taps, period);
  if (residues > (1 << 24))
    invalid("a kernel of {} with stride {} is more than is counted", window.taps, window.stride);
  Wide reached = 0;
  for (std::int64_t tap = 0; tap < residues; ++tap) {
    const Wide repeats = (window.taps - 1 - tap) / period + 1;
    // Reached are the u with j shift <= u < j shift + positions for one j: those below x.
    const auto below = [&](Wide x) -> Wide {
      if (x <= 0) return 0;
      if (shift <= window.positions) return std::min(x, (repeats - 1) * shift + window.positions);
      const Wide whole = std::min(x / shift, repeats);
      return whole * window.positions + (whole < repeats ? std::min<Wide>(x % shift, window.positions) : 0);
    };
    // u stands for the place tap dilation + u stride - padding, which must be one of 0 .. extent - 1.
    const Wide origin = Wide{window.padding} - Wide{tap} * window.dilation;
    reached += below(ceil_quotient(origin + extent, window.stride)) - below(ceil_quotient(origin, window.stride));
  }
  return to_count(reached);
}

}  // namespace sepal
