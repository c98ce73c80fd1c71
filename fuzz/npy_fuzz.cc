#include <cstddef>
#include <cstdint>
#include <span>

#include "sepal/base/error.h"
#include "sepal/formats/npy.h"

/// Any bytes are an array or an Error; what was read is written and read back the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const sepal::Tensor tensor = sepal::read_npy(std::as_bytes(std::span(data, size)));
    const sepal::Tensor again = sepal::read_npy(sepal::to_npy(tensor.buffer()));
    sepal::expect(sepal::identical(tensor, again), "an array survives writing and reading");
  } catch (const sepal::Error& error) {
    if (error.kind() == sepal::ErrorKind::kInternal) throw;
  }
  return 0;
}
