#include "sepal/data/idx.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "sepal/base/text.h"
#include "tests/data/idx_files.h"
#include "tests/folder.h"
#include "tests/mutate.h"
#include "tests/raises.h"

namespace sepal {
namespace {

using namespace std::string_literals;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(Idx, ReadsPlainAndGzip) {
  const std::string plain = idx({2, 3}, "\1\2\3\4\5\xFF");
  const Tensor expected = Tensor::of<std::uint8_t>({2, 3}, {1, 2, 3, 4, 5, 255});
  EXPECT_TRUE(identical(read_idx(bytes_of(plain)), expected));
  EXPECT_TRUE(identical(read_idx(bytes_of(gzip(plain))), expected));
  // As `cat a.gz b.gz` makes them.
  const std::string two = gzip(plain.substr(0, 7)) + gzip(plain.substr(7));
  EXPECT_TRUE(identical(read_idx(bytes_of(two)), expected));
  EXPECT_EQ(read_idx(bytes_of(idx({0}, ""))).shape(), Shape{0});
}

TEST(Idx, ReadsMoreThanThePieceItBeginsWith) {
  std::string values(3'000'000, '\0');
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<char>(i * i >> 7);
  const std::string file = gzip(idx({1000, 3000}, values));
  const Tensor read = read_idx(bytes_of(file));
  const auto bytes = read.values<std::uint8_t>();
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), values.begin(), values.end(),
                         [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); }));
}

struct Broken {
  const char* why;
  std::string file;
  std::string message;
  ErrorKind kind = ErrorKind::kInvalid;
};

TEST(Idx, SaysWhatIsWrong) {
  const std::string good = idx({2, 3}, "abcdef");
  const std::string packed = gzip(good);
  std::string wrong_sum = packed;
  wrong_sum[packed.size() - 8] = static_cast<char>(wrong_sum[packed.size() - 8] ^ 1);
  const Broken kCases[] = {
      {"nothing", "", "the IDX file ends within its first 4 bytes"},
      {"half of the magic", "\0\0\x08"s, "the IDX file ends within its first 4 bytes"},
      {"another magic", "PK\3\4 and so on", "not an IDX file: it begins with 50 4b, not with two zero bytes"},
      {"floats", idx({1}, "abcd", 0x0D), "IDX elements of type 0x0d; unsigned bytes, 0x08, are read",
       ErrorKind::kUnsupported},
      {"no dimension", idx({}, "a"), "an IDX array of 0 dimensions; 1 to 6 are read"},
      {"seven dimensions", idx({1, 1, 1, 1, 1, 1, 1}, "a"), "an IDX array of 7 dimensions; 1 to 6 are read"},
      {"a header cut off", good.substr(0, 10), "the IDX file ends within its dimensions"},
      {"values cut off", good.substr(0, 17), "an array of 2x3 takes 6 bytes, but 5 follow its header"},
      {"one byte too many", good + "x", "an array of 2x3 takes 6 bytes, but 7 follow its header"},
      {"a count that lies", idx({0xFFFFFFFF, 28, 28}, "abc"),
       "an array of 4294967295x28x28 takes 3367254359280 bytes, but 3 follow its header"},
      {"sizes whose product does not fit", idx({0xFFFFFFFF, 0xFFFFFFFF}, "abc"),
       "4294967295x4294967295 holds too many elements"},
      {"the same in gzip", gzip(idx({0xFFFFFFFF, 28, 28}, "abc")), ""},
      {"values cut off before they went into gzip", gzip(good.substr(0, 17)),
       "an array of 2x3 takes 6 bytes, but only 5 follow its header"},
      {"one byte too many in gzip", gzip(good + "x"), "more follows the 6 bytes of an array of 2x3"},
      {"gzip cut off", packed.substr(0, packed.size() - 9), ""},
      {"gzip without its end", packed.substr(0, packed.size() - 1),
       "the gzip data are cut off after 18 bytes of their contents"},
      {"gzip with a wrong checksum", wrong_sum,
       "the gzip data are damaged after 18 bytes of their contents: incorrect data check"},
      {"gzip of an unknown method", "\x1F\x8B\x07\0\0\0\0\0\0\0"s,
       "the gzip data are damaged after 0 bytes of their contents: unknown compression method"},
      {"something after gzip", packed + "xyz", "3 bytes follow the gzip data"},
  };
  for (const Broken& test : kCases) {
    SCOPED_TRACE(test.why);
    std::string message = test.message;
    if (test.why == "the same in gzip"s) {
      message = format("an array of 4294967295x28x28 takes 3367254359280 bytes, more than {} of gzip can hold",
                       test.file.size());
    }
    if (message.empty()) {  // how far zlib came is its affair
      EXPECT_THROW(read_idx(bytes_of(test.file)), Error);
    } else {
      EXPECT_TRUE(raises([&] { read_idx(bytes_of(test.file)); }, message, test.kind));
    }
  }
}

