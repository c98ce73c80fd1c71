#include "sepal/report/json.h"

namespace sepal::report {

std::string to_text(const Json& document) {
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sepal::report
