#include "sepal/base/error.h"

namespace sepal {

void expect(bool holds, const char* what, std::source_location where) {
  if (holds) return;
  throw Error(ErrorKind::kInternal,
              std::string(where.file_name()) + ":" + std::to_string(where.line()) + ": broken precondition: " + what);
}

}  // namespace sepal
