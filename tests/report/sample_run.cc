#include "tests/report/sample_run.h"

#include <algorithm>
#include <cmath>

#include "sepal/zoo/zoo.h"

namespace sepal::report {
namespace {

constexpr const char* kNetwork = "mobilenet_v1:width=0.25,size=32,stem=1,classes=10";
constexpr std::int64_t kEpochs = 10;
constexpr std::int64_t kStepsOfEpoch = 422;

/// From 0 to 1, the same every time.
class Noise {
 public:
  double operator()() {
    state_ = state_ * 1664525u + 1013904223u;
    return static_cast<double>(state_ >> 8) / (1 << 24);
  }

 private:
  std::uint32_t state_ = 1;
};

/// A grey disc or a frame with some noise on it, or the same in colour and larger.
void paint(Mistake& mistake, Noise& noise) {
  mistake.h = mistake.index % 5 == 4 ? 120 : 28;
  mistake.w = mistake.h;
  mistake.c = mistake.h == 28 ? 1 : 3;
  for (std::int64_t y = 0; y < mistake.h; ++y) {
    for (std::int64_t x = 0; x < mistake.w; ++x) {
      const double dy = 2.0 * static_cast<double>(y) / static_cast<double>(mistake.h) - 1;
      const double dx = 2.0 * static_cast<double>(x) / static_cast<double>(mistake.w) - 1;
      const double far = mistake.label % 2 == 0 ? std::hypot(dx, dy) : std::max(std::abs(dx), std::abs(dy));
      const double light = far < 0.8 && far > 0.08 * static_cast<double>(mistake.label) ? 0.6 + 0.4 * noise() : 0;
      for (std::int64_t c = 0; c < mistake.c; ++c) {
        mistake.pixels.push_back(static_cast<std::uint8_t>(255 * light / static_cast<double>(c + 1)));
      }
    }
  }
}

}  // namespace

History sample_history() {
  History history{.network = kNetwork,
                  .data = "Fashion-MNIST",
                  .command =
                      "sepal train mobilenet_v1:width=0.25,size=32,stem=1 --data fashion-mnist --out run "
                      "--epochs 10 --batch 128 --rate 0.2 --schedule cosine --warm-up 422 --tensorboard",
                  .classes = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt",
                              "<script>alert(1)</script>", "Bag & \"so on\"", "Ankle boot"},
                  .parameters = 218'954,
                  .macs = 8'123'456,
                  .steps = {},
                  .epochs = {},
                  .seconds = 754};
  Noise noise;
  for (std::int64_t epoch = 0; epoch < kEpochs; ++epoch) {
    double loss = 0;
    double accuracy = 0;
    for (std::int64_t i = 0; i < kStepsOfEpoch; ++i) {
      const std::int64_t step = epoch * kStepsOfEpoch + i + 1;
      const double done = static_cast<double>(step) / (kEpochs * kStepsOfEpoch);
      StepRecord record{.step = step, .epoch = epoch};
      record.loss = 0.19 + 2.1 * std::exp(-22 * done) + 0.25 * (1 - done) * noise();
      record.accuracy = 0.94 - 0.84 * std::exp(-25 * done) - 0.12 * (1 - done) * noise();
      record.rate = step <= 422 ? 0.2 * static_cast<double>(step) / 422 : 0.1 * (1 + std::cos(M_PI * done));
      record.images_per_second = 4100 + 300 * noise();
      loss += record.loss / kStepsOfEpoch;
      accuracy += record.accuracy / kStepsOfEpoch;
      history.steps.push_back(record);
    }
    history.epochs.push_back({.epoch = epoch,
                              .step = (epoch + 1) * kStepsOfEpoch,
                              .train_loss = loss,
                              .train_accuracy = accuracy,
                              .loss = epoch == 8 ? 0.21 : loss + 0.02,
                              .accuracy = epoch == 8 ? 0.9431 : accuracy - 0.01,
                              .seconds = 75.4});
  }
  return history;
}

Evaluation sample_evaluation(std::int64_t classes) {
  constexpr std::int64_t kImages = 1000;  // of a class
  Evaluation evaluation;
  evaluation.images = classes * kImages;
  evaluation.loss = 0.2234;
  evaluation.images_per_second = 12'345.6;
  evaluation.confusion.resize(static_cast<std::size_t>(classes * classes));
  std::int64_t right = 0;
  for (std::int64_t is = 0; is < classes; ++is) {
    const auto row = evaluation.confusion.begin() + is * classes;
    const std::int64_t wrong = 20 + 37 * (is % 7);
    for (std::int64_t i = 0; i < 4; ++i) row[(is + 1 + i * (is + 2)) % classes] += wrong * (4 - i) / 20;
    row[is] = 0;
    std::int64_t sum = 0;
    for (std::int64_t told = 0; told < classes; ++told) sum += row[told];
    row[is] = kImages - sum;
    right += row[is];
  }
  evaluation.accuracy = static_cast<double>(right) / static_cast<double>(evaluation.images);
  Noise noise;
  for (std::int64_t i = 0; i < 30; ++i) {
    Mistake mistake;
    mistake.index = 331 * i;
    mistake.label = i % classes;
    mistake.guess = (i + 3) % classes;
    mistake.confidence = 0.9998 - 0.01 * static_cast<double>(i);
    paint(mistake, noise);
    evaluation.mistakes.push_back(std::move(mistake));
  }
  return evaluation;
}

NetworkCost sample_cost() { return cost_of(build(parse_zoo_spec(kNetwork))); }

}  // namespace sepal::report
