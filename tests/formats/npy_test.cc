#include "sepal/formats/npy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <random>
#include <string>

#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "tests/mutate.h"
#include "tests/raises.h"
#include "tests/test_data.h"

namespace sepal {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// A .npy file of that version, header and data.
std::vector<std::byte> npy(const std::string& header, std::string_view data, int version = 1) {
  std::string file = "\x93NUMPY";
  file += static_cast<char>(version);
  file += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) file += static_cast<char>(header.size() >> (8 * i));
  file += header;
  file += data;
  return bytes_of(file);
}

std::string header_of(std::string_view descr, std::string_view shape, bool fortran = false) {
  return format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}\n", descr, fortran ? "True" : "False", shape);
}

struct ReadCase {
  const char* why;
  std::string descr;
  std::string_view data;
  Tensor expected;
};

TEST(Npy, ReadsEveryType) {
  using namespace std::string_view_literals;
  const Shape two = {2};
  const ReadCase kCases[] = {
      {"f32", "<f4", "\0\0\x80\x3F\0\0\0\xC0"sv, Tensor::of<float>(two, {1, -2})},
      {"f32, big-endian", ">f4", "\x3F\x80\0\0\xC0\0\0\0"sv, Tensor::of<float>(two, {1, -2})},
      {"f32, of this machine's order", "=f4", "\0\0\x80\x3F\0\0\0\xC0"sv, Tensor::of<float>(two, {1, -2})},
      {"f16", "<f2", "\0\x3C\0\xC0"sv, Tensor::of<Float16>(two, {Float16(1), Float16(-2)})},
      {"f64 that f32 holds", "<f8", "\0\0\0\0\0\0\xF8\x3F\0\0\0\0\0\0\0\xC0"sv, Tensor::of<float>(two, {1.5f, -2})},
      {"i8", "|i1", "\x01\xFF"sv, Tensor::of<std::int8_t>(two, {1, -1})},
      {"u8", "|u1", "\x01\xFF"sv, Tensor::of<std::uint8_t>(two, {1, 255})},
      {"i16", "<i2", "\x01\0\xFF\xFF"sv, Tensor::of<std::int16_t>(two, {1, -1})},
      {"u16, big-endian", ">u2", "\0\x01\xFF\xFE"sv, Tensor::of<std::uint16_t>(two, {1, 65534})},
      {"i32", "<i4", "\x01\0\0\0\xFE\xFF\xFF\xFF"sv, Tensor::of<std::int32_t>(two, {1, -2})},
      {"u32 becomes i64", "<u4", "\x01\0\0\0\xFF\xFF\xFF\xFF"sv, Tensor::of<std::int64_t>(two, {1, 4294967295})},
      {"i64", "<i8", "\x01\0\0\0\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"sv, Tensor::of<std::int64_t>(two, {1, -1})},
      {"u64 becomes i64", "<u8", "\x01\0\0\0\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"sv,
       Tensor::of<std::int64_t>(two, {1, INT64_MAX})},
      {"bool, where any byte but 0 is true", "|b1", "\0\x02"sv, Tensor::of<bool>(two, {false, true})},
  };
  for (const ReadCase& test : kCases) {
    SCOPED_TRACE(test.why);
    for (const int version : {1, 2, 3}) {
      EXPECT_TRUE(identical(read_npy(npy(header_of(test.descr, "(2,)"), test.data, version)), test.expected));
    }
  }
}

/// The .npy file of one number.
template <typename T>
std::vector<std::byte> one(std::string_view descr, T value) {
  return npy(header_of(descr, "(1,)"), {reinterpret_cast<const char*>(&value), sizeof(value)});
}

