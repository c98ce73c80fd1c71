#pragma once

// What is said of a network's cost, gathered: its tables and plots as a document, and as JSON.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sepal/graph/convention.h"
#include "sepal/graph/cost.h"
#include "sepal/graph/twins.h"
#include "sepal/machine/machine.h"
#include "sepal/measure/paired.h"
#include "sepal/measure/roofline.h"
#include "sepal/report/document.h"
#include "sepal/report/json.h"

namespace sepal::report {

/// A node that could not be counted, and why.
struct UncountedNode {
  std::string name;
  std::string type;
  std::string why;
};

/// A layer beside its other form, predicted and perhaps measured.
struct TwinReport {
  std::string name;
  Comparison comparison;
  std::optional<Prediction> standard = {};
  std::optional<Prediction> separable = {};
  std::optional<MeasuredComparison> measured = {};
};

enum class TwinForm : std::uint8_t {
  kNone,
  kSeparable,  ///< each standard convolution beside its separable twin
  kStandard,   ///< each separable pair beside the standard convolution that it replaces
};

struct NetworkReport {
  std::string name;
  NetworkCost cost;
  Convention convention = Convention::kPaper;
  std::vector<std::pair<Convention, ConventionCount>> counts = {};  ///< by every convention
  std::vector<UncountedNode> uncounted = {};
  std::optional<std::uint64_t> planned = {};  ///< bytes of activations as a plan lays them out, ends included
  std::string unplanned = {};                 ///< why there is no plan
  std::optional<Machine> machine = {};        ///< whose ceilings the predictions are of
  int threads = 1;
  std::vector<Prediction> predictions = {};  ///< one a layer, if there is a machine
  TwinForm form = TwinForm::kNone;
  std::vector<TwinReport> twins = {};

  /// By the convention chosen.
  const ConventionCount& count() const { return counts.at(static_cast<std::size_t>(convention)).second; }
};

/// The layers of one kind together.
struct KindCost {
  LayerKind kind = LayerKind::kMovement;
  std::uint64_t layers = 0;
  Cost cost{};
};
/// Those kinds that the network has, convolutions first.
std::vector<KindCost> by_kind(const NetworkCost& cost);

/// The same as a table: MACs, parameters, bytes moved, and their shares.
Table kind_table(const NetworkCost& cost);

/// All layers that have a twin, as they are, or all in their other form. Throws Error(kInvalid) on overflow.
Cost twins_total(const NetworkReport& report, bool other_form);
/// MACs of the whole network, as it is or with all those layers in their other form.
std::uint64_t network_macs(const NetworkReport& report, bool other_form);

/// Predictions of every layer (and of the twins) on `machine`.
void predict_all(NetworkReport& report, const Machine& machine, int threads);

/// Totals, share by kind of operator (the paper's table 2), layers, memory over the run, roofline, twins. With `plots`
/// also the figures, else tables alone; with `all` also layers without MACs.
Document to_document(const NetworkReport& report, bool plots, bool all);
/// The same in full.
Json to_json(const NetworkReport& report);

}  // namespace sepal::report