TEST(Idx, MutationsAreReadOrRefused) {
  std::mt19937_64 random(5);
  const std::string plain = idx({3, 4, 2}, "abcdefghijklmnopqrstuvwx");
  const std::string seeds[] = {plain, gzip(plain)};
  int read = 0;
  const int count = mutations(600);
  for (int i = 0; i < count; ++i) {
    const std::vector<std::byte> bytes = mutate(bytes_of(seeds[i % 2]), random);
    try {
      EXPECT_LE(read_idx(std::span(bytes)).bytes(), bytes.size() * 1032);
      ++read;
    } catch (const Error& error) {
      EXPECT_NE(error.kind(), ErrorKind::kInternal) << error.what();
      EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos);
    }
  }
  if (count >= 300) {
    EXPECT_GT(read, 0);
    EXPECT_LT(read, count);
  }
}

/// A folder with MNIST's files: 3 images of 2 rows and 1 column to learn from, 2 to test with.
void write_mnist(const Folder& folder, const std::string& ending = "") {
  folder.write("train-images-idx3-ubyte" + ending, idx({3, 2, 1}, "abcdef"));
  folder.write("train-labels-idx1-ubyte" + ending, idx({3}, "\2\0\1"s));
  folder.write("t10k-images-idx3-ubyte" + ending, idx({2, 2, 1}, "ghij"));
  folder.write("t10k-labels-idx1-ubyte" + ending, idx({2}, "\1\2"s));
}

TEST(IdxFolder, IsADataSet) {
  const Folder folder;
  EXPECT_FALSE(is_idx_folder(folder.path()));
  write_mnist(folder);
  EXPECT_TRUE(is_idx_folder(folder.path()));
  const DataSet set = read_idx_folder(folder.path());
  EXPECT_EQ(set.name, folder.path().filename().string());
  EXPECT_EQ(set.classes, (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_EQ(set.size, (Extent{2, 1}));
  EXPECT_EQ(set.channels, 1);
  EXPECT_EQ(set.train.count(), 3);
  EXPECT_EQ(set.test.count(), 2);
  EXPECT_EQ(set.train.labels()[0], 2);
  EXPECT_TRUE(identical(set.train.image(1), Tensor::of<std::uint8_t>({2, 1, 1}, {'c', 'd'})));
  EXPECT_TRUE(identical(set.test.image(1), Tensor::of<std::uint8_t>({2, 1, 1}, {'i', 'j'})));
}

TEST(IdxFolder, TakesTheNamesThatAreAbout) {
  const Folder folder;
  folder.write("train-images.idx3-ubyte", idx({1, 2, 1}, "ab"));
  folder.write("train-labels.idx1-ubyte.gz", gzip(idx({1}, "\0"s)));
  folder.write("t10k-images-idx3-ubyte.gz", gzip(idx({1, 2, 1}, "cd")));
  folder.write("t10k-labels-idx1-ubyte", idx({1}, "\0"s));
  EXPECT_EQ(read_idx_folder(folder.path() / "").name, folder.path().filename().string());
}

struct BrokenFolder {
  const char* why;
  std::string file;  ///< written over the good one
  std::string bytes;
  std::string message;  ///< {} is the folder
};

TEST(IdxFolder, SaysWhatIsWrong) {
  const BrokenFolder kCases[] = {
      {"labels for fewer images", "train-labels-idx1-ubyte", idx({2}, "\0\1"s),
       "{}/train-images-idx3-ubyte: 3 images, but 2 labels"},
      {"labels in two dimensions", "train-labels-idx1-ubyte", idx({3, 1}, "\0\1\2"s),
       "{}/train-labels-idx1-ubyte: labels are an array of one dimension, not 3x1"},
      {"images without rows", "t10k-images-idx3-ubyte", idx({2, 4}, "abcdefgh"),
       "{}/t10k-images-idx3-ubyte: images are an array of count, rows and columns, none of them 0, not 2x4"},
      {"images of no pixel", "t10k-images-idx3-ubyte", idx({2, 0, 4}, ""),
       "{}/t10k-images-idx3-ubyte: images are an array of count, rows and columns, none of them 0, not 2x0x4"},
      {"another size to test with", "t10k-images-idx3-ubyte", idx({2, 1, 2}, "abcd"),
       "{}: images to learn from are 1 x 2, those to test with 2 x 1"},
      {"a class that is only tested", "t10k-labels-idx1-ubyte", idx({2}, "\1\3"s),
       "{}: the label of image 1 is 3, but there are 3 classes"},
      {"what a single file says has its name in front", "t10k-labels-idx1-ubyte", "PK",
       "{}/t10k-labels-idx1-ubyte: the IDX file ends within its first 4 bytes"},
  };
  for (const BrokenFolder& test : kCases) {
    SCOPED_TRACE(test.why);
    const Folder folder;
    write_mnist(folder);
    folder.write(test.file, test.bytes);
    EXPECT_TRUE(raises([&] { read_idx_folder(folder.path()); },
                       format(fmt::runtime(test.message), folder.path().string()), ErrorKind::kInvalid));
  }
  const Folder folder;
  write_mnist(folder);
  std::filesystem::remove(folder.path() / "t10k-images-idx3-ubyte");
  EXPECT_TRUE(
      raises([&] { read_idx_folder(folder.path()); },
             format("{}: there is no t10k-images-idx3-ubyte, nor t10k-images-idx3-ubyte.gz", folder.path().string()),
             ErrorKind::kIo));
}

}  // namespace
}  // namespace sepal
