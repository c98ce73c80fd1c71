#include <algorithm>
#include <numeric>

#include "sepal/kernels/elementwise.h"
#include "sepal/kernels/reference/gradient.h"
#include "sepal/kernels/training_depthwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/training_depthwise_gradient.cc"
#include <hwy/foreach_target.h>

#include <hwy/cache_control.h>

#include "sepal/kernels/depthwise_walk-inl.h"

// Backward: both gradients in one pass over bands of rows of x. The rows of dy that a band hears lie in a ring in the
// room, a cache line of channels after another: [channels / 16][rows][columns][16], columns of zeros at either end. So
// memory is gone through once and in its order, and the walks that add up the gradients (depthwise_walk-inl.h) have
// neighbouring pixels in neighbouring lines of L1. Output channel c m + j lies in plane j, beside input channel c.
//
// For each such group of channels a band goes in three steps through L1: x is read, the walks give dx and the filter's
// gradient, and dx is turned into the gradient with respect to the batch norm, written and summed up.

#ifndef SEPAL_KERNELS_DEPTHWISE_GRADIENT_ROOM_
#define SEPAL_KERNELS_DEPTHWISE_GRADIENT_ROOM_
namespace sepal {

constexpr std::int64_t kChannelGroup = kLineFloats;
constexpr std::int64_t kMostBandRows = 32;
constexpr std::int64_t kBandBytes = 28 * 1024;     // of one group of channels, to stay in L1
constexpr std::int64_t kDyRingBytes = 192 * 1024;  // of all, to stay in L2

/// What lies where in the room, in floats.
struct GradientRoom {
  std::int64_t groups, multiplier, taps;
  std::int64_t left;       ///< columns of zeros before a row of dy
  std::int64_t row_pitch;  ///< of dy
  std::int64_t slots;      ///< rows of the ring
  std::int64_t band;       ///< rows of x
  std::int64_t x_pitch;    ///< of a row of read x and of dx, a column of zeros on either side
  std::int64_t zeros, weights, read, dx, ring, size;

  explicit GradientRoom(const DepthwiseGradientArgs& args) {
    const Shape& in = args.input.shape;
    const Shape& out = args.output;
    const Window& window = args.window;
    groups = (in.c() + kChannelGroup - 1) / kChannelGroup;
    multiplier = out.c() / std::max<std::int64_t>(in.c(), 1);
    taps = window.kernel.h * window.kernel.w;
    const std::int64_t stride = window.stride.w;
    // Columns of dy that the walks of stride 1 and 2 meet; others keep to those that are there.
    const std::int64_t first = window.padding.left / stride - (window.kernel.w - 1 + stride - 1) / stride;
    const std::int64_t last = (in.w() - 1 + window.padding.left) / stride;
    left = std::max<std::int64_t>(0, -first);
    row_pitch = (left + std::max(out.w(), last + 1)) * kChannelGroup;
    x_pitch = (in.w() + 2) * kChannelGroup;
    band = 1;
    while (band < std::min(in.h(), kMostBandRows) && fits(args, band + 1)) ++band;
    const std::int64_t bands = (in.h() + band - 1) / band;
    band = (in.h() + bands - 1) / bands;
    slots = slots_of(args, band);
    zeros = 0;
    weights = zeros + row_pitch;
    read = weights + groups * multiplier * taps * kChannelGroup;
    dx = read + band * x_pitch;
    ring = dx + band * x_pitch;
    size = ring + groups * multiplier * slots * row_pitch;
  }

  /// Where plane `plane` of a group begins in the ring.
  std::int64_t plane(std::int64_t group, std::int64_t j) const {
    return ring + (group * multiplier + j) * slots * row_pitch;
  }
  /// The first weight of a group's plane; the partial gradients of the filter are laid out alike.
  std::int64_t filter(std::int64_t group, std::int64_t j) const {
    return (group * multiplier + j) * taps * kChannelGroup;
  }

