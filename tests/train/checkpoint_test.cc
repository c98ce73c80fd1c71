// Checkpoints from elsewhere: whole files that no run of this version has written.

#include "sepal/train/checkpoint.h"

#include <gtest/gtest.h>

#include <array>

#include "sepal/formats/safetensors.h"
#include "sepal/train/trainer.h"
#include "sepal/zoo/zoo.h"
#include "tests/folder.h"
#include "tests/raises.h"
#include "tests/train/small_data.h"

namespace sepal {
namespace {

TrainerOptions options(const std::filesystem::path& folder) {
  return {.network = "small", .schedule = {.rate = 0.01}, .batches = {.batch = 16}, .epochs = 1, .folder = folder};
}

Graph network() { return build(parse_zoo_spec("mobilenet_v1_shallow:width=0.1,size=16,channels=1,classes=3,stem=1")); }

void write_safetensors(const Folder& folder, const std::map<std::string, std::string>& metadata) {
  const std::vector<std::byte> header = safetensors_header({}, metadata);
  folder.write("step-000000001.safetensors", {reinterpret_cast<const char*>(header.data()), header.size()});
}

TEST(Checkpoints, ThatAreNoneAreRefused) {
  const Folder folder;
  const std::string file = (folder.path() / "step-000000001.safetensors").string();
  Checkpoints checkpoints(folder.path(), 1);
  write_safetensors(folder, {});
  EXPECT_TRUE(
      raises([&] { checkpoints.load(1, {}); }, file + ": is no checkpoint of a training run", ErrorKind::kInvalid));
  write_safetensors(folder, {{"sepal", "checkpoint 2"}});
  EXPECT_TRUE(raises([&] { checkpoints.load(1, {}); },
                     file + ": is a \"checkpoint 2\", where a \"checkpoint 1\" is wanted", ErrorKind::kUnsupported));
  write_safetensors(folder, {{"sepal", "checkpoint 1"}, {"step", "1"}, {"sum", "0"}});
  EXPECT_TRUE(raises([&] { checkpoints.last_text(); },
                     file + ": is damaged: its checksum is not that of its contents; remove it to go on from the one "
                            "before",
                     ErrorKind::kInvalid));
  folder.write("step-000000001.safetensors", "short");
  EXPECT_TRUE(raises([&] { checkpoints.last_text(); }, file + ": 5 bytes are too few for a safetensors file",
                     ErrorKind::kInvalid));
}

TEST(Checkpoints, KeepTextsThatAreNoUtf8) {
  const Folder folder;
  Checkpoints checkpoints(folder.path(), 1);
  const std::string odd = "a\xe9\\x41\\\\ \xc3\xa9\n\"";
  const Tensor one = Tensor::of<float>({1}, {2});
  checkpoints.save(1, {{"network", odd}}, {{"note " + odd, odd}}, std::array{NamedTensor{odd, one.buffer()}});
  EXPECT_EQ(checkpoints.last_text().at("note " + odd), odd);
  const Checkpoint loaded = checkpoints.load(1, {{"network", odd}});
  EXPECT_TRUE(identical(loaded.tensors.at(odd), one));
}

TEST(Checkpoints, WantAFolder) {
  const Folder folder;
  const std::filesystem::path file = folder.write("file", "");
  EXPECT_TRUE(raises([&] { Checkpoints(file, 1).steps(); }, file.string() + ": cannot be read: Not a directory",
                     ErrorKind::kIo));
  EXPECT_TRUE(raises([&] { Checkpoints(file / "below", 1).save(1, {}, {}, {}); },
                     (file / "below").string() + ": cannot be created: Not a directory", ErrorKind::kIo));
}

/// A checkpoint of the trainer's own run but for one text or array, and what resume() says to it.
struct Case {
  const char* why;
  void (*change)(std::map<std::string, std::string>& text, std::vector<NamedTensor>& arrays);
  const char* message;
};

constexpr Case kCases[] = {
    {"a text is missing", [](auto& text, auto&) { text.erase("of the epoch"); }, "it has no text \"of the epoch\""},
    {"a text is no number", [](auto& text, auto&) { text["seconds"] = "many"; },
     "its text \"seconds\" is not what this version writes"},
    {"a record is cut off", [](auto& text, auto&) { text["steps"] = "1 0 0.5"; },
     "its text \"steps\" is not what this version writes"},
    {"an array is missing", [](auto&, auto& arrays) { arrays.erase(arrays.begin()); },
     "no array \"stem/filter\" of f32 8x3x3x1"},
    {"an array has another shape", [](auto&, auto& arrays) { arrays[0].tensor = arrays[1].tensor; },
     "no array \"stem/filter\" of f32 8x3x3x1"},
};

TEST(Checkpoints, NameWhatIsMissingInThem) {
  const DataSet set = small_data();
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    const Folder folder;
    Trainer trainer(network(), set, options(folder.path()));
    std::map<std::string, std::string> text = {{"since the record", "0 0 0 0 0"},
                                               {"of the epoch", "0 0 0 0 0"},
                                               {"steps", ""},
                                               {"epochs", ""},
                                               {"seconds", "0"}};
    std::vector<NamedTensor> arrays;
    for (std::size_t i = 0; i < trainer.slots().size(); ++i) {
      arrays.push_back({trainer.slots()[i].name, trainer.value(i).buffer()});
    }
    Checkpoints checkpoints(folder.path(), 1);
    checkpoints.save(1, trainer.identity(), text, arrays);
    EXPECT_NO_THROW(Trainer(network(), set, options(folder.path())).resume());
    test.change(text, arrays);
    checkpoints.save(1, trainer.identity(), text, arrays);
    EXPECT_TRUE(raises([&] { Trainer(network(), set, options(folder.path())).resume(); },
                       checkpoints.path_of(1).string() + ": " + test.message, ErrorKind::kInvalid));
  }
}

}  // namespace
}  // namespace sepal
