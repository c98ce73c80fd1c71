#include "sepal/measure/paired.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "sepal/base/error.h"
#include "sepal/measure/rounds.h"

// The machines that we measure on are shared, and their clocks drift: the FMA peak of one was seen to move by 13 %
// within an hour. So absolute times are bests, and the comparison of two is the median of ratios of neighbours in time.

namespace sepal {
namespace {

constexpr int kMostRuns = 1 << 20;  // in a round
constexpr double kEnough = 0.5;     // of the wanted time, to say how many runs make a round

/// `q` of the way through the ascending `values`, between two of them by proportion.
double quantile(std::span<const double> values, double q) {
  const double place = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

/// One callable and the bests of its rounds.
class Runner {
 public:
  Runner(const std::function<void()>& run, const Clock& clock) : run_(run), clock_(clock) {}

  /// Runs it for about `seconds` and more, and sets the number of runs that take so long.
  void warm_up(double seconds) {
    for (runs_ = 1;; runs_ *= 2) {
      const double begin = clock_();
      for (int i = 0; i < runs_; ++i) run_();
      const double took = clock_() - begin;
      if (took < kEnough * seconds && runs_ < kMostRuns) continue;
      const double fitting = took > 0 ? std::round(runs_ * seconds / took) : 1;
      runs_ = static_cast<int>(std::clamp(fitting, 1.0, double{kMostRuns}));
      return;
    }
  }

  void round() {
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < runs_; ++i) {
      const double begin = clock_();
      run_();
      best = std::min(best, clock_() - begin);
    }
    bests_.push_back(best);
  }

  std::span<const double> bests() const { return bests_; }

  Timing timing() const {
    std::vector<double> sorted = bests_;
    std::ranges::sort(sorted);
    const double middle = quantile(sorted, 0.5);
    const double width = quantile(sorted, 0.95) - quantile(sorted, 0.05);
    return {.best = sorted.front(),
            .median = middle,
            .spread = middle > 0 ? width / middle : 0,
            .rounds = static_cast<int>(sorted.size()),
            .runs = runs_};
  }

 private:
  const std::function<void()>& run_;
  const Clock& clock_;
  int runs_ = 1;
  std::vector<double> bests_;  // seconds of a run, by round
};

double round_seconds(const TimingOptions& options, int callables) {
  return options.seconds / (callables * std::max(options.least_rounds, 1));
}

}  // namespace

double median(std::vector<double> values) {
  expect(!values.empty(), "a median is of something");
  std::ranges::sort(values);
  return quantile(values, 0.5);
}

double speedup_of(double before, double after) {
  constexpr double kTick = 1e-9;
  return std::max(before, kTick) / std::max(after, kTick);
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Timing time_one(const std::function<void()>& run, const TimingOptions& options, const Clock& clock) {
  Runner runner(run, clock);
  runner.warm_up(round_seconds(options, 1));
  go_round(options, clock, [&](int /*round*/) { runner.round(); });
  return runner.timing();
}

PairedTiming time_pair(const std::function<void()>& first, const std::function<void()>& second,
                       const TimingOptions& options, const Clock& clock) {
  Runner a(first, clock);
  Runner b(second, clock);
  a.warm_up(round_seconds(options, 2));
  b.warm_up(round_seconds(options, 2));
  go_round(options, clock, [&](int round) {
    Runner& earlier = round % 2 == 0 ? a : b;
    Runner& later = round % 2 == 0 ? b : a;
    earlier.round();
    later.round();
  });
  std::vector<double> speedups;
  for (std::size_t i = 0; i < a.bests().size(); ++i) speedups.push_back(speedup_of(a.bests()[i], b.bests()[i]));
  return {a.timing(), b.timing(), median(std::move(speedups))};
}

}  // namespace sepal
