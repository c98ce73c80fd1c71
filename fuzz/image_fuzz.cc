#include <cstddef>
#include <cstdint>
#include <span>

#include "sepal/base/error.h"
#include "sepal/formats/image.h"

/// Any bytes are an image or an Error, and any image can be prepared for a model.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const sepal::Tensor image = sepal::decode_image(std::as_bytes(std::span(data, size)));
    sepal::prepare_image(image, {.size = {8, 12}, .channels = 1});
  } catch (const sepal::Error& error) {
    if (error.kind() == sepal::ErrorKind::kInternal) throw;
  }
  return 0;
}
