#include "sepal/model/layers.h"

#include <vector>

#include "sepal/base/text.h"
#include "sepal/plan/plan.h"

namespace sepal {
namespace {

/// A graph of one image input, built layer by layer, then planned and run once.
class OneRun {
 public:
  explicit OneRun(const Tensor& input) : input_(input) {
    last_ = graph_.add_input("input", {input.type(), input.shape()});
  }

  void convolve(const Tensor& filter, const Tensor* bias, const LayerOptions& options, std::int64_t groups) {
    Conv2d conv{.window = {.stride = options.stride, .dilation = options.dilation, .padding = options.padding},
                .groups = groups,
                .activation = options.activation};
    if (filter.shape().rank() == 4) conv.window.kernel = {filter.shape().h(), filter.shape().w()};
    std::vector<ValueId> inputs = {last_, graph_.add_constant(filter.copy())};
    if (bias != nullptr) inputs.push_back(graph_.add_constant(bias->copy()));
    last_ = graph_.add(conv, std::move(inputs));
  }

  Tensor run(int threads) {
    graph_.add_output("output", last_);
    const Plan plan(graph_, {.threads = threads});
    const Workspace workspace(plan.workspace_bytes());
    Tensor output(graph_.type(last_).type, graph_.shape(last_));
    const ConstBuffer from = input_.buffer();
    const Buffer to = output.buffer();
    plan.run(workspace, {&from, 1}, {&to, 1});
    return output;
  }

 private:
  const Tensor& input_;
  Graph graph_;
  ValueId last_{};
};

std::int64_t channels(const Tensor& image) {
  if (image.shape().rank() != 4) invalid("an image of {}, but it must be [n, h, w, c]", to_string(image.shape()));
  return image.shape().c();
}

/// [co, ci] as [co, 1, 1, ci].
Tensor as_filter(const Tensor& filter) {
  const Shape& shape = filter.shape();
  if (shape.rank() == 2) return filter.copy().reshaped({shape[0], 1, 1, shape[1]});
  if (shape.rank() != 4 || shape.h() != 1 || shape.w() != 1) {
    invalid("a pointwise filter of {}, but it must be [co, ci] or [co, 1, 1, ci]", to_string(shape));
  }
  return filter.copy();
}

void check_depthwise(const Tensor& input, const Tensor& filter) {
  const Shape& shape = filter.shape();
  const std::int64_t c = channels(input);
  if (shape.rank() != 4 || shape.c() != 1 || c == 0 || shape.n() % c != 0) {
    invalid("a depthwise filter of {} for {} channels, but it must be [c * m, kh, kw, 1]", to_string(shape), c);
  }
}

}  // namespace

Tensor conv2d(const Tensor& input, const Tensor& filter, const Tensor* bias, const LayerOptions& options) {
  OneRun run(input);
  run.convolve(filter, bias, options, options.groups);
  return run.run(options.threads);
}

Tensor depthwise_conv2d(const Tensor& input, const Tensor& filter, const Tensor* bias, const LayerOptions& options) {
  check_depthwise(input, filter);
  OneRun run(input);
  run.convolve(filter, bias, options, channels(input));
  return run.run(options.threads);
}

Tensor pointwise_conv2d(const Tensor& input, const Tensor& filter, const Tensor* bias, const LayerOptions& options) {
  OneRun run(input);
  run.convolve(as_filter(filter), bias, options, 1);
  return run.run(options.threads);
}

Tensor separable_conv2d(const Tensor& input, const Tensor& depthwise_filter, const Tensor& pointwise_filter,
                        const Tensor* bias, const LayerOptions& options) {
  check_depthwise(input, depthwise_filter);
  OneRun run(input);
  LayerOptions first = options;
  first.activation = {};
  run.convolve(depthwise_filter, nullptr, first, channels(input));
  run.convolve(as_filter(pointwise_filter), bias, {.activation = options.activation}, 1);
  return run.run(options.threads);
}

}  // namespace sepal
