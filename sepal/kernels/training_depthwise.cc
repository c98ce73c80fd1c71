#include "sepal/kernels/training_depthwise.h"

#include <algorithm>

#include "sepal/kernels/depthwise.h"
#include "sepal/kernels/depthwise_sums_room.h"
#include "sepal/kernels/elementwise.h"
#include "sepal/kernels/epilogue.h"
#include "sepal/kernels/tile.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/training_depthwise.cc"
#include <hwy/foreach_target.h>

#include <hwy/cache_control.h>

#include "sepal/kernels/depthwise_sums-inl.h"

// Forward. x is read, normalised and activated, row by row into a ring in the room. Windows of 3 x 3 have a walk of
// their own (depthwise_sums-inl.h) that goes along rows of y for a few channels at a time and takes the moments on its
// way. For all others depthwise() computes two output rows at a time from the ring, and their moments are taken while
// they are in the cache.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

// What into_groups() makes of x.
template <typename Activation>
struct ReadX {
  ReadArgs read;
  const float* x;
  Activation activation;
  struct Constants {
    V factor, shift;
  };
  template <typename Load>
  HWY_INLINE Constants constants(std::int64_t c, const Load& load) const {
    return {load(read.factor + c), load(read.shift + c)};
  }
  template <typename Load>
  HWY_INLINE V operator()(const Constants& of, std::int64_t place, const Load& load) const {
    ask_further(x + place);
    return activation(hn::MulAdd(load(x + place), of.factor, of.shift));
  }
};
struct CopyX {
  const float* x;
  template <typename Load>
  HWY_INLINE int constants(std::int64_t, const Load&) const {
    return 0;
  }
  template <typename Load>
  HWY_INLINE V operator()(int, std::int64_t place, const Load& load) const {
    return load(x + place);
  }
};
struct Limits {
  V low, high;
  HWY_INLINE V operator()(V v) const { return at_most(at_least(v, low), high); }
};
struct HardSwish {
  HWY_INLINE V operator()(V v) const { return hard_swish(v); }
};

void read_into_groups(const ReadArgs& read, const float* x, std::int64_t pixels, std::int64_t channels, float* to,
                      std::int64_t plane) {
  const Epilogue epilogue = epilogue_of(read.activation);
  if (read.factor == nullptr) {
    into_groups(pixels, channels, CopyX{x}, to, plane);
  } else if (epilogue.hard_swish) {
    into_groups(pixels, channels, ReadX<HardSwish>{read, x, {}}, to, plane);
  } else {
    const Limits limits = {hn::Set(kTag, epilogue.low), hn::Set(kTag, epilogue.high)};
    into_groups(pixels, channels, ReadX<Limits>{read, x, limits}, to, plane);
  }
}

// Whether y goes past the caches, as dx does in the gradient.
bool streams(const TrainingDepthwiseArgs& args) {
  const Shape& out = args.output.shape;
  return kLanes == kGroup && sepal::streams(out.elements()) && out.c() % kGroup == 0 &&
         reinterpret_cast<std::uintptr_t>(args.output.data) % 64 == 0;
}

// The rows `rows` of y of one image by walks, a band at a time. `first`: of their block.
void walk_image(const TrainingDepthwiseArgs& args, const SumsRoom& room, float* floats, std::int64_t image, Range rows,
                float* moments, bool first) {
  const Shape& in = args.input.shape;
  const Shape& out = args.output.shape;
  const Window& window = args.window;
  const std::int64_t line = in.w() * in.c();
  const float* const x = args.input.data + image * in.h() * line;
  const bool stream = streams(args);
  Array<const float*, SumsRoom::kMostRows * 3> lines;
  std::int64_t ready = 0;  // rows of x before this one are in the ring, or no longer asked for
  for (std::int64_t y = rows.begin; y < rows.end; y += room.band) {
    const std::int64_t end = std::min(y + room.band, rows.end);
    const std::int64_t top = y * window.stride.h - window.padding.top;
    const std::int64_t bottom = (end - 1) * window.stride.h - window.padding.top + window.kernel.h;
    ready = std::max(ready, top);
    for (; ready < std::min(bottom, in.h()); ++ready) {
      float* const to = floats + room.ring + ready % room.slots * room.row_pitch + window.padding.left * kGroup;
      read_into_groups(args.read, x + ready * line, in.w(), in.c(), to, room.slots * room.row_pitch);
    }
    SumsWalk walk{.rows = end - y, .columns = out.w(), .lines = lines, .channels = out.c(), .first = first};
    for (std::int64_t c = 0; c < out.c(); c += kLanes) {
      const float* const group = floats + room.ring + c / kGroup * room.slots * room.row_pitch;
      for (std::int64_t i = 0; i < end - y; ++i) {
        for (std::int64_t tap = 0; tap < 3; ++tap) {
          const std::int64_t row = top + i * window.stride.h + tap;
          const bool there = row >= 0 && row < in.h();
          lines[i * 3 + tap] = (there ? group + row % room.slots * room.row_pitch : floats) + c % kGroup;
        }
      }
      walk.weights = args.filter + c;
      walk.y = args.output.data + (image * out.h() + y) * out.w() * out.c() + c;
      walk.rest = out.c() - c;
      walk.moments = moments + c;
      // The rows that are read next follow; each group asks for its share of them.
      const std::int64_t share = c * (end - y) * out.w() * window.stride.w * window.stride.w;
      walk.ahead.line = reinterpret_cast<std::uintptr_t>(x) + static_cast<std::uintptr_t>((ready * line + share) * 4);
      window.stride.w == 1 ? walk_sums<1>(walk, stream) : walk_sums<2>(walk, stream);
    }
    first = false;
  }
  if (stream) hwy::FlushStream();
}