TEST(Npy, ReadsAsTheTypeWantedWhereEveryValueSurvives) {
  const Shape shape = {1};
  struct Case {
    const char* why;
    std::vector<std::byte> file;
    Tensor expected;
    Doubles doubles = Doubles::kExact;
  };
  constexpr std::uint64_t kHigh = std::uint64_t{1} << 63;
  const Case kCases[] = {
      {"f64 that no f32 is, to i32", one("<f8", 123456789.0), Tensor::of<std::int32_t>(shape, {123456789})},
      {"the same to i64", one("<f8", 123456789.0), Tensor::of<std::int64_t>(shape, {123456789})},
      {"the lowest i64", one("<f8", -0x1p63), Tensor::of<std::int64_t>(shape, {INT64_MIN})},
      {"f64 to bool", one("<f8", 1.0), Tensor::of<bool>(shape, {true})},
      {"f64 to f16", one("<f8", 0.5), Tensor::of<Float16>(shape, {Float16(0.5)})},
      {"u64 above i64, to f32", one("<u8", kHigh), Tensor::of<float>(shape, {0x1p63F})},
      {"u64 to u8", one("<u8", std::uint64_t{255}), Tensor::of<std::uint8_t>(shape, {255})},
      {"u64 to bool", one("<u8", std::uint64_t{1}), Tensor::of<bool>(shape, {true})},
      {"u32 to f32", one("<u4", std::uint32_t{1} << 31), Tensor::of<float>(shape, {0x1p31F})},
      {"u32 to u16", one("<u4", std::uint32_t{65535}), Tensor::of<std::uint16_t>(shape, {65535})},
      {"i64 to f32", one("<i8", std::int64_t{-3}), Tensor::of<float>(shape, {-3})},
      {"its own type", one("<i4", std::int32_t{7}), Tensor::of<std::int32_t>(shape, {7})},
      {"f64 for a model in double precision", one("<f8", 0.1), Tensor::of<float>(shape, {0.1F}), Doubles::kRounded},
      {"infinity there", one("<f8", -std::numeric_limits<double>::infinity()),
       Tensor::of<float>(shape, {-std::numeric_limits<float>::infinity()}), Doubles::kRounded},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    EXPECT_TRUE(identical(read_npy(test.file, test.expected.type(), test.doubles), test.expected));
  }
  const Tensor nan = read_npy(one("<f8", std::nan("")), DataType::kF32);
  EXPECT_TRUE(std::isnan(nan.values<float>()[0]));
  const auto big_endian = npy(header_of(">f8", "(1,)"), std::string_view("\x3F\xF0\0\0\0\0\0\0", 8));
  EXPECT_TRUE(identical(read_npy(big_endian, DataType::kI8), Tensor::of<std::int8_t>(shape, {1})));
}

TEST(Npy, RefusesAValueThatTheTypeWantedDoesNotHold) {
  struct Case {
    std::string message;
    std::vector<std::byte> file;
    DataType wanted;
    Doubles doubles = Doubles::kExact;
  };
  const Case kCases[] = {
      {"the float64 0.1 does not fit f32; round it first, as in array.astype('float32')", one("<f8", 0.1),
       DataType::kF32},
      {"the float64 0.1 does not fit f16", one("<f8", 0.1), DataType::kF16, Doubles::kRounded},
      {"the float64 0.5 does not fit i32", one("<f8", 0.5), DataType::kI32},
      {"the float64 300 does not fit u8", one("<f8", 300.0), DataType::kU8},
      {"the float64 -1 does not fit u8", one("<f8", -1.0), DataType::kU8},
      {"the float64 9.223372036854776e+18 does not fit i64", one("<f8", 0x1p63), DataType::kI64},
      {"the float64 nan does not fit i8", one("<f8", std::nan("")), DataType::kI8},
      {"the float64 2 does not fit bool", one("<f8", 2.0), DataType::kBool},
      {"the float64 1e+300 is beyond the range of f32", one("<f8", 1e300), DataType::kF32, Doubles::kRounded},
      {"the uint64 18446744073709551615 does not fit f32", one("<u8", UINT64_MAX), DataType::kF32},
      {"the uint64 9223372036854775809 does not fit f32", one("<u8", (std::uint64_t{1} << 63) + 1), DataType::kF32},
      {"the uint64 65536 does not fit f16", one("<u8", std::uint64_t{65536}), DataType::kF16},
      {"the uint64 256 does not fit u8", one("<u8", std::uint64_t{256}), DataType::kU8},
      {"the uint64 2 does not fit bool", one("<u8", std::uint64_t{2}), DataType::kBool},
      {"the value 4294967295 at [0] cannot be held by f32", one("<u4", UINT32_MAX), DataType::kF32},
  };
  for (const Case& test : kCases) {
    EXPECT_TRUE(raises([&] { read_npy(test.file, test.wanted, test.doubles); }, test.message, ErrorKind::kInvalid));
  }
}

TEST(Npy, BringsFortranOrderIntoCOrder) {
  Tensor expected(DataType::kU8, {2, 3, 2});
  std::string data(12, '\0');
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t k = 0; k < 2; ++k) {
        expected.values<std::uint8_t>()[(i * 3 + j) * 2 + k] = static_cast<std::uint8_t>(100 * i + 10 * j + k);
        data[i + 2 * j + 6 * k] = static_cast<char>(100 * i + 10 * j + k);
      }
    }
  }
  EXPECT_TRUE(identical(read_npy(npy(header_of("|u1", "(2, 3, 2)", true), data)), expected));
  EXPECT_EQ(read_npy(npy(header_of("<f4", "(2, 0, 5)", true), "")).shape(), (Shape{2, 0, 5}));
}

