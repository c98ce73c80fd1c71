#include "sepal/data/image_folder.h"

#include <gtest/gtest.h>

#include <string>

#include "sepal/base/text.h"
#include "tests/folder.h"
#include "tests/formats/image_encode.h"
#include "tests/formats/image_test_data.h"
#include "tests/raises.h"

namespace sepal {
namespace {

std::string text_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
std::string png(std::int64_t h, std::int64_t w) { return text_of(encode_png(pattern(h, w, 3))); }

TEST(ImageFolder, HasASubFolderAClass) {
  const Folder folder;
  folder.write("dog/b.JPG", text_of(encode_jpeg(gradient(5, 8, 3))));
  folder.write("dog/a.png", png(4, 6));
  folder.write("dog/notes.txt", "passed over");
  folder.write("cat/x.jpeg", text_of(encode_jpeg(gradient(3, 3, 3))));
  folder.write("cat/.hidden.png", "passed over");
  folder.write(".thumbnails/t.png", "passed over");
  EXPECT_TRUE(is_image_folder(folder.path()));
  const DataSet set = read_image_folder(folder.path());
  EXPECT_EQ(set.classes, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(set.name, folder.path().filename().string());
  EXPECT_EQ(set.size, std::nullopt);
  EXPECT_EQ(set.fit, Fit::kCrop);
  ASSERT_EQ(set.train.count(), 3);
  EXPECT_EQ(set.test.count(), 0);
  EXPECT_EQ(set.train.name(0), (folder.path() / "cat/x.jpeg").string());
  EXPECT_EQ(set.train.name(1), (folder.path() / "dog/a.png").string());
  EXPECT_EQ(set.train.labels()[0], 0);
  EXPECT_EQ(set.train.labels()[2], 1);
  EXPECT_TRUE(identical(set.train.image(1), pattern(4, 6, 3)));
}

TEST(ImageFolder, HasPartsWhereTheyAreThere) {
  for (const std::string part : {"test", "val"}) {
    SCOPED_TRACE(part);
    const Folder folder;
    folder.write("train/cat/1.png", "");
    folder.write("train/dog/1.png", "");
    folder.write(part + "/dog/2.png", "");
    const DataSet set = read_image_folder(folder.path());
    EXPECT_EQ(set.classes, (std::vector<std::string>{"cat", "dog"}));
    EXPECT_EQ(set.train.count(), 2);
    ASSERT_EQ(set.test.count(), 1);
    EXPECT_EQ(set.test.labels()[0], 1);
  }
  // A train may also be a thing to recognise.
  const Folder vehicles;
  vehicles.write("train/1.png", "");
  vehicles.write("car/1.png", "");
  EXPECT_EQ(read_image_folder(vehicles.path()).classes, (std::vector<std::string>{"car", "train"}));
}

TEST(ImageFolder, HasClassesThatATerminalShows) {
  const Folder folder;
  folder.write("cat\x1B[31m/1.png", "");
  folder.write("dog/1.png", "");
  EXPECT_EQ(read_image_folder(folder.path()).classes, (std::vector<std::string>{"cat\\x1b[31m", "dog"}));
}

TEST(ImageFolder, SaysWhatIsWrong) {
  const struct {
    const char* why;
    std::vector<std::string> files;
    std::string message;
  } kCases[] = {
      {"one class", {"cat/1.png"}, "{}: 1 sub-folders; there must be two or more, one a class"},
      {"a class without an image",
       {"cat/1.png", "dog/1.webp", "dog/2.gif"},
       "{}/dog: no image among 2 files; .jpg, .jpeg and .png are read"},
      {"a class that is only tested",
       {"train/cat/1.png", "train/dog/1.png", "test/ox/1.png"},
       "{}/test: the class \"ox\" has no images to learn from"},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.why);
    const Folder folder;
    for (const std::string& file : test.files) folder.write(file, "");
    EXPECT_TRUE(raises([&] { read_image_folder(folder.path()); },
                       format(fmt::runtime(test.message), folder.path().string()), ErrorKind::kInvalid));
  }
  EXPECT_TRUE(raises([] { read_image_folder("/no/such/folder"); },
                     "/no/such/folder: cannot be read: No such file or directory", ErrorKind::kIo));
}

TEST(ImageFolder, NamesTheImageThatCannotBeRead) {
  const Folder folder;
  folder.write("cat/1.png", png(4, 4).substr(0, 60));
  folder.write("cat/2.png", "GIF89a");
  folder.write("dog/1.png", png(4, 4));
  const DataSet set = read_image_folder(folder.path());
  try {
    set.train.image(0);
    FAIL() << "a PNG cut off was read";
  } catch (const Error& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with((folder.path() / "cat/1.png: ").string())) << error.what();
  }
  EXPECT_TRUE(raises([&] { set.train.image(1); },
                     (folder.path() / "cat/2.png").string() + ": this is a GIF image; JPEG and PNG are read",
                     ErrorKind::kUnsupported));
  std::filesystem::remove(folder.path() / "dog/1.png");
  EXPECT_TRUE(raises([&] { set.train.image(2); },
                     (folder.path() / "dog/1.png").string() + ": cannot be opened: No such file or directory",
                     ErrorKind::kIo));
}

}  // namespace
}  // namespace sepal
