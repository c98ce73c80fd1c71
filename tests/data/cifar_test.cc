#include "sepal/data/cifar.h"

#include <gtest/gtest.h>

#include <string>

#include "sepal/base/text.h"
#include "tests/folder.h"
#include "tests/raises.h"

namespace sepal {
namespace {

/// A record whose pixel i has the colours (i, i + first, i + 2 first), cut to a byte.
std::string record(std::string_view labels, int first) {
  std::string bytes(labels);
  for (int colour = 0; colour < 3; ++colour) {
    for (int i = 0; i < 1024; ++i) bytes += static_cast<char>(i + colour * first);
  }
  return bytes;
}

void write_cifar10(const Folder& folder) {
  for (int file = 1; file <= 5; ++file) {
    folder.write(format("data_batch_{}.bin", file), record({"\3", 1}, file) + record({"\7", 1}, 10 * file));
  }
  folder.write("test_batch.bin", record({"\0", 1}, 100));
  folder.write("batches.meta.txt", "a\nb\r\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
}

TEST(Cifar, TenIsADataSet) {
  const Folder folder;
  EXPECT_FALSE(is_cifar_folder(folder.path()));
  write_cifar10(folder);
  EXPECT_TRUE(is_cifar_folder(folder.path()));
  const DataSet set = read_cifar_folder(folder.path());
  EXPECT_EQ(set.name, "CIFAR-10");
  EXPECT_EQ(set.classes, (std::vector<std::string>{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}));
  EXPECT_EQ(set.size, (Extent{32, 32}));
  EXPECT_EQ(set.channels, 3);
  EXPECT_EQ(set.train.count(), 10);
  EXPECT_EQ(set.test.count(), 1);
  EXPECT_EQ(set.train.labels()[2], 3);
  EXPECT_EQ(set.train.labels()[3], 7);
  const Tensor image = set.train.image(3);  // the second of the second file
  ASSERT_EQ(image.shape(), (Shape{32, 32, 3}));
  const auto values = image.values<std::uint8_t>();
  for (std::size_t i = 0; i < 1024; ++i) {
    for (std::size_t colour = 0; colour < 3; ++colour) {
      EXPECT_EQ(values[i * 3 + colour], static_cast<std::uint8_t>(i + colour * 20));
    }
  }
}

TEST(Cifar, AHundredGoesByTheFineLabel) {
  const Folder folder;
  folder.write("train.bin", record({"\7\x63", 2}, 1));
  folder.write("test.bin", record({"\7\x05", 2}, 2));
  const DataSet set = read_cifar_folder(folder.path());
  EXPECT_EQ(set.name, "CIFAR-100");
  EXPECT_EQ(set.classes.size(), 100u);
  EXPECT_EQ(set.classes[99], "99");
  EXPECT_EQ(set.train.labels()[0], 99);
  EXPECT_EQ(set.test.labels()[0], 5);
  const Tensor image = set.test.image(0);
  EXPECT_EQ(image.values<std::uint8_t>()[1], 2);
}

TEST(Cifar, SaysWhatIsWrong) {
  const struct {
    const char* why;
    std::string file;
    std::string bytes;
    std::string message;
  } kCases[] = {
      {"an empty file", "data_batch_4.bin", "",
       "{}/data_batch_4.bin: 0 bytes are no whole number of images of 3073 bytes, as CIFAR-10 has them"},
      {"a file cut off", "test_batch.bin", record({"\0", 1}, 1).substr(0, 3072),
       "{}/test_batch.bin: 3072 bytes are no whole number of images of 3073 bytes, as CIFAR-10 has them"},
      {"a label out of range", "data_batch_2.bin", record({"\1", 1}, 1) + record({"\x0A", 1}, 1),
       "{}/data_batch_2.bin: the label of image 1 is 10, but there are 10 classes"},
      {"too few names", "batches.meta.txt", "cat\ndog\n", "{}/batches.meta.txt: 2 names for 10 classes"},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.why);
    const Folder folder;
    write_cifar10(folder);
    folder.write(test.file, test.bytes);
    EXPECT_TRUE(raises([&] { read_cifar_folder(folder.path()); },
                       format(fmt::runtime(test.message), folder.path().string()), ErrorKind::kInvalid));
  }
  const Folder folder;
  write_cifar10(folder);
  std::filesystem::remove(folder.path() / "test_batch.bin");
  EXPECT_TRUE(raises([&] { read_cifar_folder(folder.path()); },
                     format("{}/test_batch.bin: cannot be opened: No such file or directory", folder.path().string()),
                     ErrorKind::kIo));
}

}  // namespace
}  // namespace sepal
