#include "sepal/model/value_info.h"

namespace sepal {

ValueInfo value_info(const onnx::Declaration& declaration) {
  ValueInfo info{declaration.name, declaration.type, {}, onnx::to_string(declaration), declaration.is_double};
  for (const onnx::Dimension& dimension : declaration.dimensions)
    info.dimensions.push_back(dimension.size.value_or(-1));
  return info;
}

}  // namespace sepal
