#include "sepal/kernels/training_depthwise.h"

#include <algorithm>
#include <numeric>

#include "sepal/kernels/depthwise_gradient_room.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/training_depthwise_gradient.cc"
#include <hwy/foreach_target.h>

#include <hwy/cache_control.h>

#include "sepal/kernels/depthwise_band-inl.h"

// Backward: both gradients in one pass over bands of rows of x. The rows of dy that a band hears lie in a ring in the
// room, a cache line of channels after another: [channels / 16][rows][columns][16], columns of zeros at either end. So
// memory is gone through once and in its order, and the walks that add up the gradients (depthwise_walk-inl.h) have
// neighbouring pixels in neighbouring lines of L1.
//
// For each such group of channels a band goes in three steps through L1: x is read, the walks give dx and the filter's
// gradient, and dx is turned into the gradient with respect to the batch norm, written and summed up
// (depthwise_band-inl.h). Where a single walk does for a row, it does all three in one.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

// The bands of one image, one after another, and the walks that each of them takes.
class Walks {
 public:
  Walks(const Band& band, float* partial) : band_(band), partial_(partial) {}

  // Bands come in their order.
  void compute(Range rows) {
    band_.rows = rows;
    fill_ring();
    for (band_.group = 0; band_.group < room().groups; ++band_.group) {
      for (band_.lane = 0; band_.lane < kGroup && band_.rest() > 0; band_.lane += kLanes) {
        if (one_walk_does()) {
          walk(streams(args()) ? Ends::kStream : Ends::kWhole);
        } else {
          band_.read();
          walk(Ends::kRows);
          if (args().input_gradient != nullptr) band_.write();
        }
      }
    }
  }

 private:
  // Rows of the filter that hear a row of x: first, first + step ...
  struct TapRows {
    std::int64_t first, step, count;
  };

  const DepthwiseGradientArgs& args() const { return band_.args; }
  const GradientRoom& room() const { return band_.room; }
  const Window& window() const { return band_.args.window; }

  // What the band hears of dy, as far as it is not there yet.
  void fill_ring() {
    const Range& rows = band_.rows;
    const std::int64_t stride = window().stride.h;
    const std::int64_t first = rows.begin + window().padding.top - (window().kernel.h - 1) * window().dilation.h;
    const std::int64_t last = (rows.end - 1 + window().padding.top) / stride + 1;
    ready_ = std::max(ready_, first <= 0 ? 0 : (first + stride - 1) / stride);
    for (; ready_ < std::min(last, band_.out().h()); ++ready_) band_.fill(ready_);
  }

  // Whether every row of the band, for the channels at hand, takes a single walk from x to dx as they lie in memory.
  bool one_walk_does() const {
    const Unary& activation = args().read.activation;
    if (args().input_gradient == nullptr || args().read.factor == nullptr || room().multiplier > 1 ||
        band_.rest() < kLanes || !is_epilogue(activation) || activation.kind == UnaryKind::kHardSwish ||
        window().dilation.h > 1) {
      return false;
    }
    const Walk walk{.kernel = window().kernel.w, .dilation = window().dilation.w, .stride = window().stride.w};
    return walks_whole(walk, (window().kernel.h + window().stride.h - 1) / window().stride.h) &&
           window().kernel.h >= window().stride.h;
  }

  TapRows heard(std::int64_t row) const {
    const std::int64_t stride = window().stride.h;
    const std::int64_t dilation = window().dilation.h;
    const std::int64_t step = stride / std::gcd(stride, dilation);
    for (std::int64_t tap = 0; tap < std::min(step, window().kernel.h); ++tap) {
      if ((row + window().padding.top - tap * dilation) % stride == 0) {
        return {tap, step, (window().kernel.h - 1 - tap) / step + 1};
      }
    }
    return {0, step, 0};
  }

  // dx of the channels at hand as it follows from dy alone, and the filter's gradient; or all that there is to do. The
  // rows of a phase, a stride apart, hear the same taps.
  void walk(Ends ends) {
    const std::int64_t stride = window().stride.h;
    for (std::int64_t phase = 0; phase < std::min(stride, band_.rows.size()); ++phase) {
      const std::int64_t row = band_.rows.begin + phase;
      const TapRows taps = heard(row);
      Walk walk{.count = (band_.rows.size() - phase - 1) / stride + 1,
                .step = stride,
                .row_pitch = room().x_pitch,
                .read = band_.floats + room().read + band_.inner(row),
                .dx = band_.floats + room().dx + band_.inner(row),
                .tap_step = taps.step * window().kernel.w * kGroup,
                .kernel = window().kernel.w,
                .dilation = window().dilation.w,
                .stride = window().stride.w,
                .padding = window().padding.left,
                .w = band_.in().w(),
                .columns = band_.out().w()};
      if (ends != Ends::kRows) use_memory(row, walk);
      look_ahead(phase, walk);
      if (taps.count == 0) clear(walk);
      for (std::int64_t j = 0; j < room().multiplier; ++j) {
        for (std::int64_t done = 0; done < taps.count;) {
          const std::int64_t count = std::min<std::int64_t>(tap_rows_at_once(walk), taps.count - done);
          walk_taps(walk, row, {taps.first + done * taps.step, taps.step, count}, j, ends);
          done += count;
          walk.add = true;
        }
      }
    }
  }

