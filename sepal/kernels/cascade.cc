#include "sepal/kernels/cascade.h"

#include <algorithm>
#include <array>

#include "sepal/kernels/packed.h"

// For a piece of the last stage's rows, the rows that each stage still has to compute are told from the last stage
// backwards; then the stages run forwards, each into its ring. A depthwise stage before a product has no ring: it packs
// the product's rows, and the two take turns.

namespace sepal {
namespace {

Window window_of(const CascadeStage& stage) {
  if (const auto* depthwise = std::get_if<DepthwiseArgs>(&stage.args)) return depthwise->window;
  if (const auto* direct = std::get_if<DirectArgs>(&stage.args)) return direct->window;
  return {};
}

/// Rows of one image, h high, that the output rows `rows` of the stage meet.
Range rows_met(const CascadeStage& stage, Range rows, std::int64_t h) {
  const Window window = window_of(stage);
  const std::int64_t top = rows.begin * window.stride.h - window.padding.top;
  const std::int64_t bottom = rows.size() <= 0 ? top : top + ring_rows_for(stage, rows.size());
  return {std::clamp<std::int64_t>(top, 0, h), std::clamp<std::int64_t>(bottom, 0, h)};
}

/// A cascade at work on one image.
class Run {
 public:
  Run(const CascadeArgs& args, std::int64_t image) : args_(args), image_(image) {
    // A depthwise stage packs what the product behind it reads.
    for (std::size_t i = 0; i + 1 < args.stages.size(); ++i) {
      const auto* depthwise_args = std::get_if<DepthwiseArgs>(&args.stages[i].args);
      packs_[i] = depthwise_args != nullptr && is_product(i + 1) && fills_panels(*depthwise_args);
    }
  }

  /// The output rows `rows` of the last stage, after those before them. `ahead`: of the weights that are wanted next.
  void piece(Range rows, const float* ahead) {
    ahead_ = ahead;
    const std::size_t count = args_.stages.size();
    std::array<Range, kMostStages> fresh;
    fresh[count - 1] = rows;
    for (std::size_t i = count - 1; i-- > 0;) {
      const Range met = rows_met(args_.stages[i + 1], fresh[i + 1], args_.stages[i].output.h());
      fresh[i] = {std::max(done_[i], met.begin), std::max(done_[i], met.end)};
    }
    for (std::size_t i = 0; i < count; ++i) {
      done_[i] = fresh[i].end;
      if (packs_[i]) continue;  // with the product that reads it
      // In runs that wrap neither where the stage writes nor, for a product, where it reads.
      for (std::int64_t y = fresh[i].begin; y < fresh[i].end;) {
        std::int64_t end = std::min(fresh[i].end, y + left_in_ring(i, y));
        if (i > 0 && is_product(i) && !packs_[i - 1]) end = std::min(end, y + left_in_ring(i - 1, y));
        if (i > 0 && packs_[i - 1]) run(i - 1, {y, end});
        run(i, {y, end});
        y = end;
      }
    }
  }

 private:
  bool is_last(std::size_t i) const { return i + 1 == args_.stages.size(); }
  bool is_product(std::size_t i) const { return std::holds_alternative<PointwiseArgs>(args_.stages[i].args); }

  std::int64_t left_in_ring(std::size_t i, std::int64_t y) const {
    const CascadeStage& stage = args_.stages[i];
    return is_last(i) ? stage.output.h() : stage.ring_rows - y % stage.ring_rows;
  }

  /// Where row y of a stage's output lies in its ring.
  float* ring_row(std::size_t i, std::int64_t y) const {
    const CascadeStage& stage = args_.stages[i];
    return args_.room + stage.ring + y % stage.ring_rows * row_floats(stage);
  }
  static std::int64_t row_floats(const CascadeStage& stage) { return stage.output.w() * stage.output.c(); }

  /// The rows `rows` of stage i, all of which have their places side by side.
  void run(std::size_t i, Range rows) const {
    const CascadeStage& stage = args_.stages[i];
    const std::int64_t begin = image_ * stage.output.h() + rows.begin;  // through the batch
    const Range through = {begin, begin + rows.size()};
    if (const auto* direct_args = std::get_if<DirectArgs>(&stage.args)) {
      DirectArgs args = *direct_args;
      args.output = {ring_row(i, rows.begin), stage.output};
      args.first_row = begin;
      direct(args, through);
    } else if (const auto* depthwise_args = std::get_if<DepthwiseArgs>(&stage.args)) {
      DepthwiseArgs args = *depthwise_args;
      if (i > 0) {
        const CascadeStage& before = args_.stages[i - 1];
        args.input = {args_.room + before.ring, before.output};
        args.ring = before.ring_rows;
      }
      if (!is_last(i)) {
        args.output = {packs_[i] ? args_.room + stage.ring : ring_row(i, rows.begin), stage.output};
        args.first_row = begin;
        args.output_panels = packs_[i];
      }
      depthwise(args, through);
    } else {
      PointwiseArgs args = std::get<PointwiseArgs>(stage.args);
      const std::int64_t pixels = stage.output.w();
      args.input_panels = i > 0 && packs_[i - 1];
      if (i == 0) {
        args.input += begin * pixels * args.input_pitch;
      } else {
        args.input = args.input_panels ? args_.room + args_.stages[i - 1].ring : ring_row(i - 1, rows.begin);
      }
      if (is_last(i)) {
        args.output += begin * pixels * args.output_pitch;
        if (args.addend != nullptr) args.addend += begin * pixels * args.output_pitch;
        args.ahead = ahead_;
      } else {
        args.output = ring_row(i, rows.begin);
      }
      pointwise(args, {0, rows.size() * pixels});
    }
  }

  const CascadeArgs& args_;
  std::int64_t image_;
  const float* ahead_ = nullptr;
  std::array<std::int64_t, kMostStages> done_ = {};  // by stage: the row after the last that was computed
  std::array<bool, kMostStages> packs_ = {};         // by stage: it fills row panels for the next
};

}  // namespace

std::int64_t ring_floats(const CascadeStage& stage) {
  const std::int64_t pixels = stage.ring_rows * stage.output.w();
  const bool packs = std::holds_alternative<DepthwiseArgs>(stage.args);
  return packs ? row_panel_floats(pixels, stage.output.c()) : pixels * stage.output.c();
}

std::int64_t ring_rows_for(const CascadeStage& stage, std::int64_t rows) {
  const Window window = window_of(stage);
  return (rows - 1) * window.stride.h + (window.kernel.h - 1) * window.dilation.h + 1;
}

void cascade(const CascadeArgs& args, Range rows) noexcept {
  const std::int64_t image_rows = args.stages.back().output.h();
  for (std::int64_t begin = rows.begin; begin < rows.end;) {
    const std::int64_t image_begin = begin / image_rows * image_rows;
    const std::int64_t image_end = std::min(rows.end, image_begin + image_rows);
    Run run(args, begin / image_rows);
    while (begin < image_end) {
      const std::int64_t end = std::min(begin + args.rows_at_once, image_end);
      run.piece({begin - image_begin, end - image_begin}, end == rows.end ? args.ahead : nullptr);
      begin = end;
    }
  }
}

}  // namespace sepal
