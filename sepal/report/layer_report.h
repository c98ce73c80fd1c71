#pragma once

#include <optional>

#include "sepal/machine/machine.h"
#include "sepal/measure/paired.h"
#include "sepal/report/document.h"
#include "sepal/report/json.h"

namespace sepal::report {

/// One convolution in both forms.
struct LayerReport {
  Comparison comparison;
  std::optional<Machine> machine = {};
  int threads = 1;
  std::optional<Prediction> standard = {};
  std::optional<Prediction> separable = {};
  std::optional<MeasuredComparison> measured = {};
};

/// Both forms side by side, stage by stage; with `plots` also the ratio over kernel sides and output channels, the
/// seeds' plot (D_K = 32 .. 1024 at N = 3) and the useful range beside it.
Document to_document(const LayerReport& report, bool plots);
Json to_json(const LayerReport& report);

/// The two plots below with the sentence that they prove.
Section pays_section();

/// separable / standard in MACs over D_K, one line for each N, floors 1 / N dashed.
Figure ratio_over_kernel();
/// The seeds' own: N = 3, D_K = 2^5 .. 2^10.
Figure seeds_figure();

}  // namespace sepal::report