TEST(Npy, ReadsHeadersAsOthersWriteThem) {
  struct Case {
    const char* why;
    std::string header;
    Shape shape;
  };
  const Case kCases[] = {
      {"a scalar", header_of("|u1", "()"), {}},
      {"Python 2", "{'descr': '|u1', 'fortran_order': False, 'shape': (1L, 1L), }   \n", {1, 1}},
      {"other quotes, another order, no last comma",
       R"({"shape":(1,1,1),"fortran_order":False,"descr":"|u1"})",
       {1, 1, 1}},
      {"many spaces", " { 'shape' : ( 1 , ) , 'descr' : '|u1' , 'fortran_order' : True } \n", {1}},
      {"six dimensions", header_of("|u1", "(1, 1, 1, 1, 1, 1)"), {1, 1, 1, 1, 1, 1}},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    EXPECT_EQ(read_npy(npy(test.header, "\x05")).shape(), test.shape);
  }
}

TEST(Npy, RefusesInOneLine) {
  struct Case {
    std::string message;
    std::vector<std::byte> file;
    ErrorKind kind = ErrorKind::kInvalid;
  };
  const std::string four = "1234";
  const auto with = [&](const std::string& header) { return npy(header, four); };
  const Case kCases[] = {
      {"not a .npy file: it does not begin with \\x93NUMPY", {}},
      {"not a .npy file: it does not begin with \\x93NUMPY", bytes_of("PK\3\4 an archive")},
      {"the .npy file ends within its first 10 bytes", bytes_of("\x93NUMPY\1")},
      {"the .npy file ends within its first 12 bytes", bytes_of({"\x93NUMPY\2\0\0\0", 10})},
      {".npy version 9; 1 to 3 are read", npy("", "", 9), ErrorKind::kUnsupported},
      {"a .npy header of 65535 bytes, but only 1 follow", bytes_of({"\x93NUMPY\1\0\xFF\xFF{", 11})},
      {"an array of 3 <f4 takes 12 bytes, but the file holds 4", with(header_of("<f4", "(3,)"))},
      {"an array of scalar <i2 takes 2 bytes, but the file holds 4", with(header_of("<i2", "()"))},
      {"an array of 0x3 <f4 takes 0 bytes, but the file holds 4", with(header_of("<f4", "(0, 3)"))},
      {"an array of 1000000000x1000 <f8 takes 8000000000000 bytes, but the file holds 4",
       with(header_of("<f8", "(1000000000, 1000)"))},
      {"9223372036854775807x4 holds too many elements", with(header_of("<f4", "(9223372036854775807, 4)"))},
      {"the .npy header has a dimension that does not fit 64 bits", with(header_of("<f4", "(9223372036854775808,)"))},
      {"the array has more than 6 dimensions", with(header_of("<f4", "(1, 1, 1, 1, 1, 1, 1)"))},
      {"byte 51 of the .npy header is not a dimension: \"-1,), }\\x0a\"", with(header_of("<f4", "(-1,)"))},
      {"byte 52 of the .npy header is not a comma: \"), }\\x0a\"", with(header_of("<f4", "(1)"))},
      {"byte 53 of the .npy header is not a comma: \"2), }\\x0a\"", with(header_of("<f4", "(1 2)"))},
      {"byte 50 of the .npy header is not '(': \"[1], }\\x0a\"", with(header_of("<f4", "[1]"))},
      {"byte 0 of the .npy header is not '{': \"\"", with("")},
      {"byte 1 of the .npy header is not a quoted word: \"\"", with("{")},
      {"byte 1 of the .npy header is not a quoted word: \"descr: 1}\"", with("{descr: 1}")},
      {"byte 1 of the .npy header is not a quoted word: \"'descr}\"", with("{'descr}")},
      {"byte 8 of the .npy header is not ':': \"}\"", with("{'descr'}")},
      {"byte 15 of the .npy header is not a comma or a closing brace: \"'shape': (1,)}\"",
       with("{'descr':'<f4' 'shape': (1,)}")},
      {"byte 17 of the .npy header is not True or False: \"1}\"", with("{'fortran_order':1}")},
      {"byte 3 of the .npy header is not the end: \"x\"", with("{} x")},
      {"the .npy header lacks \"descr\"", with("{}")},
      {"the .npy header lacks \"fortran_order\"", with("{'descr':'<f4'}")},
      {"the .npy header lacks \"shape\"", with("{'descr':'<f4', 'fortran_order': False}")},
      {"the .npy header has two keys \"descr\"", with("{'descr':'<f4', 'descr':'<f4'}")},
      {"the .npy header has an unknown key \"a\\x0a\"", with("{'a\n': 1}")},
      {"a structured .npy array; arrays of plain numbers are read", with("{'descr': [('a', '<f4')]}"),
       ErrorKind::kUnsupported},
      {".npy elements of type \"<c8\"; f2, f4, f8, i1 to i8, u1 to u8 and b1 are read", with(header_of("<c8", "(1,)")),
       ErrorKind::kUnsupported},
      {".npy elements of type \"\"; f2, f4, f8, i1 to i8, u1 to u8 and b1 are read", with(header_of("", "(1,)")),
       ErrorKind::kUnsupported},
      {".npy elements of type \"f4\"; f2, f4, f8, i1 to i8, u1 to u8 and b1 are read", with(header_of("f4", "(1,)")),
       ErrorKind::kUnsupported},
      {"the uint64 18446744073709551615 does not fit i64",
       npy(header_of("<u8", "(1,)"), "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF")},
  };
  for (const Case& test : kCases) EXPECT_TRUE(raises([&] { read_npy(test.file); }, test.message, test.kind));
}

