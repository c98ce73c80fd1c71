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
  const std::string folder = empty.path().string();
  const std::vector<std::filesystem::path> places = {"/no/data", folder};
  const std::string nowhere = " in /no/data, " + folder + "; ";
  const std::string names = "there is no such folder, and the names are fashion-mnist, mnist, cifar10, cifar100";
  const struct {
    const char* why;
    std::string name;
    std::string message;
    ErrorKind kind = ErrorKind::kUsage;
  } kCases[] = {
      {"Debian has it", "fashion-mnist",
       "no data set \"fashion-mnist\"" + nowhere +
           "apt install dataset-fashion-mnist, or put its four IDX files into a folder fashion-mnist in one that "
           "SEPAL_DATA_PATH lists"},
      {"MNIST", "mnist",
       "no data set \"mnist\"" + nowhere +
           "put its four IDX files into a folder mnist in one that SEPAL_DATA_PATH lists"},
      {"CIFAR-10", "cifar10",
       "no data set \"cifar10\"" + nowhere +
           "put its binary version into a folder cifar10 in one that SEPAL_DATA_PATH lists"},
      {"CIFAR-100", "cifar100",
       "no data set \"cifar100\"" + nowhere +
           "put its binary version into a folder cifar100 in one that SEPAL_DATA_PATH lists"},
      {"a slip", "fashion-mist", "no data set \"fashion-mist\"; did you mean \"fashion-mnist\"?"},
      {"nothing near", "/no/such/folder/at/all", "no data set \"/no/such/folder/at/all\"; " + names},
      {"no name", "", "no data set \"\"; " + names},
      {"an empty folder", folder,
       folder + ": holds no data set: neither train-images-idx3-ubyte (MNIST), nor data_batch_1.bin or train.bin "
                "(CIFAR), nor a "
                "sub-folder a class",
       ErrorKind::kInvalid},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.why);
    EXPECT_TRUE(raises([&] { open_data(test.name, places); }, test.message, test.kind));
  }
  const std::string file = empty.write("train-images-idx3-ubyte", "x").string();
  EXPECT_TRUE(raises([&] { open_data(file); }, file + ": is a file; a data set is the folder that it lies in",
                     ErrorKind::kInvalid));
}

}  // namespace
}  // namespace sepal
