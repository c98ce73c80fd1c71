#pragma once

#include "sepal/formats/onnx_read.h"
#include "sepal/model/model.h"

namespace sepal {

/// What the file declares, as the front door tells it.
ValueInfo value_info(const onnx::Declaration& declaration);

}  // namespace sepal
