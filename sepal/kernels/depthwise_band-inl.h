// A band of rows of x in the room of the depthwise gradient (depthwise_gradient_room.h): the rows of dy that it hears
// are brought into the ring, x is read for the channels at hand, and dx is turned into the gradient with respect to the
// batch norm, written and summed up. What happens in between is training_depthwise_gradient.cc's.

#if defined(SEPAL_KERNELS_DEPTHWISE_BAND_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEPAL_KERNELS_DEPTHWISE_BAND_INL_H_
#undef SEPAL_KERNELS_DEPTHWISE_BAND_INL_H_
#else
#define SEPAL_KERNELS_DEPTHWISE_BAND_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "sepal/kernels/depthwise_gradient_room.h"
#include "sepal/kernels/depthwise_walk-inl.h"
#include "sepal/kernels/elementwise.h"
#include "sepal/kernels/reference/gradient.h"

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

/// The slope of a read's activation at n = factor x + shift, given what is read of x.
struct SlopeOfLimits {
  V low, high;
  HWY_INLINE V operator()(V n, V gradient) const {
    return hn::IfThenElseZero(hn::And(hn::Gt(n, low), hn::Lt(n, high)), gradient);
  }
};
struct SlopeOfHardSwish {
  HWY_INLINE V operator()(V n, V gradient) const {
    const V three = hn::Set(kTag, 3.0f);
    const V inside = hn::Mul(gradient, hn::MulAdd(n, hn::Set(kTag, 1.0f / 3.0f), hn::Set(kTag, 0.5f)));
    const V below = hn::IfThenElseZero(hn::Gt(n, hn::Neg(three)), inside);
    return hn::IfThenElse(hn::Ge(n, three), gradient, below);
  }
};

/// What into_groups() makes dy of.
struct PlainRead {
  const float* g;
  template <typename Load>
  HWY_INLINE int constants(std::int64_t, const Load&) const {
    return 0;
  }
  template <typename Load>
  HWY_INLINE V operator()(int, std::int64_t place, const Load& load) const {
    return load(g + place);
  }
};
struct AffineRead {
  GradientReadArgs read;
  const float* g;
  const float* y;
  struct Constants {
    V a, b, c;
  };
  template <typename Load>
  HWY_INLINE Constants constants(std::int64_t c, const Load& load) const {
    return {load(read.a + c), load(read.b + c), load(read.c + c)};
  }
  template <typename Load>
  HWY_INLINE V operator()(const Constants& of, std::int64_t place, const Load& load) const {
    ask_further(g + place);
    ask_further(y + place);
    return hn::MulAdd(load(y + place), of.b, hn::MulAdd(load(g + place), of.a, of.c));
  }
};

/// Whether dx goes past the caches: it is larger than what they keep until somebody reads it, and made of whole lines.
inline bool streams(const DepthwiseGradientArgs& args) {
  return kLanes == kGroup && sepal::streams(args.input.shape.elements()) && args.input.shape.c() % kGroup == 0 &&
         reinterpret_cast<std::uintptr_t>(args.input_gradient) % 64 == 0;
}

/// Rows of x of one image, and a vector of their channels, which is what goes through L1 at a time.
struct Band {
  const DepthwiseGradientArgs& args;
  const GradientRoom& room;
  float* floats;  ///< the room itself
  std::int64_t image;
  float* sums;             ///< [2][c], as mask_rows() has them; added to
  Range rows = {};         ///< the band, within its image
  std::int64_t group = 0;  ///< the channels at hand: a vector from `lane` of this group on
  std::int64_t lane = 0;

  const Shape& in() const { return args.input.shape; }
  const Shape& out() const { return args.output; }
  std::int64_t channel() const { return group * kGroup + lane; }
  std::int64_t rest() const { return in().c() - channel(); }
  /// Where row `row` begins for them in x and in dx, and in the room's rows of both.
  std::int64_t place(std::int64_t row) const { return (image * in().h() + row) * in().w() * in().c() + channel(); }
  std::int64_t inner(std::int64_t row) const { return (row - rows.begin) * room.x_pitch + kGroup + lane; }

