// Writes the first test images of a data set as PNG files called by number and class, for the demo and for trying
// `sepal run` by hand: test_pictures DATA FOLDER COUNT.

#include <cctype>
#include <charconv>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>

#include "sepal/base/error.h"
#include "sepal/base/mapped_file.h"
#include "sepal/data/find.h"
#include "sepal/formats/image.h"

namespace sepal {
namespace {

/// "T-shirt/top" -> "t-shirt-top".
std::string file_name(std::string_view name) {
  std::string result;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    result += std::isalnum(byte) != 0 ? static_cast<char>(std::tolower(byte)) : '-';
  }
  return result;
}

void write_pictures(const std::string& data, const std::filesystem::path& folder, std::int64_t count) {
  const DataSet set = open_data(data);
  if (count < 1 || count > set.test.count()) {
    throw Error(ErrorKind::kUsage, "COUNT is a number from 1 to " + std::to_string(set.test.count()));
  }
  std::filesystem::create_directories(folder);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto label = static_cast<std::size_t>(set.test.labels()[static_cast<std::size_t>(i)]);
    const std::filesystem::path file = folder / (std::to_string(i) + "-" + file_name(set.classes[label]) + ".png");
    write_file(file, to_png(set.test.image(i)));
    std::cout << file.string() << '\n';
  }
}

}  // namespace
}  // namespace sepal

int main(int count, char** words) {
  try {
    std::int64_t pictures = 0;
    const std::string_view number = count == 4 ? words[3] : "";
    const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), pictures);
    if (problem != std::errc() || end != number.data() + number.size()) {
      std::cerr << "usage: test_pictures DATA FOLDER COUNT\n";
      return 2;
    }
    sepal::write_pictures(words[1], words[2], pictures);
  } catch (const std::exception& error) {
    std::cerr << "test_pictures: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
