#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace sepal {

/// The folder of third-party models, images and node tests: SEPAL_TEST_DATA, else `shared` beside the
/// checkout; empty where there is neither.
inline std::filesystem::path test_data() {
  if (const char* given = std::getenv("SEPAL_TEST_DATA")) return given;
  const std::filesystem::path beside = std::filesystem::path(SEPAL_SOURCE_DIR).parent_path() / "shared";
  return std::filesystem::is_directory(beside) ? beside : std::filesystem::path();
}

/// True where the test data must be there: `scripts/test --require-data` sets SEPAL_REQUIRE_DATA.
inline bool test_data_required() { return std::getenv("SEPAL_REQUIRE_DATA") != nullptr; }

}  // namespace sepal

/// First line of a test that needs the data: skips it by name where there is none, or fails it where the
/// data are required.
#define SEPAL_NEEDS_TEST_DATA()                                                                   \
  if (sepal::test_data().empty()) {                                                               \
    if (sepal::test_data_required()) FAIL() << "no test data; set SEPAL_TEST_DATA to its folder"; \
    GTEST_SKIP() << "no test data; set SEPAL_TEST_DATA to its folder";                            \
  }                                                                                               \
  static_assert(true)
