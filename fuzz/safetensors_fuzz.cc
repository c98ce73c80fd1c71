#include <cstddef>
#include <cstdint>
#include <span>

#include "sepal/base/error.h"
#include "sepal/formats/safetensors.h"

/// Any bytes are arrays and text, or an Error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    static_cast<void>(sepal::read_safetensors(std::as_bytes(std::span(data, size))));
  } catch (const sepal::Error& error) {
    if (error.kind() == sepal::ErrorKind::kInternal) throw;
  }
  return 0;
}