// activation(factor x + shift) of pixels that follow one another.
void read_pixels(const ReadArgs& read, const float* x, std::int64_t pixels, std::int64_t channels, float* to) {
  const bool finish = is_epilogue(read.activation);
  const Epilogue epilogue = finish ? epilogue_of(read.activation) : Epilogue{};
  const auto all = [&](const auto& activation) HWY_ATTR __attribute__((always_inline)) {
    for (std::int64_t p = 0; p < pixels; ++p) {
      const float* from = x + p * channels;
      float* const row = to + p * channels;
      std::int64_t c = 0;
      for (; c + kLanes <= channels; c += kLanes) {
        const V factor = hn::LoadU(kTag, read.factor + c);
        const V shift = hn::LoadU(kTag, read.shift + c);
        hn::StoreU(activation(hn::MulAdd(hn::LoadU(kTag, from + c), factor, shift)), kTag, row + c);
      }
      if (const std::int64_t rest = channels - c; rest > 0) {
        const V factor = load_first(read.factor + c, rest);
        const V shift = load_first(read.shift + c, rest);
        store_first(activation(hn::MulAdd(load_first(from + c, rest), factor, shift)), row + c, rest);
      }
    }
  };
  if (epilogue.hard_swish) {
    all([](V v) HWY_ATTR __attribute__((always_inline)) { return hard_swish(v); });
  } else {
    const V low = hn::Set(kTag, epilogue.low);
    const V high = hn::Set(kTag, epilogue.high);
    all([=](V v) HWY_ATTR __attribute__((always_inline)) { return at_most(at_least(v, low), high); });
  }
  if (!finish) unary(read.activation, to, to, {0, pixels * channels});
}

