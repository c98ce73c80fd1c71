#include "sepal/train/evaluation.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "sepal/base/memory.h"
#include "sepal/base/text.h"
#include "sepal/data/batch_loader.h"
#include "sepal/optimize/optimize.h"
#include "sepal/plan/plan.h"
#include "sepal/train/reshape.h"

namespace sepal {
namespace {

/// Mistakes so far, the most confident first; of equals the one that came first.
class Worst {
 public:
  explicit Worst(std::int64_t most) : most_(static_cast<std::size_t>(most)) {}

  void add(const Mistake& mistake) {
    const auto place = std::ranges::upper_bound(mistakes_, mistake.confidence, std::greater<>(), &Mistake::confidence);
    if (place == mistakes_.end() && mistakes_.size() >= most_) return;
    mistakes_.insert(place, mistake);
    if (mistakes_.size() > most_) mistakes_.pop_back();
  }

  std::vector<Mistake> with_pixels(const LabelledImages& images) && {
    for (Mistake& mistake : mistakes_) {
      const Tensor pixels = images.image(mistake.index);
      const auto values = pixels.values<std::uint8_t>();
      mistake.pixels.assign(values.begin(), values.end());
      mistake.h = pixels.shape()[0];
      mistake.w = pixels.shape()[1];
      mistake.c = pixels.shape()[2];
    }
    return std::move(mistakes_);
  }

 private:
  std::size_t most_;
  std::vector<Mistake> mistakes_;
};

}  // namespace

Answer answer_of(std::span<const float> scores, std::int64_t label) {
  const auto best = std::ranges::max_element(scores);
  const double most = *best;
  double sum = 0;
  for (const float score : scores) sum += std::exp(score - most);
  return {best - scores.begin(), 1 / sum, std::log(sum) + most - scores[static_cast<std::size_t>(label)]};
}

Evaluation evaluate_network(const Graph& network, const Batches& batches, const LabelledImages& images,
                            const EvaluationOptions& options) {
  const std::int64_t batch = batches.options().batch;
  // The softmax is done in answer_of, in double precision.
  const Graph graph = optimize(with_batch(without_softmax(network), batch));
  const Shape shape = image_shape(graph);
  const BatchOptions& given = batches.options();
  if (Extent{shape.h(), shape.w()} != given.size || shape.c() != given.channels) {
    invalid("the network takes {}, the images are {}x{}x{}", to_string(shape), given.size.h, given.size.w,
            given.channels);
  }
  const std::int64_t classes = class_count(graph);
  const Plan plan(graph, {.threads = options.threads, .memory_limit = machine_memory()});
  const Workspace workspace(plan.workspace_bytes());
  Tensor input(DataType::kF32, shape);
  Tensor scores(DataType::kF32, {batch, classes});

  Evaluation result;
  result.confusion.resize(static_cast<std::size_t>(classes * classes));
  Worst worst(options.mistakes);
  std::int64_t right = 0;
  const auto begun = std::chrono::steady_clock::now();
  BatchLoader loader(batches, {}, options.threads, options.threads + 1, Position{1, 0});
  while (!loader.is_done()) {
    const Batch next = loader.next();
    std::ranges::copy(next.images.values<float>(), input.values<float>().begin());
    plan.run(workspace, std::array{ConstBuffer(input.buffer())}, std::array{scores.buffer()});
    for (std::size_t i = 0; i < next.indices.size(); ++i) {
      const std::int64_t label = next.labels.values<std::int64_t>()[i];
      if (label >= classes) invalid("an image is of class {}, but the network tells {} apart", label, classes);
      const auto width = static_cast<std::size_t>(classes);
      const Answer answer = answer_of(std::as_const(scores).values<float>().subspan(i * width, width), label);
      result.loss += answer.loss;
      ++result.confusion[static_cast<std::size_t>(label * classes + answer.guess)];
      if (answer.guess == label) {
        ++right;
      } else if (options.mistakes > 0) {
        worst.add({.index = next.indices[i],
                   .label = label,
                   .guess = answer.guess,
                   .confidence = answer.confidence,
                   .pixels = {}});
      }
    }
    result.images += std::ssize(next.indices);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begun;
  const auto count = static_cast<double>(result.images);
  result.loss /= count;
  result.accuracy = static_cast<double>(right) / count;
  result.images_per_second = count / std::max(seconds.count(), 1e-9);
  result.mistakes = std::move(worst).with_pixels(images);
  return result;
}

}  // namespace sepal