 private:
  /// Rows of dy that so many rows of x hear, at most.
  static std::int64_t slots_of(const DepthwiseGradientArgs& args, std::int64_t rows) {
    const Window& window = args.window;
    return std::min((rows - 1 + (window.kernel.h - 1) * window.dilation.h) / window.stride.h + 2, args.output.h());
  }
  bool fits(const DepthwiseGradientArgs& args, std::int64_t rows) const {
    const std::int64_t dy = slots_of(args, rows) * row_pitch * 4;
    return dy + 2 * rows * x_pitch * 4 <= kBandBytes && dy * groups * multiplier <= kDyRingBytes;
  }
};

}  // namespace sepal
#endif

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

static_assert(kGroup == kChannelGroup);

// The slope of a read's activation at n = factor x + shift, given what is read of x.
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

// What into_groups() makes dy of.
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

// Whether dx goes past the caches: it is larger than what they keep until somebody reads it, and made of whole lines.
bool streams(const DepthwiseGradientArgs& args) {
  return kLanes == kGroup && sepal::streams(args.input.shape.elements()) && args.input.shape.c() % kGroup == 0 &&
         reinterpret_cast<std::uintptr_t>(args.input_gradient) % 64 == 0;
}

// The rows `rows` of x of one image.
class Band {
 public:
  Band(const DepthwiseGradientArgs& args, const GradientRoom& room, float* floats, std::int64_t image, float* partial,
       float* sums)
      : args_(args),
        in_(args.input.shape),
        out_(args.output),
        room_(room),
        floats_(floats),
        image_(image),
        partial_(partial),
        sums_(sums) {}

  void compute(Range rows) {
    rows_ = rows;
    const Window& window = args_.window;
    const std::int64_t last = (rows.end - 1 + window.padding.top) / window.stride.h + 1;
    const std::int64_t first = rows.begin + window.padding.top - (window.kernel.h - 1) * window.dilation.h;
    ready_ = std::max(ready_, first <= 0 ? 0 : (first + window.stride.h - 1) / window.stride.h);
    for (; ready_ < std::min(last, out_.h()); ++ready_) fill(ready_);
    for (group_ = 0; group_ < room_.groups; ++group_) {
      for (lane_ = 0; lane_ < kGroup && group_ * kGroup + lane_ < in_.c(); lane_ += kLanes) {
        if (walks_whole()) {
          walk(streams(args_) ? Ends::kStream : Ends::kWhole);
        } else {
          read();
          walk(Ends::kRows);
          if (args_.input_gradient != nullptr) write();
        }
      }
    }
  }

 private:
  std::int64_t channel() const { return group_ * kGroup + lane_; }
  std::int64_t rest() const { return in_.c() - channel(); }
  std::int64_t place(std::int64_t row) const { return (image_ * in_.h() + row) * in_.w() * in_.c() + channel(); }
  std::int64_t inner(std::int64_t row) const { return (row - rows_.begin) * room_.x_pitch + kGroup + lane_; }

  // Row y of dy into the ring.
  void fill(std::int64_t y) {
    const std::int64_t from = (image_ * out_.h() + y) * out_.w() * out_.c();
    const std::int64_t slot = y % room_.slots * room_.row_pitch + room_.left * kGroup;
    if (room_.multiplier > 1) return fill_planes(from, slot);
    const GradientReadArgs& read = args_.gradient;
    float* const to = floats_ + room_.ring + slot;
    const std::int64_t plane = room_.slots * room_.row_pitch;
    if (read.y == nullptr) {
      into_groups(out_.w(), in_.c(), PlainRead{read.g + from}, to, plane);
    } else {
      into_groups(out_.w(), in_.c(), AffineRead{read, read.g + from, read.y + from}, to, plane);
    }
  }

  // The same where channels have several filters, one value at a time.
  void fill_planes(std::int64_t from, std::int64_t to) {
    const GradientReadArgs& read = args_.gradient;
    const std::int64_t m = room_.multiplier;
    for (std::int64_t x = 0; x < out_.w(); ++x) {
      for (std::int64_t c = 0; c < in_.c(); ++c) {
        for (std::int64_t j = 0; j < m; ++j) {
          const std::int64_t o = c * m + j;
          const std::int64_t p = from + x * out_.c() + o;
          const float dy = read.y == nullptr ? read.g[p] : read.a[o] * read.g[p] + read.b[o] * read.y[p] + read.c[o];
          floats_[room_.plane(c / kGroup, j) + to + x * kGroup + c % kGroup] = dy;
        }
      }
    }
  }