// Adds pixels that follow one another to moments [3][channels] whose pivots are there.
void add_moments(const float* y, std::int64_t pixels, std::int64_t channels, float* moments) {
  for (std::int64_t c = 0; c < channels; c += kLanes) {
    const std::int64_t rest = channels - c;
    const V pivot = load_upto(moments + c, rest);
    constexpr int kChains = 4;  // of additions that need not wait for one another
    V sums[kChains];
    V squares[kChains];
    for (int i = 0; i < kChains; ++i) sums[i] = squares[i] = hn::Zero(kTag);
    const auto add = [&](int i, V v) HWY_ATTR __attribute__((always_inline)) {
      const V difference = hn::Sub(v, pivot);
      sums[i] = hn::Add(sums[i], difference);
      squares[i] = hn::MulAdd(difference, difference, squares[i]);
    };
    std::int64_t p = 0;
    const float* from = y + c;
    if (rest >= kLanes) {
      for (; p + kChains <= pixels; p += kChains) {
        HWY_UNROLL(4)
        for (int i = 0; i < kChains; ++i) add(i, hn::LoadU(kTag, from + (p + i) * channels));
      }
    }
    for (; p < pixels; ++p) add(0, load_upto(from + p * channels, rest));
    const V sum = hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]));
    const V square = hn::Add(hn::Add(squares[0], squares[1]), hn::Add(squares[2], squares[3]));
    float* const to = moments + channels + c;
    store_upto(hn::Add(load_upto(to, rest), sum), to, rest);
    store_upto(hn::Add(load_upto(to + channels, rest), square), to + channels, rest);
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {
HWY_EXPORT(read_pixels);
HWY_EXPORT(add_moments);
HWY_EXPORT(walk_image);

constexpr std::int64_t kRowsAtOnce = 2;  // as many as a tile of depthwise() has

// Input rows that output rows computed at once may meet.
std::int64_t ring_rows(const TrainingDepthwiseArgs& args) {
  const Window& window = args.window;
  const std::int64_t met = (kRowsAtOnce - 1) * window.stride.h + window.dilation.h * (window.kernel.h - 1) + 1;
  return std::min(met, args.input.shape.h());
}

// The output rows `rows` of one image; row_moments has its pivots.
class Image {
 public:
  Image(const TrainingDepthwiseArgs& args, std::int64_t image, float* room)
      : args_(args), image_(image), ring_(ring_rows(args)), room_(room) {}

  void compute(Range rows, float* moments, bool first) {
    const Shape& in = args_.input.shape;
    const Shape& out = args_.output.shape;
    const bool reads = args_.read.factor != nullptr;
    DepthwiseArgs kernel{args_.input, args_.filter, nullptr, args_.window, {}, args_.output};
    if (reads) {
      kernel.input.data = room_;
      kernel.ring = ring_;
    }
    std::int64_t ready = 0;  // rows of x before this one are in the ring, or no longer asked for
    for (std::int64_t y = rows.begin; y < rows.end; y += kRowsAtOnce) {
      const std::int64_t end = std::min(y + kRowsAtOnce, rows.end);
      if (reads) {
        const std::int64_t top = y * args_.window.stride.h - args_.window.padding.top;
        const std::int64_t bottom = (end - 1) * args_.window.stride.h - args_.window.padding.top +
                                    args_.window.dilation.h * (args_.window.kernel.h - 1) + 1;
        const std::int64_t line = in.w() * in.c();
        ready = std::max(ready, top);
        for (; ready < std::min(bottom, in.h()); ++ready) {
          HWY_DYNAMIC_DISPATCH(read_pixels)
          (args_.read, args_.input.data + (image_ * in.h() + ready) * line, in.w(), in.c(),
           room_ + ready % ring_ * line);
        }
      }
      const std::int64_t index = image_ * out.h() + y;
      depthwise(kernel, {index, index + end - y});
      const float* const written = args_.output.data + index * out.w() * out.c();
      if (first) std::copy_n(written, out.c(), moments);
      first = false;
      HWY_DYNAMIC_DISPATCH(add_moments)(written, (end - y) * out.w(), out.c(), moments);
    }
  }

 private:
  const TrainingDepthwiseArgs& args_;
  std::int64_t image_;
  std::int64_t ring_;
  float* room_;
};

}  // namespace

RowBlocks row_blocks(const Shape& shape) noexcept {
  constexpr std::int64_t kFewBlocks = 16;
  constexpr std::int64_t kManyBlocks = 64;
  constexpr std::int64_t kLowBand = 8;  // a band reads rows that its neighbours read, too
  const std::int64_t rows = shape.n() * shape.h();
  if (rows == 0) return {};
  RowBlocks blocks;
  if (shape.n() >= kFewBlocks) {
    blocks.rows = (shape.n() + kManyBlocks - 1) / kManyBlocks * shape.h();
  } else {
    blocks.rows = std::max((rows + kFewBlocks - 1) / kFewBlocks, std::min(shape.h(), kLowBand));
  }
  blocks.count = (rows + blocks.rows - 1) / blocks.rows;
  return blocks;
}

std::int64_t training_depthwise_room(const TrainingDepthwiseArgs& args) noexcept {
  if (has_sums_walk(args)) return SumsRoom(args).size;
  return args.read.factor == nullptr ? 0 : ring_rows(args) * args.input.shape.w() * args.input.shape.c();
}

void training_depthwise(const TrainingDepthwiseArgs& args, Range blocks, float* room) noexcept {
  const Shape& out = args.output.shape;
  const std::int64_t rows = row_blocks(out).rows;
  const bool walks = has_sums_walk(args);
  const SumsRoom walk_room(args);
  if (walks) std::fill_n(room, walk_room.size, 0.0f);
  for (std::int64_t block = blocks.begin; block < blocks.end; ++block) {
    float* const moments = args.moments + block * moment_floats(out.c());
    std::fill_n(moments, moment_floats(out.c()), 0.0f);
    const Range whole = {block * rows, std::min((block + 1) * rows, out.n() * out.h())};
    for (std::int64_t begin = whole.begin; begin < whole.end;) {
      const std::int64_t image = begin / out.h();
      const std::int64_t end = std::min(whole.end, (image + 1) * out.h());
      const Range of_image = {begin - image * out.h(), end - image * out.h()};
      const bool first = begin == whole.begin;
      if (walks) {
        HWY_DYNAMIC_DISPATCH(walk_image)(args, walk_room, room, image, of_image, moments, first);
      } else {
        Image(args, image, room).compute(of_image, moments, first);
      }
      begin = end;
    }
  }
}

}  // namespace sepal
#endif
