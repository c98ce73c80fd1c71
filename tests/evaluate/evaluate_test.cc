// From an operator and tensors to the right kernel: types, optional inputs, second outputs, and what is refused.
// The numbers of the kernels themselves are tested in tests/kernels.

#include "sepal/evaluate/evaluate.h"

#include <gtest/gtest.h>

#include <array>

#include "sepal/base/error.h"

namespace sepal {
namespace {

using U8 = std::uint8_t;
using I8 = std::int8_t;
using I32 = std::int32_t;
using I64 = std::int64_t;

template <typename... Tensors>
std::vector<Tensor> run(const Op& op, const Tensors&... inputs) {
  const std::array<const Tensor*, sizeof...(inputs)> pointers = {&inputs...};
  return evaluate(op, std::span<const Tensor* const>(pointers));
}

template <typename T>
Tensor vector(std::initializer_list<T> values) {
  return Tensor::of<T>(Shape{static_cast<I64>(values.size())}, values);
}
template <typename T>
Tensor scalar(T value) {
  return Tensor::of<T>(Shape{}, {value});
}
Tensor floats(const Shape& shape, std::initializer_list<float> values) { return Tensor::of<float>(shape, values); }

template <typename T>
void expect_values(const Tensor& tensor, const Shape& shape, std::initializer_list<T> expected) {
  EXPECT_TRUE(identical(tensor, Tensor::of<T>(shape, expected)))
      << to_string(TensorType{tensor.type(), tensor.shape()}) << " of " << testing::PrintToString([&] {
           std::vector<double> values;
           for (const T value : tensor.values<T>()) values.push_back(static_cast<double>(value));
           return values;
         }());
}

TEST(Evaluate, Convolutions) {
  const Tensor image = floats({1, 2, 2, 1}, {1, 2, 3, 4});
  const Tensor filter = floats({1, 2, 2, 1}, {1, 1, 1, -1});
  const Window window{.kernel = {2, 2}};
  const Conv2d conv{.window = window, .activation = {UnaryKind::kClip, 0, 6}};
  expect_values<float>(run(conv, image, filter)[0], {1, 1, 1, 1}, {2});
  expect_values<float>(run(conv, image, filter, vector<float>({9}))[0], {1, 1, 1, 1}, {6});
  const ConvTranspose2d back{.window = window};
  expect_values<float>(run(back, floats({1, 1, 1, 1}, {2}), filter)[0], {1, 2, 2, 1}, {2, 2, 2, -2});
  expect_values<float>(run(back, floats({1, 1, 1, 1}, {2}), filter, vector<float>({1}))[0], {1, 2, 2, 1},
                       {3, 3, 3, -1});

  const Tensor bytes = Tensor::of<U8>({1, 1, 2, 1}, {10, 20});
  const Tensor weights = Tensor::of<I8>({1, 1, 2, 1}, {3, -1});
  const Window row{.kernel = {1, 2}};
  const IntegerConv2d integer{.window = row};
  expect_values<I32>(run(integer, bytes, weights, scalar<U8>(5), scalar<I8>(1))[0], {1, 1, 1, 1}, {-20});
  const QuantizedConv2d quantized{.window = row};
  const auto result = run(quantized, bytes, scalar(0.5f), scalar<U8>(5), weights, vector({2.0f}), vector<I8>({1}),
                          scalar(4.0f), scalar<I8>(7), vector<I32>({-2}));
  expect_values<I8>(result[0], {1, 1, 1, 1}, {1});  // (-20 - 2) / 4 = -5.5 is rounded to the even -6
}

TEST(Evaluate, Pools) {
  const Tensor image = floats({1, 1, 4, 1}, {1, 5, 2, 5});
  const Window window{.kernel = {1, 2}, .stride = {1, 2}};
  const auto both = run(Pool{.window = window, .indices = true}, image);
  expect_values<float>(both[0], {1, 1, 2, 1}, {5, 5});
  expect_values<I64>(both[1], {1, 1, 2, 1}, {1, 3});
  expect_values<float>(run(Pool{.kind = PoolKind::kAverage, .window = window}, image)[0], {1, 1, 2, 1}, {3, 3.5f});
  expect_values<U8>(run(Pool{.window = window}, Tensor::of<U8>({1, 1, 4, 1}, {1, 200, 2, 3}))[0], {1, 1, 2, 1},
                    {200, 3});
}

TEST(Evaluate, AlongAxes) {
  const Tensor x = floats({2, 2}, {1, 2, 3, 4});
  expect_values<float>(run(Reduce{.kind = ReduceKind::kMean, .axes = {0}, .keep_dims = false}, x)[0], {2}, {2, 3});
  expect_values<float>(run(Reduce{.kind = ReduceKind::kSum, .axes = {0, 1}}, x)[0], {1, 1}, {10});
  expect_values<I32>(run(Reduce{.kind = ReduceKind::kMax, .axes = {0}}, vector<I32>({-5, -7}))[0], {1}, {-5});
  expect_values<bool>(run(Reduce{.kind = ReduceKind::kMin, .axes = {0}}, vector<bool>({true, false}))[0], {1}, {false});
  expect_values<I64>(run(ArgReduce{.axis = 1}, x)[0], {2, 1}, {1, 1});
  expect_values<I64>(run(ArgReduce{.minimum = true, .axis = 0, .keep_dims = false}, x)[0], {2}, {0, 0});
  expect_values<float>(run(Softmax{.axis = 0}, floats({2}, {7, 7}))[0], {2}, {0.5f, 0.5f});
  expect_values<float>(run(Reduce{.axes = {}}, scalar(3.0f))[0], Shape{}, {3});
}

TEST(Evaluate, Normalisations) {
  const Tensor x = floats({1, 1, 4}, {-1, 1, -3, 3});
  const Tensor ones = vector<float>({1, 1, 1, 1});
  const Tensor zeros = vector<float>({0, 0, 0, 0});
  expect_values<float>(run(BatchNorm{.epsilon = 0}, x, ones, ones, zeros, ones)[0], {1, 1, 4}, {0, 2, -2, 4});
  expect_values<float>(run(GroupNorm{.groups = 2, .epsilon = 0}, x, ones, zeros)[0], {1, 1, 4}, {-1, 1, -1, 1});
  expect_values<float>(run(LayerNorm{.axis = 2, .epsilon = 4}, x, ones)[0], {1, 1, 4}, {-1.0f / 3, 1.0f / 3, -1, 1});
  const auto statistics = run(LayerNorm{.axis = 2, .epsilon = 4, .statistics = true}, x, ones, ones);
  ASSERT_EQ(statistics.size(), 3u);
  expect_values<float>(statistics[1], {1, 1, 1}, {0});
  expect_values<float>(statistics[2], {1, 1, 1}, {1.0f / 3});
  expect_values<float>(run(LocalResponseNorm{.size = 1, .alpha = 1, .beta = 1, .bias = 1}, floats({1, 1}, {3}))[0],
                       {1, 1}, {0.3f});
}

TEST(Evaluate, Elementwise) {
  expect_values<float>(run(Unary{UnaryKind::kRelu}, vector<float>({-1, 2}))[0], {2}, {0, 2});
  expect_values<I64>(run(Unary{UnaryKind::kNegate}, vector<I64>({5}))[0], {1}, {-5});
  expect_values<bool>(run(Unary{UnaryKind::kNot}, vector<bool>({true, false}))[0], {2}, {false, true});
  expect_values<float>(run(Binary{BinaryKind::kAdd}, vector<float>({1, 2}), scalar(1.0f))[0], {2}, {2, 3});
  expect_values<U8>(run(Binary{BinaryKind::kAdd}, vector<U8>({255}), vector<U8>({2}))[0], {1}, {1});
  expect_values<bool>(run(Binary{BinaryKind::kLess}, vector<I64>({1, 2}), scalar<I64>(2))[0], {2}, {true, false});
  expect_values<bool>(run(Binary{BinaryKind::kXor}, vector<bool>({true, true}), vector<bool>({true, false}))[0], {2},
                      {false, true});
  expect_values<bool>(run(Binary{BinaryKind::kEqual}, vector<bool>({true}), vector<bool>({true}))[0], {1}, {true});
  expect_values<float>(run(Binary{BinaryKind::kPower}, vector<float>({3}), vector<I64>({2}))[0], {1}, {9});
  expect_values<I32>(run(Binary{BinaryKind::kPower}, vector<I32>({3}), vector<float>({2}))[0], {1}, {9});
  expect_values<I64>(run(Binary{BinaryKind::kPower}, vector<I64>({3}), vector<I32>({2}))[0], {1}, {9});
  expect_values<I32>(run(Select{}, vector<bool>({true, false}), scalar<I32>(1), scalar<I32>(2))[0], {2}, {1, 2});
}

TEST(Evaluate, Matrices) {
  const Tensor a = floats({1, 2}, {1, 2});
  const Tensor b = floats({2, 1}, {3, 4});
  expect_values<float>(run(MatMul{}, a, b)[0], {1, 1}, {11});
  expect_values<I32>(run(MatMul{}, Tensor::of<I32>({1, 1}, {3}), Tensor::of<I32>({1, 1}, {4}))[0], {1, 1}, {12});
  expect_values<float>(run(Gemm{.alpha = 2, .transpose_a = true, .transpose_b = true}, a, b)[0], {2, 2},
                       {6, 8, 12, 16});
  expect_values<float>(run(Gemm{}, a, b, scalar(1.0f))[0], {1, 1}, {12});
  const Tensor bytes = Tensor::of<U8>({1, 2}, {1, 2});
  const Tensor signs = Tensor::of<I8>({2, 1}, {-3, 4});
  expect_values<I32>(run(IntegerMatMul{}, bytes, signs, scalar<U8>(1), scalar<I8>(0))[0], {1, 1}, {4});
  expect_values<U8>(run(QuantizedMatMul{}, bytes, scalar(1.0f), scalar<U8>(1), signs, scalar(1.0f), scalar<I8>(0),
                        scalar(8.0f), scalar<U8>(3))[0],
                    {1, 1}, {3});
}

TEST(Evaluate, Quantisation) {
  const Tensor x = vector<float>({-1, 0.5f, 3});
  expect_values<I8>(run(Quantize{}, x, scalar(0.5f), scalar<I8>(1))[0], {3}, {-1, 2, 7});
  expect_values<std::uint16_t>(run(Quantize{}, x, scalar(0.5f), scalar<std::uint16_t>(1))[0], {3}, {0, 2, 7});
  expect_values<float>(run(Dequantize{}, vector<std::int16_t>({-300}), scalar(2.0f), scalar<std::int16_t>(1))[0], {1},
                       {-602});
  expect_values<float>(run(Dequantize{}, vector<I32>({5, 6}), vector<float>({1, 2}), vector<I32>({0, 0}))[0], {2},
                       {5, 12});
  const auto dynamic = run(DynamicQuantize{}, vector<float>({0, 51}));
  expect_values<U8>(dynamic[0], {2}, {0, 255});
  expect_values<float>(dynamic[1], Shape{}, {51.0f / 255});
  expect_values<U8>(dynamic[2], Shape{}, {0});
}

TEST(Evaluate, MovesEveryType) {
  constexpr std::array kTypes = {DataType::kF32, DataType::kF16, DataType::kBF16, DataType::kI8,  DataType::kU8,
                                 DataType::kI16, DataType::kU16, DataType::kI32,  DataType::kI64, DataType::kBool};
  const Tensor source = floats({2, 3}, {1, 0, 1, 1, 0, 0});
  for (const DataType type : kTypes) {
    SCOPED_TRACE(name_of(type));
    const Tensor x = std::move(run(Cast{type}, source)[0]);
    const auto check = [&](const std::vector<Tensor>& result, const Shape& shape,
                           std::initializer_list<float> expected) {
      ASSERT_EQ(result[0].type(), type);
      expect_values<float>(run(Cast{DataType::kF32}, result[0])[0], shape, expected);
    };
    check(run(Unary{}, x), {2, 3}, {1, 0, 1, 1, 0, 0});
    check(run(Reshape{{3, 2}}, x), {3, 2}, {1, 0, 1, 1, 0, 0});
    check(run(Transpose{Permutation::of({1, 0})}, x), {3, 2}, {1, 1, 0, 0, 1, 0});
    check(run(Concat{.axis = 1}, x, x), {2, 6}, {1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0});
    check(run(Slice{.start = {1, 2}, .step = {1, -2}, .size = {1, 2}}, x), {1, 2}, {0, 1});
    check(run(Pad{.before = {0, 1}, .value = 1}, x), {2, 4}, {1, 1, 0, 1, 1, 1, 0, 0});
    check(run(Gather{.axis = 1}, x, vector<I64>({-1})), {2, 1}, {1, 0});
    check(run(Gather{.axis = 0}, x, scalar<I32>(1)), {3}, {1, 0, 0});
    check(run(Expand{{2, 2, 3}}, x), {2, 2, 3}, {1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0});
    check(run(Tile{.repeats = {1, 2}}, x), {2, 6}, {1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0});
    check(run(Select{}, run(Cast{DataType::kBool}, x)[0], x, x), {2, 3}, {1, 0, 1, 1, 0, 0});
    if (type == DataType::kBool) continue;  // infer refuses to resize bool
    Resample how;
    how.scales = {1, 2};
    check(run(Resize{how, {2, 6}}, x), {2, 6}, {1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0});
  }
}

TEST(Evaluate, InterpolatesInFloat) {
  Resample how{.mode = ResizeMode::kLinear};
  how.scales = {2};
  expect_values<float>(run(Resize{how, {4}}, vector<float>({1, 3}))[0], {4}, {1, 1.5f, 2.5f, 3});
}

TEST(Evaluate, EmptyTensorsAndScalars) {
  const Tensor nothing(DataType::kF32, {0, 3});
  EXPECT_EQ(run(Unary{UnaryKind::kExp}, nothing)[0].shape(), (Shape{0, 3}));
  EXPECT_EQ(run(Binary{}, nothing, scalar(1.0f))[0].shape(), (Shape{0, 3}));
  EXPECT_EQ(run(Transpose{Permutation::of({1, 0})}, nothing)[0].shape(), (Shape{3, 0}));
  EXPECT_EQ(run(Softmax{.axis = 0}, nothing)[0].shape(), (Shape{0, 3}));
  EXPECT_EQ(run(MatMul{}, Tensor(DataType::kF32, {2, 0}), nothing)[0].values<float>()[5], 0);
  EXPECT_EQ(run(Cast{DataType::kI64}, nothing)[0].type(), DataType::kI64);
  EXPECT_EQ(run(Quantize{}, nothing, scalar(1.0f), scalar<I8>(0))[0].shape(), (Shape{0, 3}));
  const Tensor image(DataType::kF32, {0, 4, 4, 2});
  const Tensor filter(DataType::kF32, {3, 1, 1, 2});
  EXPECT_EQ(run(Conv2d{}, image, filter)[0].shape(), (Shape{0, 4, 4, 3}));
  EXPECT_EQ(run(Pool{}, image)[0].shape(), image.shape());
  expect_values<float>(run(Unary{UnaryKind::kSqrt}, scalar(4.0f))[0], Shape{}, {2});
  expect_values<float>(run(Transpose{}, scalar(4.0f))[0], Shape{}, {4});
}

TEST(CanEvaluate, ByType) {
  struct Case {
    const char* why;
    Op op;
    std::vector<DataType> types;
    bool expected;
  };
  using enum DataType;
  const Case cases[] = {
      {"convolution of floats", Conv2d{}, {kF32, kF32}, true},
      {"no arithmetic in half precision", Conv2d{}, {kF16, kF16}, false},
      {"no arithmetic in half precision", ConvTranspose2d{}, {kBF16, kBF16}, false},
      {"no average in half precision", Pool{.kind = PoolKind::kAverage}, {kF16}, false},
      {"no maximum in half precision", Pool{}, {kF16}, false},
      {"a maximum of bytes", Pool{}, {kI8}, true},
      {"no sum in half precision", Reduce{}, {kF16}, false},
      {"a sum of integers", Reduce{}, {kI32}, true},
      {"a maximum of bool", Reduce{.kind = ReduceKind::kMax}, {kBool}, true},
      {"no sum of bool", Reduce{}, {kBool}, false},
      {"no index in half precision", ArgReduce{}, {kBF16}, false},
      {"no normalisation in half precision", BatchNorm{}, {kF16}, false},
      {"no normalisation in half precision", LayerNorm{}, {kF16}, false},
      {"no normalisation in half precision", GroupNorm{}, {kF16}, false},
      {"no normalisation in half precision", LocalResponseNorm{}, {kF16}, false},
      {"no function in half precision", Unary{UnaryKind::kExp}, {kF16}, false},
      {"the identity of anything", Unary{}, {kF16}, true},
      {"no exponential of integers", Unary{UnaryKind::kExp}, {kI32}, false},
      {"the absolute value of integers", Unary{UnaryKind::kAbs}, {kI32}, true},
      {"not of bool only", Unary{UnaryKind::kNot}, {kI32}, false},
      {"no sum of halves", Binary{}, {kF16, kF16}, false},
      {"a power with an exponent of its own", Binary{BinaryKind::kPower}, {kF32, kI64}, true},
      {"no exponent of bytes", Binary{BinaryKind::kPower}, {kF32, kU8}, false},
      {"no sum of bool", Binary{}, {kBool, kBool}, false},
      {"and of bool", Binary{BinaryKind::kAnd}, {kBool, kBool}, true},
      {"a product of integers", MatMul{}, {kI64, kI64}, true},
      {"no product of halves", MatMul{}, {kF16, kF16}, false},
      {"no product of halves", Gemm{}, {kF16, kF16}, false},
      {"no softmax in half precision", Softmax{}, {kF16}, false},
      {"nearest of anything", Resize{}, {kBF16}, true},
      {"no interpolation of bytes", Resize{{.mode = ResizeMode::kLinear}, {}}, {kU8}, false},
      {"halves are converted", Cast{kF32}, {kF16}, true},
      {"halves are moved", Transpose{}, {kF16}, true},
      {"halves are chosen", Select{}, {kBool, kF16, kF16}, true},
  };
  for (const Case& test : cases) {
    std::vector<TensorType> types;
    for (const DataType type : test.types) types.push_back({type, {1, 1, 1, 1}});
    EXPECT_EQ(can_evaluate(test.op, types), test.expected) << test.why << ": " << name_of(test.op);
  }
}

template <typename Work>
std::pair<ErrorKind, std::string> error_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  return {ErrorKind::kInternal, "nothing was thrown"};
}

TEST(Evaluate, SaysWhatItCannotCompute) {
  const Tensor halves(DataType::kF16, {2, 2});
  EXPECT_EQ(error_of([&] { run(MatMul{}, halves, halves); }),
            std::pair(ErrorKind::kUnsupported, std::string("matmul of f16 2x2, f16 2x2 cannot be computed")));
}

TEST(Evaluate, RefusesInputsThatDoNotSuit) {
  const Tensor a(DataType::kF32, {2, 3});
  EXPECT_EQ(error_of([&] { run(MatMul{}, a, a); }),
            std::pair(ErrorKind::kInvalid, std::string("matrices 2x3 and 2x3 cannot be multiplied")));
}

}  // namespace
}  // namespace sepal
