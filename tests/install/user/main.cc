#include <sepal/sepal.h>

#include <iostream>

int main() {
  sepal::Tensor image(sepal::DataType::kF32, {1, 8, 8, 3});
  std::cout << "sepal " << sepal::kVersion << ", " << to_string(image.shape());
  try {
    sepal::Model::load("there is no such file.onnx");
  } catch (const sepal::Error& error) {
    std::cout << ", " << error.what() << '\n';
    return error.kind() == sepal::ErrorKind::kIo ? 0 : 1;
  }
  return 1;
}