  /// Brings row y of dy into the ring, all channels of it.
  void fill(std::int64_t y) {
    const std::int64_t from = (image * out().h() + y) * out().w() * out().c();
    const std::int64_t slot = y % room.slots * room.row_pitch + room.left * kGroup;
    if (room.multiplier > 1) return fill_planes(from, slot);
    const GradientReadArgs& read = args.gradient;
    float* const to = floats + room.ring + slot;
    const std::int64_t plane = room.slots * room.row_pitch;
    if (read.y == nullptr) {
      into_groups(out().w(), in().c(), PlainRead{read.g + from}, to, plane);
    } else {
      into_groups(out().w(), in().c(), AffineRead{read, read.g + from, read.y + from}, to, plane);
    }
  }

  /// Brings what is read of x into the room.
  void read() {
    const ReadArgs& read = args.read;
    const Epilogue epilogue = is_epilogue(read.activation) ? epilogue_of(read.activation) : Epilogue{};
    const std::int64_t w = in().w();
    const std::int64_t channels = in().c();
    const std::int64_t there = rest();
    const auto all = [&](const auto& function) HWY_ATTR __attribute__((always_inline)) {
      for (std::int64_t row = rows.begin; row < rows.end; ++row) {
        const float* from = args.input.data + place(row);
        float* const to = floats + room.read + inner(row);
        if (there >= kLanes) {
          for (std::int64_t x = 0; x < w; ++x) {
            hn::StoreU(function(hn::LoadU(kTag, from + x * channels)), kTag, to + x * kGroup);
          }
        } else {
          for (std::int64_t x = 0; x < w; ++x) {
            hn::StoreU(function(load_first(from + x * channels, there)), kTag, to + x * kGroup);
          }
        }
      }
    };
    if (read.factor == nullptr) {
      all([](V v) HWY_ATTR __attribute__((always_inline)) { return v; });
      return;
    }
    const V factor = load_upto(read.factor + channel(), there);
    const V shift = load_upto(read.shift + channel(), there);
    if (epilogue.hard_swish) {
      all([=](V v) HWY_ATTR __attribute__((always_inline)) { return hard_swish(hn::MulAdd(v, factor, shift)); });
    } else {
      const V low = hn::Set(kTag, epilogue.low);
      const V high = hn::Set(kTag, epilogue.high);
      all([=](V v) HWY_ATTR
          __attribute__((always_inline)) { return at_most(at_least(hn::MulAdd(v, factor, shift), low), high); });
    }
    if (is_epilogue(read.activation)) return;
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      float* const to = floats + room.read + inner(row);
      for (std::int64_t x = 0; x < w; ++x) unary(read.activation, to, to, {x * kGroup, x * kGroup + kLanes});
    }
  }

  /// Takes dx from the room to where the caller wants it, by way of the read's activation, and adds to its sums.
  void write() {
    const ReadArgs& read = args.read;
    if (read.factor == nullptr) {
      for (std::int64_t row = rows.begin; row < rows.end; ++row) {
        const float* const from = floats + room.dx + inner(row);
        float* const to = args.input_gradient + place(row);
        for (std::int64_t x = 0; x < in().w(); ++x) {
          store_upto(hn::LoadU(kTag, from + x * kGroup), to + x * in().c(), rest());
        }
      }
      return;
    }
    if (!is_epilogue(read.activation)) {
      slopes();
      write_masked(
          SlopeOfLimits{hn::Set(kTag, -hwy::HighestValue<float>()), hn::Set(kTag, hwy::HighestValue<float>())});
      return;
    }
    const Epilogue epilogue = epilogue_of(read.activation);
    if (epilogue.hard_swish) {
      write_masked(SlopeOfHardSwish{});
    } else {
      write_masked(SlopeOfLimits{hn::Set(kTag, epilogue.low), hn::Set(kTag, epilogue.high)});
    }
  }

 private:
  // fill() where channels have several filters, one value at a time.
  void fill_planes(std::int64_t from, std::int64_t to) {
    const GradientReadArgs& read = args.gradient;
    const std::int64_t m = room.multiplier;
    for (std::int64_t x = 0; x < out().w(); ++x) {
      for (std::int64_t c = 0; c < in().c(); ++c) {
        for (std::int64_t j = 0; j < m; ++j) {
          const std::int64_t o = c * m + j;
          const std::int64_t p = from + x * out().c() + o;
          const float dy = read.y == nullptr ? read.g[p] : read.a[o] * read.g[p] + read.b[o] * read.y[p] + read.c[o];
          floats[room.plane(c / kGroup, j) + to + x * kGroup + c % kGroup] = dy;
        }
      }
    }
  }

  // Functions that are no epilogues: dx times their slope, one value at a time.
  void slopes() {
    const ReadArgs& read = args.read;
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const float* const from = args.input.data + place(row);
      float* const dx = floats + room.dx + inner(row);
      for (std::int64_t x = 0; x < in().w(); ++x) {
        for (std::int64_t i = 0; i < std::min<std::int64_t>(kLanes, rest()); ++i) {
          const float n = from[x * in().c() + i] * read.factor[channel() + i] + read.shift[channel() + i];
          dx[x * kGroup + i] *= reference::derivative(read.activation, n);
        }
      }
    }
  }

  template <typename Slope>
  HWY_INLINE void write_masked(const Slope& slope) {
    streams(args) ? write_masked<true>(slope) : write_masked<false>(slope);
  }
  template <bool kStream, typename Slope>
  HWY_INLINE void write_masked(const Slope& slope) {
    const auto store = [](V v, float* to) HWY_ATTR __attribute__((always_inline)) {
      if constexpr (kStream) {
        hn::Stream(v, kTag, to);
      } else {
        hn::StoreU(v, kTag, to);
      }
    };
    const std::int64_t w = in().w();
    const std::int64_t channels = in().c();
    const std::int64_t there = rest();
    const V factor = load_upto(args.read.factor + channel(), there);
    const V shift = load_upto(args.read.shift + channel(), there);
    const V mean = load_upto(args.read.mean + channel(), there);
    V totals[2] = {hn::Zero(kTag), hn::Zero(kTag)};
    V products[2] = {hn::Zero(kTag), hn::Zero(kTag)};
    const auto pixel = [&](int chain, const float* dx, V x) HWY_ATTR __attribute__((always_inline)) {
      const V value = slope(hn::MulAdd(x, factor, shift), hn::LoadU(kTag, dx));
      totals[chain] = hn::Add(totals[chain], value);
      products[chain] = hn::MulAdd(value, hn::Sub(x, mean), products[chain]);
      return value;
    };
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const float* from = args.input.data + place(row);
      const float* dx = floats + room.dx + inner(row);
      float* to = args.input_gradient + place(row);
      std::int64_t x = 0;
      if (there >= kLanes) {
        for (; x + 2 <= w; x += 2, from += 2 * channels, to += 2 * channels, dx += 2 * kGroup) {
          store(pixel(0, dx, hn::LoadU(kTag, from)), to);
          store(pixel(1, dx + kGroup, hn::LoadU(kTag, from + channels)), to + channels);
        }
      }
      for (; x < w; ++x, from += channels, to += channels, dx += kGroup) {
        store_upto(pixel(0, dx, load_upto(from, there)), to, there);
      }
    }
    float* const to = sums + channel();
    store_upto(hn::Add(load_upto(to, there), hn::Add(totals[0], totals[1])), to, there);
    store_upto(hn::Add(load_upto(to + channels, there), hn::Add(products[0], products[1])), to + channels, there);
  }
};

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // SEPAL_KERNELS_DEPTHWISE_BAND_INL_H_
