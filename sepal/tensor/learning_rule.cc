#include "sepal/tensor/learning_rule.h"

namespace sepal {

std::string_view name_of(UpdateRule rule) {
  switch (rule) {
    case UpdateRule::kSgd:
      return "sgd";
    case UpdateRule::kRmsProp:
      return "rmsprop";
    case UpdateRule::kAdamW:
      break;
  }
  return "adamw";
}

}  // namespace sepal