  // For a walk from x to dx as they lie in memory.
  void use_memory(std::int64_t row, Walk& walk) const {
    const Epilogue epilogue = epilogue_of(args().read.activation);
    walk.row_pitch = band_.in().w() * band_.in().c();
    walk.pixel_pitch = band_.in().c();
    walk.read = args().input.data + band_.place(row);
    walk.dx = args().input_gradient + band_.place(row);
    walk.factor = args().read.factor + band_.channel();
    walk.shift = args().read.shift + band_.channel();
    walk.mean = args().read.mean + band_.channel();
    walk.low = epilogue.low;
    walk.high = epilogue.high;
    walk.dx_sum = band_.sums + band_.channel();
    walk.dx_product = band_.sums + band_.in().c() + band_.channel();
  }

  // The next band's rows follow this one's, those of the next image included. The share of this group in them.
  void look_ahead(std::int64_t phase, Walk& walk) const {
    const Shape& in = band_.in();
    const Shape& out = band_.out();
    const GradientReadArgs& read = args().gradient;
    const auto place = [](const float* from, std::int64_t floats) {
      return Ahead{reinterpret_cast<std::uintptr_t>(from) + static_cast<std::uintptr_t>(floats * 4)};
    };
    const std::int64_t x_lines = in.w() * band_.rows.size();
    const std::int64_t before = phase * in.w() * ((band_.rows.size() + walk.step - 1) / walk.step);
    const std::int64_t x = (band_.image * in.h() + band_.rows.end) * in.w() * in.c();
    walk.x_ahead = place(args().input.data, x + (band_.group * x_lines + before) * kGroup);
    const std::int64_t dy_lines = out.w() * band_.rows.size() / walk.step;
    const std::int64_t dy = (band_.image * out.h() + ready_) * out.w() * out.c() + band_.group * dy_lines * kGroup;
    const float* const y = read.y == nullptr ? read.g : read.y;
    walk.dy_ahead[0] = place(phase % 2 == 0 ? read.g : y, dy);
    walk.dy_ahead[1] = place(y, dy);
  }

  static void clear(const Walk& walk) {
    for (std::int64_t i = 0; i < walk.count; ++i) {
      float* const dx = walk.dx + i * walk.step * walk.row_pitch;
      for (std::int64_t x = 0; x < walk.w; ++x) hn::StoreU(hn::Zero(kTag), kTag, dx + x * kGroup);
    }
  }

  // The tap rows `taps` of plane j, as many as a walk takes at once.
  void walk_taps(Walk& walk, std::int64_t row, const TapRows& taps, std::int64_t j, Ends ends) {
    Array<const float*, kMostBandRows * kMostTapRows> lines;
    const std::int64_t begin = room().left * kGroup;
    const float* const plane = band_.floats + room().plane(band_.group, j) + begin + band_.lane;
    const float* const zeros = band_.floats + room().zeros + begin;
    for (std::int64_t i = 0; i < walk.count; ++i) {
      for (std::int64_t t = 0; t < taps.count; ++t) {
        const std::int64_t tap = taps.first + t * taps.step;
        const std::int64_t above = row + i * walk.step + window().padding.top - tap * window().dilation.h;
        const std::int64_t y = above / window().stride.h;
        const bool there = above >= 0 && y < band_.out().h();
        lines[i * taps.count + t] = there ? plane + y % room().slots * room().row_pitch : zeros;
      }
    }
    const std::int64_t place = room().filter(band_.group, j) + taps.first * window().kernel.w * kGroup + band_.lane;
    walk.lines = lines;
    walk.tap_rows = static_cast<int>(taps.count);
    walk.weights = band_.floats + room().weights + place;
    walk.sums = partial_ + place;
    walk_any_rows(walk, walk.tap_rows, ends);
  }

  Band band_;
  float* partial_;          // the part's gradient of the filter
  std::int64_t ready_ = 0;  // rows of dy before this one are in the ring, or no longer asked for
};

// The rows `rows` of x of one image.
void gradient_rows(const DepthwiseGradientArgs& args, const GradientRoom& room, float* floats, std::int64_t image,
                   Range rows, float* partial, float* sums) {
  Walks walks({.args = args, .room = room, .floats = floats, .image = image, .sums = sums}, partial);
  for (std::int64_t begin = rows.begin; begin < rows.end; begin += room.band) {
    walks.compute({begin, std::min(begin + room.band, rows.end)});
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

// The filter, each plane of a group of channels by itself.
void pack_weights(const DepthwiseGradientArgs& args, const GradientRoom& room, float* to) {
  const std::int64_t channels = args.input.shape.c();
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t j = 0; j < room.multiplier; ++j) {
      for (std::int64_t tap = 0; tap < room.taps; ++tap) {
        to[room.filter(c / kLineFloats, j) + tap * kLineFloats + c % kLineFloats] =
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
  return depthwise_gradient_parts(args) * GradientRoom(args).filter_floats();
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
    float* const partial = args.partial + index * room.filter_floats();
    std::fill_n(partial, room.filter_floats(), 0.0f);
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
  const std::int64_t floats = room.filter_floats();
  for (std::int64_t o = channels.begin; o < channels.end; ++o) {
    const std::int64_t c = o / room.multiplier;
    const float* const from = args.partial + room.filter(c / kLineFloats, o % room.multiplier) + c % kLineFloats;
    for (std::int64_t tap = 0; tap < room.taps; ++tap) {
      double sum = 0;
      for (std::int64_t part = 0; part < parts; ++part) {
        sum += static_cast<double>(from[part * floats + tap * kLineFloats]);
      }
      filter_gradient[o * room.taps + tap] = static_cast<float>(sum);
    }
  }
}

}  // namespace sepal
#endif
