#include "sepal/formats/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "tests/mutate.h"
#include "tests/raises.h"

namespace sepal {
namespace {

std::vector<std::byte> file_of(std::string header, std::size_t data) {
  const std::uint64_t length = header.size();
  std::vector<std::byte> bytes(8 + header.size() + data);
  std::memcpy(bytes.data(), &length, 8);
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  return bytes;
}

std::vector<std::byte> written(std::span<const NamedTensor> tensors, const std::map<std::string, std::string>& text) {
  std::vector<std::byte> bytes = safetensors_header(tensors, text);
  for (const auto& [name, tensor] : tensors) {
    const auto* const from = static_cast<const std::byte*>(tensor.data);
    bytes.insert(bytes.end(), from, from + tensor.bytes());
  }
  return bytes;
}

TEST(SafeTensors, WrittenIsRead) {
  const Tensor a = Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor b = Tensor::of<std::int64_t>(Shape{}, {-7});
  const Tensor c(DataType::kU8, {0, 4});
  const std::map<std::string, std::string> text = {{"quoted \"\\", "line\nand\ttab, \xC3\xA9, \xF0\x9F\x99\x82"},
                                                   {"empty", ""}};
  const std::vector<NamedTensor> arrays = {{"a/b \"x\"", a.buffer()}, {"b", b.buffer()}, {"c", c.buffer()}};
  const std::vector<std::byte> bytes = written(arrays, text);
  EXPECT_EQ(safetensors_header(arrays, text).size() % 8, 0u);
  const SafeTensors read = read_safetensors(bytes);
  EXPECT_EQ(read.metadata, text);
  ASSERT_EQ(read.tensors.size(), 3u);
  EXPECT_TRUE(identical(read.tensors.at("a/b \"x\""), a));
  EXPECT_TRUE(identical(read.tensors.at("b"), b));
  EXPECT_TRUE(identical(read.tensors.at("c"), c));
}

TEST(SafeTensors, ReadsWhatOthersWrite) {
  // Escapes, blanks, and members in any order.
  const auto bytes = file_of(
      R"( { "\u0061\ud83d\ude42" : {"data_offsets":[0,2], "shape":[2], "dtype":"I8"}, "__metadata__":{"k":"\/"} }  )",
      2);
  const SafeTensors read = read_safetensors(bytes);
  EXPECT_EQ(read.tensors.begin()->first, "a\xF0\x9F\x99\x82");
  EXPECT_EQ(read.metadata.at("k"), "/");
  EXPECT_TRUE(read_safetensors(file_of("{}", 0)).tensors.empty());
}

struct Bad {
  const char* why;
  const char* header;
  std::size_t data;
  const char* message;
};

constexpr Bad kBad[] = {
    {"no object", "[]", 0, "byte 0 of the header is not '{'"},
    {"an object that does not end", "{", 0, "byte 1 of the header is not '\"'"},
    {"more after the end", "{}x", 0, "byte 2 of the header is not the end"},
    {"text that does not end", "{\"a", 0, "byte 3 of the header is not '\"'"},
    {"a control character", "{\"\n\":1}", 0, "byte 2 of the header is not text"},
    {"an escape that is none", R"({"\x":1})", 0, "byte 3 of the header is not an escape"},
    {"an escape cut off", R"({"\u00)", 0, "byte 3 of the header is not an escape"},
    {"digits that are none", R"({"\u00gg":1})", 0, "byte 3 of the header is not an escape"},
    {"half a character", R"({"\ud83d":1})", 0, "byte 8 of the header is not the other half of a character"},
    {"the wrong half", R"({"\ud83d\u0041":1})", 0, "byte 14 of the header is not the other half of a character"},
    {"the second half alone", R"({"\ude42":1})", 0, "byte 8 of the header is not a character"},
    {"a name twice", R"({"__metadata__":{},"__metadata__":{}})", 0, "\"__metadata__\" comes twice"},
    {"a text twice", R"({"__metadata__":{"a":"","a":""}})", 0, "metadata \"a\" comes twice"},
    {"a member twice", R"({"x":{"dtype":"F32","dtype":"F32"}})", 0, "x: \"dtype\" comes twice"},
    {"a member too many", R"({"x":{"type":"F32"}})", 0, "x: \"type\" is none of dtype, shape and data_offsets"},
    {"a member missing", R"({"x":{"dtype":"F32","shape":[]}})", 0, "x: no data_offsets"},
    {"three offsets", R"({"x":{"data_offsets":[0,1,2]}})", 0, "x: 3 data_offsets, not 2"},
    {"a negative number", R"({"x":{"shape":[-1]}})", 0, "x: byte 15 of the header is not a whole number below 2^63"},
    {"an unknown type", R"({"x":{"dtype":"F64","shape":[0],"data_offsets":[0,0]}})", 0,
     "x: elements of type F64 are not handled"},
    {"an array past the end", R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4,
     "x: it is said to be bytes 0 to 8 of 4"},
    {"an array that ends before it begins", R"({"x":{"dtype":"I8","shape":[0],"data_offsets":[4,0]}})", 4,
     "x: it is said to be bytes 4 to 0 of 4"},
    {"another size", R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4,
     "x: f32 2 is 8 bytes, but 4 are said to be its"},
    {"an overlap",
     R"({"x":{"dtype":"I8","shape":[3],"data_offsets":[0,3]},"y":{"dtype":"I8","shape":[2],"data_offsets":[2,4]}})", 4,
     "y: overlaps the array before it"},
    {"a hole", R"({"x":{"dtype":"I8","shape":[2],"data_offsets":[2,4]}})", 4,
     "x: 2 bytes in front of it belong to nobody"},
    {"a rest", R"({"x":{"dtype":"I8","shape":[2],"data_offsets":[0,2]}})", 4, "2 bytes at the end belong to nobody"},
};

TEST(SafeTensors, SaysWhatIsWrong) {
  for (const Bad& bad : kBad) {
    EXPECT_TRUE(raises([&] { read_safetensors(file_of(bad.header, bad.data)); }, bad.message)) << bad.why;
  }
  EXPECT_TRUE(raises([] { read_safetensors(std::vector<std::byte>(7)); }, "7 bytes are too few for a safetensors file",
                     ErrorKind::kInvalid));
  std::vector<std::byte> cut = file_of("{}", 0);
  cut.pop_back();
  EXPECT_TRUE(raises([&] { read_safetensors(cut); },
                     "a header of 2 bytes in a file of 9: not a safetensors file, or one cut off",
                     ErrorKind::kInvalid));
  const Tensor a(DataType::kF32, {1});
  for (const char* name : {"x", "__metadata__"}) {
    const std::vector<NamedTensor> twice = {{"x", a.buffer()}, {name, a.buffer()}};
    EXPECT_TRUE(raises([&] { safetensors_header(twice, {}); },
                       "an array cannot be called \"" + std::string(name) + "\": the name is taken",
                       ErrorKind::kInvalid));
  }
}

TEST(SafeTensors, SurvivesDamage) {
  const Tensor a = Tensor::of<float>({2, 2}, {1, 2, 3, 4});
  const Tensor b = Tensor::of<std::int64_t>({1}, {5});
  const std::vector<NamedTensor> arrays = {{"first", a.buffer()}, {"second", b.buffer()}};
  const std::vector<std::byte> good = written(arrays, {{"key", "value"}});
  std::mt19937_64 random(1);
  for (int i = 0; i < mutations(3000); ++i) {
    const std::vector<std::byte> bytes = mutate(good, random);
    try {
      read_safetensors(bytes);
    } catch (const Error& error) {
      EXPECT_NE(error.kind(), ErrorKind::kInternal) << error.what();
    }
  }
}

}  // namespace
}  // namespace sepal
