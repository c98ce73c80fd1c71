#pragma once

#include <gtest/gtest.h>

#include <concepts>
#include <optional>
#include <string_view>

#include "sepal/base/error.h"

namespace sepal {

/// Whether `work` throws an Error of exactly that message, and of that kind where one is given.
template <std::invocable Work>
testing::AssertionResult raises(Work&& work, std::string_view message, std::optional<ErrorKind> kind = std::nullopt) {
  try {
    work();
  } catch (const Error& error) {
    if (error.what() != message) {
      return testing::AssertionFailure() << "the message is \"" << error.what() << "\", not \"" << message << "\"";
    }
    if (kind && error.kind() != *kind) return testing::AssertionFailure() << "another kind of error: " << error.what();
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "nothing was thrown; expected \"" << message << "\"";
}

}  // namespace sepal