TEST(Npy, WritesWhatItReads) {
  const Shape kShapes[] = {{}, {0}, {5}, {2, 3}, {1, 2, 3, 4, 5, 1}};
  for (int type = 0; type <= static_cast<int>(DataType::kBool); ++type) {
    for (const Shape& shape : kShapes) {
      Tensor tensor(static_cast<DataType>(type), shape);
      SCOPED_TRACE(format("{} {}", name_of(tensor.type()), to_string(shape)));
      for (std::size_t i = 0; i < tensor.bytes(); ++i) tensor.data()[i] = static_cast<std::byte>(i % 2);
      const std::vector<std::byte> bytes = to_npy(tensor.buffer());
      const Tensor again = read_npy(bytes);
      if (tensor.type() != DataType::kBF16) {
        EXPECT_EQ((bytes.size() - tensor.bytes()) % 64, 0u);
        EXPECT_TRUE(identical(again, tensor));
        continue;
      }
      ASSERT_EQ(again.type(), DataType::kF32);
      for (std::size_t i = 0; i < again.values<float>().size(); ++i) {
        EXPECT_EQ(again.values<float>()[i], static_cast<float>(tensor.values<BFloat16>()[i]));
      }
    }
  }
}

TEST(Npy, ReadsAndWritesFiles) {
  const auto path = std::filesystem::path(testing::TempDir()) / "sepal_npy_test.npy";
  const Tensor tensor = Tensor::of<std::int32_t>({2, 2}, {1, 2, 3, -4});
  write_npy(path, tensor.buffer());
  EXPECT_TRUE(identical(read_npy(path), tensor));
  EXPECT_TRUE(identical(read_npy(path, DataType::kF32), Tensor::of<float>({2, 2}, {1, 2, 3, -4})));
  EXPECT_TRUE(raises([&] { read_npy(path, DataType::kU8); },
                     path.string() + ": the value -4 at [1,1] cannot be held by u8", ErrorKind::kInvalid));
  write_file(path, bytes_of("text"));
  EXPECT_TRUE(raises([&] { read_npy(path); }, path.string() + ": not a .npy file: it does not begin with \\x93NUMPY"));
  std::filesystem::remove(path);
  EXPECT_TRUE(
      raises([&] { read_npy(path); }, path.string() + ": cannot be opened: No such file or directory", ErrorKind::kIo));
}

TEST(Npy, MutationsAreReadOrRefused) {
  std::mt19937_64 random(20240);
  const Tensor values(DataType::kF32, {2, 3, 4});
  const std::vector<std::byte> seeds[] = {to_npy(values.buffer()),
                                          npy(header_of(">f8", "(3, 2)", true), std::string(48, 'x')),
                                          npy(header_of("|b1", "(2, 2, 2)"), std::string(8, '\1'), 3)};
  int read = 0;
  const int count = mutations(600);
  for (int i = 0; i < count; ++i) {
    const std::vector<std::byte> bytes = mutate(seeds[i % 3], random);
    try {
      const Tensor tensor = read_npy(bytes);
      EXPECT_LE(tensor.bytes(), bytes.size() * 2);  // u4 becomes i64
      ++read;
    } catch (const Error& error) {
      EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos);
    }
  }
  if (count >= 300) {
    EXPECT_GT(read, 0);
    EXPECT_LT(read, count);
  }
}

TEST(Npy, ReadsTheArraysOfTheModels) {
  SEPAL_NEEDS_TEST_DATA();
  int count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(test_data() / "models")) {
    if (entry.path().extension() != ".npy") continue;
    EXPECT_EQ(read_npy(entry.path()).type(), DataType::kF32) << entry.path();
    ++count;
  }
  EXPECT_GT(count, 0);
}

}  // namespace
}  // namespace sepal