  // The rows of what is read of x for the channels at hand.
  void read() {
    const ReadArgs& read = args_.read;
    const Epilogue epilogue = is_epilogue(read.activation) ? epilogue_of(read.activation) : Epilogue{};
    const auto all = [&](const auto& function) HWY_ATTR __attribute__((always_inline)) {
      for (std::int64_t row = rows_.begin; row < rows_.end; ++row) {
        const float* from = args_.input.data + place(row);
        float* const to = floats_ + room_.read + inner(row);
        if (rest() >= kLanes) {
          for (std::int64_t x = 0; x < in_.w(); ++x) {
            hn::StoreU(function(hn::LoadU(kTag, from + x * in_.c())), kTag, to + x * kGroup);
          }
        } else {
          for (std::int64_t x = 0; x < in_.w(); ++x) {
            hn::StoreU(function(load_first(from + x * in_.c(), rest())), kTag, to + x * kGroup);
          }
        }
      }
    };
    if (read.factor == nullptr) {
      all([](V v) HWY_ATTR __attribute__((always_inline)) { return v; });
      return;
    }
    const V factor = load_upto(read.factor + channel(), rest());
    const V shift = load_upto(read.shift + channel(), rest());
    if (epilogue.hard_swish) {
      all([=](V v) HWY_ATTR __attribute__((always_inline)) { return hard_swish(hn::MulAdd(v, factor, shift)); });
    } else {
      const V low = hn::Set(kTag, epilogue.low);
      const V high = hn::Set(kTag, epilogue.high);
      all([=](V v) HWY_ATTR
          __attribute__((always_inline)) { return at_most(at_least(hn::MulAdd(v, factor, shift), low), high); });
    }
    if (is_epilogue(read.activation)) return;
    for (std::int64_t row = rows_.begin; row < rows_.end; ++row) {
      float* const to = floats_ + room_.read + inner(row);
      for (std::int64_t x = 0; x < in_.w(); ++x) unary(read.activation, to, to, {x * kGroup, x * kGroup + kLanes});
    }
  }

  // Whether every row of the band, for the channels at hand, takes a single walk from x to dx as they lie in memory.
  bool walks_whole() const {
    const Unary& activation = args_.read.activation;
    if (args_.input_gradient == nullptr || args_.read.factor == nullptr || room_.multiplier > 1 || rest() < kLanes ||
        !is_epilogue(activation) || activation.kind == UnaryKind::kHardSwish || args_.window.dilation.h > 1) {
      return false;
    }
    const Window& window = args_.window;
    const Walk walk{.kernel = window.kernel.w, .dilation = window.dilation.w, .stride = window.stride.w};
    return HWY_NAMESPACE::walks_whole(walk, (window.kernel.h + window.stride.h - 1) / window.stride.h) &&
           window.kernel.h >= window.stride.h;
  }

  // dx of the channels at hand as it follows from dy alone, and the filter's gradient; or all that there is to do.
  void walk(Ends ends) {
    const Window& window = args_.window;
    for (std::int64_t phase = 0; phase < std::min(window.stride.h, rows_.size()); ++phase) {
      const std::int64_t row = rows_.begin + phase;
      // Tap rows that rows of this phase hear: first, first + step ...
      const std::int64_t step = window.stride.h / std::gcd(window.stride.h, window.dilation.h);
      std::int64_t first = 0;
      const auto hears = [&](std::int64_t tap) {
        return (row + window.padding.top - tap * window.dilation.h) % window.stride.h == 0;
      };
      while (first < step && !hears(first)) ++first;
      const bool heard = first < step && first < window.kernel.h;
      const std::int64_t tap_rows = heard ? (window.kernel.h - 1 - first) / step + 1 : 0;
      Walk walk{.count = (rows_.size() - phase - 1) / window.stride.h + 1,
                .step = window.stride.h,
                .row_pitch = room_.x_pitch,
                .read = floats_ + room_.read + inner(row),
                .dx = floats_ + room_.dx + inner(row),
                .lines = nullptr,
                .tap_rows = 0,
                .weights = nullptr,
                .sums = nullptr,
                .tap_step = step * window.kernel.w * kGroup,
                .kernel = window.kernel.w,
                .dilation = window.dilation.w,
                .stride = window.stride.w,
                .padding = window.padding.left,
                .w = in_.w(),
                .columns = out_.w(),
                .add = false};
      if (ends != Ends::kRows) use_memory(row, walk);
      look_ahead(phase, walk);
      if (tap_rows == 0) clear(walk);
      for (std::int64_t j = 0; j < room_.multiplier; ++j) {
        for (std::int64_t done = 0; done < tap_rows;) {
          const std::int64_t count = std::min<std::int64_t>(tap_row_limit(walk), tap_rows - done);
          walk_taps(walk, row, first + done * step, step, static_cast<int>(count), j, ends);
          done += count;
          walk.add = true;
        }
      }
    }
  }

