#include "sepal/data/find.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "sepal/base/text.h"
#include "tests/data/idx_files.h"
#include "tests/folder.h"
#include "tests/raises.h"

namespace sepal {
namespace {

using namespace std::string_literals;

/// SEPAL_DATA_PATH for as long as this lives.
class DataPath {
 public:
  explicit DataPath(const std::string& value) { ::setenv("SEPAL_DATA_PATH", value.c_str(), 1); }
  ~DataPath() { ::unsetenv("SEPAL_DATA_PATH"); }
  DataPath(const DataPath&) = delete;
  DataPath& operator=(const DataPath&) = delete;
};

/// MNIST's four files in `name`, with that many classes.
void write_idx(const Folder& folder, const std::string& name, char classes) {
  const std::string labels = {'\0', static_cast<char>(classes - 1)};
  for (const std::string part : {"/train", "/t10k"}) {
    folder.write(name + part + "-images-idx3-ubyte", idx({2, 2, 2}, "abcdefgh"));
    folder.write(name + part + "-labels-idx1-ubyte", idx({2}, labels));
  }
}

TEST(Find, LooksWhereTheVariableSaysFirst) {
  const Folder none;
  const Folder folder;
  write_idx(folder, "fashion-mnist", 10);
  write_idx(folder, "mnist", 10);
  write_idx(folder, "mine", 3);
  const DataPath path(":" + none.path().string() + ":" + folder.path().string());
  const DataSet fashion = open_data("fashion-mnist");
  EXPECT_EQ(fashion.name, "Fashion-MNIST");
  EXPECT_EQ(fashion.source, folder.path() / "fashion-mnist");
  EXPECT_EQ(fashion.classes[9], "Ankle boot");
  EXPECT_EQ(fashion.train.count(), 2);
  EXPECT_EQ(open_data("mnist").classes[9], "9");
  // A folder is known by its name, too, and any other keeps its own.
  EXPECT_EQ(open_data((folder.path() / "fashion-mnist/").string()).name, "Fashion-MNIST");
  EXPECT_EQ(open_data((folder.path() / "mine").string()).name, "mine");
}

TEST(Find, KnowsCifarByItsArchivesFolder) {
  const Folder folder;
  folder.write("cifar-100-binary/train.bin", std::string(3074, '\1'));
  folder.write("cifar-100-binary/test.bin", std::string(3074, '\1'));
  const DataPath path(folder.path().string());
  EXPECT_EQ(open_data("cifar100").name, "CIFAR-100");
}

TEST(Find, SaysHowToComeByIt) {
  const Folder empty;
  const DataPath path(empty.path().string());
  const std::string nowhere = " is neither in /usr/share/datasets nor where SEPAL_DATA_PATH says; ";
  const struct {
    const char* why;
    std::string name;
    std::string message;
    ErrorKind kind;
  } kCases[] = {
      {"MNIST", "mnist", "the data set mnist" + nowhere + "its four IDX files belong into a folder mnist",
       ErrorKind::kUsage},
      {"CIFAR-10", "cifar10", "the data set cifar10" + nowhere + "its binary version belongs into a folder cifar10",
       ErrorKind::kUsage},
      {"CIFAR-100", "cifar100", "the data set cifar100" + nowhere + "its binary version belongs into a folder cifar100",
       ErrorKind::kUsage},
      {"a slip", "fashion-mist", "no data set \"fashion-mist\"; did you mean \"fashion-mnist\"?", ErrorKind::kUsage},
      {"nothing near", "/no/such/folder/at/all",
       "no data set \"/no/such/folder/at/all\"; there is no such folder, and the names are fashion-mnist, mnist, "
       "cifar10, "
       "cifar100",
       ErrorKind::kUsage},
      {"no name", "",
       "no data set \"\"; there is no such folder, and the names are fashion-mnist, mnist, cifar10, cifar100",
       ErrorKind::kUsage},
      {"an empty folder", empty.path().string(),
       empty.path().string() + ": holds no data set: neither train-images-idx3-ubyte (MNIST), nor data_batch_1.bin or "
                               "train.bin (CIFAR), nor a "
                               "sub-folder a class",
       ErrorKind::kInvalid},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.why);
    EXPECT_TRUE(raises([&] { open_data(test.name); }, test.message, test.kind));
  }
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
    EXPECT_TRUE(raises([] { open_data("fashion-mnist"); },
                       "the data set fashion-mnist" + nowhere + "apt install dataset-fashion-mnist brings it on Debian",
                       ErrorKind::kUsage));
  }
  const std::string file = empty.write("train-images-idx3-ubyte", "x").string();
  EXPECT_TRUE(raises([&] { open_data(file); }, file + ": is a file; a data set is the folder that it lies in",
                     ErrorKind::kInvalid));
}

}  // namespace
}  // namespace sepal
