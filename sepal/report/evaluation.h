#pragma once

// How a network does on labelled images, class by class: the confusion matrix, and the mistakes as pictures.

#include <string>
#include <vector>

#include "sepal/report/document.h"
#include "sepal/train/history.h"

namespace sepal::report {

/// Classes up to which the whole confusion matrix is shown; of more, those that are told wrong most often.
inline constexpr std::size_t kMostConfused = 24;

/// Sections "By class" (classes, what is taken for what) and, with `plots`, "Mistakes" (pictures); the latter only
/// where the evaluation has some. Where there are no `classes`, their numbers are the names.
std::vector<Section> evaluation_sections(const Evaluation& evaluation, const std::vector<std::string>& classes,
                                         bool plots);

/// The evaluation by itself, as `sepal eval` tells it. `what` says which network on which images.
Document to_document(const Evaluation& evaluation, const std::string& what, const std::vector<std::string>& classes,
                     bool plots);

/// "94.52 % of 10,000 images are told right".
std::string accuracy_sentence(const Evaluation& evaluation);

}  // namespace sepal::report