  // For a walk from x to dx as they lie in memory.
  void use_memory(std::int64_t row, Walk& walk) const {
    const Epilogue epilogue = epilogue_of(args_.read.activation);
    walk.row_pitch = in_.w() * in_.c();
    walk.pixel_pitch = in_.c();
    walk.read = args_.input.data + place(row);
    walk.dx = args_.input_gradient + place(row);
    walk.factor = args_.read.factor + channel();
    walk.shift = args_.read.shift + channel();
    walk.mean = args_.read.mean + channel();
    walk.low = epilogue.low;
    walk.high = epilogue.high;
    walk.dx_sum = sums_ + channel();
    walk.dx_product = sums_ + in_.c() + channel();
  }

  // The next band's rows follow this one's, those of the next image included. The share of this group in them.
  void look_ahead(std::int64_t phase, Walk& walk) const {
    const auto place = [](const float* from, std::int64_t floats) {
      return Ahead{reinterpret_cast<std::uintptr_t>(from) + static_cast<std::uintptr_t>(floats * 4)};
    };
    const std::int64_t x_lines = in_.w() * rows_.size();
    const std::int64_t before = phase * in_.w() * ((rows_.size() + walk.step - 1) / walk.step);
    walk.x_ahead = place(args_.input.data,
                         (image_ * in_.h() + rows_.end) * in_.w() * in_.c() + (group_ * x_lines + before) * kGroup);
    const std::int64_t dy_lines = out_.w() * rows_.size() / walk.step;
    const std::int64_t dy = (image_ * out_.h() + ready_) * out_.w() * out_.c() + group_ * dy_lines * kGroup;
    const float* y = args_.gradient.y == nullptr ? args_.gradient.g : args_.gradient.y;
    walk.dy_ahead[0] = place(phase % 2 == 0 ? args_.gradient.g : y, dy);
    walk.dy_ahead[1] = place(y, dy);
  }

  static std::int64_t tap_row_limit(const Walk& walk) { return tap_rows_at_once(walk); }

  static void clear(const Walk& walk) {
    for (std::int64_t i = 0; i < walk.count; ++i) {
      float* const dx = walk.dx + i * walk.step * walk.row_pitch;
      for (std::int64_t x = 0; x < walk.w; ++x) hn::StoreU(hn::Zero(kTag), kTag, dx + x * kGroup);
    }
  }

  // `count` tap rows from `tap` on, of plane j.
  void walk_taps(Walk& walk, std::int64_t row, std::int64_t tap, std::int64_t step, int count, std::int64_t j,
                 Ends ends) {
    const Window& window = args_.window;
    Array<const float*, kMostBandRows * kMostTapRows> lines;
    const float* const plane = floats_ + room_.plane(group_, j) + room_.left * kGroup + lane_;
    const float* const zeros = floats_ + room_.zeros + room_.left * kGroup;
    for (std::int64_t i = 0; i < walk.count; ++i) {
      for (int t = 0; t < count; ++t) {
        const std::int64_t above = row + i * walk.step + window.padding.top - (tap + t * step) * window.dilation.h;
        const std::int64_t y = above / window.stride.h;
        const bool there = above >= 0 && y < out_.h();
        lines[i * count + t] = there ? plane + y % room_.slots * room_.row_pitch : zeros;
      }
    }
    const std::int64_t place = room_.filter(group_, j) + tap * window.kernel.w * kGroup + lane_;
    walk.lines = lines;
    walk.tap_rows = count;
    walk.weights = floats_ + room_.weights + place;
    walk.sums = partial_ + place;
    walk_any_rows(walk, count, ends);
  }

  // The rows of dx for the channels at hand, as the caller wants them, and their sums.
  void write() {
    const ReadArgs& read = args_.read;
    if (read.factor == nullptr) {
      for (std::int64_t row = rows_.begin; row < rows_.end; ++row) {
        const float* const from = floats_ + room_.dx + inner(row);
        float* const to = args_.input_gradient + place(row);
        for (std::int64_t x = 0; x < in_.w(); ++x) {
          store_upto(hn::LoadU(kTag, from + x * kGroup), to + x * in_.c(), rest());
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

  // Functions that are no epilogues: dx times their slope, one value at a time.
  void slopes() {
    const ReadArgs& read = args_.read;
    for (std::int64_t row = rows_.begin; row < rows_.end; ++row) {
      const float* const from = args_.input.data + place(row);
      float* const dx = floats_ + room_.dx + inner(row);
      for (std::int64_t x = 0; x < in_.w(); ++x) {
        for (std::int64_t i = 0; i < std::min<std::int64_t>(kLanes, rest()); ++i) {
          const float n = from[x * in_.c() + i] * read.factor[channel() + i] + read.shift[channel() + i];
          dx[x * kGroup + i] *= reference::derivative(read.activation, n);
        }
      }
    }
  }

  template <typename Slope>
  HWY_INLINE void write_masked(const Slope& slope) {
    streams(args_) ? write_masked<true>(slope) : write_masked<false>(slope);
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
    const V factor = load_upto(args_.read.factor + channel(), rest());
    const V shift = load_upto(args_.read.shift + channel(), rest());
    const V mean = load_upto(args_.read.mean + channel(), rest());
    V sums[2] = {hn::Zero(kTag), hn::Zero(kTag)};
    V products[2] = {hn::Zero(kTag), hn::Zero(kTag)};
    const auto pixel = [&](int chain, const float* dx, V x) HWY_ATTR __attribute__((always_inline)) {
      const V value = slope(hn::MulAdd(x, factor, shift), hn::LoadU(kTag, dx));
      sums[chain] = hn::Add(sums[chain], value);
      products[chain] = hn::MulAdd(value, hn::Sub(x, mean), products[chain]);
      return value;
    };
    const std::int64_t channels = in_.c();
    for (std::int64_t row = rows_.begin; row < rows_.end; ++row) {
      const float* from = args_.input.data + place(row);
      const float* dx = floats_ + room_.dx + inner(row);
      float* to = args_.input_gradient + place(row);
      std::int64_t x = 0;
      if (rest() >= kLanes) {
        for (; x + 2 <= in_.w(); x += 2, from += 2 * channels, to += 2 * channels, dx += 2 * kGroup) {
          store(pixel(0, dx, hn::LoadU(kTag, from)), to);
          store(pixel(1, dx + kGroup, hn::LoadU(kTag, from + channels)), to + channels);
        }
      }
      for (; x < in_.w(); ++x, from += channels, to += channels, dx += kGroup) {
        store_upto(pixel(0, dx, load_upto(from, rest())), to, rest());
      }
    }
    float* const to = sums_ + channel();
    store_upto(hn::Add(load_upto(to, rest()), hn::Add(sums[0], sums[1])), to, rest());
    store_upto(hn::Add(load_upto(to + channels, rest()), hn::Add(products[0], products[1])), to + channels, rest());
  }

  const DepthwiseGradientArgs& args_;
  const Shape& in_;
  const Shape& out_;
  const GradientRoom& room_;
  float* floats_;
  std::int64_t image_;
  float* partial_;
  float* sums_;
  std::int64_t ready_ = 0;  // rows of dy before this one are in the ring, or no longer asked for
  Range rows_;              // the band at hand
  std::int64_t group_ = 0;  // the channels at hand
  std::int64_t lane_ = 0;
};

// The rows `rows` of x of one image.
void gradient_rows(const DepthwiseGradientArgs& args, const GradientRoom& room, float* floats, std::int64_t image,
                   Range rows, float* partial, float* sums) {
  Band band(args, room, floats, image, partial, sums);
  for (std::int64_t begin = rows.begin; begin < rows.end; begin += room.band) {
    band.compute({begin, std::min(begin + room.band, rows.end)});
  }
  if (streams(args)) hwy::FlushStream();
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {
HWY_EXPORT(gradient_rows);

constexpr std::int64_t kMostParts = 16;

std::int64_t part_floats(const DepthwiseGradientArgs& args) {
  const GradientRoom room(args);
  return room.groups * room.multiplier * room.taps * kChannelGroup;
}

// The filter, each plane of a group of channels by itself.
void pack_weights(const DepthwiseGradientArgs& args, const GradientRoom& room, float* to) {
  const std::int64_t channels = args.input.shape.c();
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t j = 0; j < room.multiplier; ++j) {
      for (std::int64_t tap = 0; tap < room.taps; ++tap) {
        to[room.filter(c / kChannelGroup, j) + tap * kChannelGroup + c % kChannelGroup] =
            args.filter[(tap * channels + c) * room.multiplier + j];
      }
    }
  }
}

}  // namespace

std::int64_t depthwise_gradient_parts(const DepthwiseGradientArgs& args) noexcept {
  return std::min(row_blocks(args.input.shape).count, kMostParts);
}

std::int64_t depthwise_gradient_floats(const DepthwiseGradientArgs& args) noexcept {
  return depthwise_gradient_parts(args) * part_floats(args);
}

std::int64_t depthwise_gradient_room(const DepthwiseGradientArgs& args) noexcept { return GradientRoom(args).size; }

void depthwise_gradient(const DepthwiseGradientArgs& args, Range parts, float* floats) noexcept {
  const Shape& in = args.input.shape;
  const GradientRoom room(args);
  const RowBlocks blocks = row_blocks(in);
  const std::int64_t count = depthwise_gradient_parts(args);
  std::fill_n(floats, room.size, 0.0f);
  pack_weights(args, room, floats + room.weights);
  for (std::int64_t index = parts.begin; index < parts.end; ++index) {
    float* const partial = args.partial + index * part_floats(args);
    std::fill_n(partial, part_floats(args), 0.0f);
    const Range of_part = part({0, blocks.count}, index, count);
    for (std::int64_t block = of_part.begin; block < of_part.end; ++block) {
      float* const sums = args.sums == nullptr ? nullptr : args.sums + block * 2 * in.c();
      if (sums != nullptr) std::fill_n(sums, 2 * in.c(), 0.0f);
      const Range rows = {block * blocks.rows, std::min((block + 1) * blocks.rows, in.n() * in.h())};
      for (std::int64_t begin = rows.begin; begin < rows.end;) {
        const std::int64_t image = begin / in.h();
        const std::int64_t end = std::min(rows.end, (image + 1) * in.h());
        HWY_DYNAMIC_DISPATCH(gradient_rows)
        (args, room, floats, image, {begin - image * in.h(), end - image * in.h()}, partial, sums);
        begin = end;
      }
    }
  }
}

void join_depthwise_gradient(const DepthwiseGradientArgs& args, Range channels, float* filter_gradient) noexcept {
  const GradientRoom room(args);
  const std::int64_t parts = depthwise_gradient_parts(args);
  const std::int64_t floats = part_floats(args);
  for (std::int64_t o = channels.begin; o < channels.end; ++o) {
    const std::int64_t c = o / room.multiplier;
    const float* const from = args.partial + room.filter(c / kChannelGroup, o % room.multiplier) + c % kChannelGroup;
    for (std::int64_t tap = 0; tap < room.taps; ++tap) {
      double sum = 0;
      for (std::int64_t part = 0; part < parts; ++part) {
        sum += static_cast<double>(from[part * floats + tap * kChannelGroup]);
      }
      filter_gradient[o * room.taps + tap] = static_cast<float>(sum);
    }
  }
}

}  // namespace sepal
#endif
