#include "sepal/kernels/transpose.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sepal/kernels/transpose.cc"
#include <hwy/foreach_target.h>

#include "sepal/kernels/simd-inl.h"

// Squares of 4 x 4 are transposed in 128-bit registers, the rest one by one, block by block so that both sides
// stay in L1. Images of three channels, the commonest input, are one interleaving store.

HWY_BEFORE_NAMESPACE();
namespace sepal::HWY_NAMESPACE {

// One matrix: element (r, c) of the input goes to (c, r). The elements are only moved, so their type is moot.
struct Matrix {
  const float* input;
  std::int64_t rows, columns;
  float* output;

  const float* in(std::int64_t r, std::int64_t c) const { return input + r * columns + c; }
  float* out(std::int64_t r, std::int64_t c) const { return output + c * rows + r; }
};

#if HWY_TARGET == HWY_SCALAR  // has no vectors of four
HWY_INLINE void square(const Matrix& matrix, std::int64_t r, std::int64_t c) {
  for (std::int64_t i = 0; i < 4; ++i) {
    for (std::int64_t j = 0; j < 4; ++j) *matrix.out(r + i, c + j) = *matrix.in(r + i, c + j);
  }
}
#else
HWY_INLINE void square(const Matrix& matrix, std::int64_t r, std::int64_t c) {
  constexpr hn::CappedTag<float, 4> kQuad{};
  const auto a = hn::LoadU(kQuad, matrix.in(r, c));
  const auto b = hn::LoadU(kQuad, matrix.in(r + 1, c));
  const auto e = hn::LoadU(kQuad, matrix.in(r + 2, c));
  const auto f = hn::LoadU(kQuad, matrix.in(r + 3, c));
  const auto ae_low = hn::InterleaveLower(kQuad, a, e);
  const auto bf_low = hn::InterleaveLower(kQuad, b, f);
  const auto ae_high = hn::InterleaveUpper(kQuad, a, e);
  const auto bf_high = hn::InterleaveUpper(kQuad, b, f);
  hn::StoreU(hn::InterleaveLower(kQuad, ae_low, bf_low), kQuad, matrix.out(r, c));
  hn::StoreU(hn::InterleaveUpper(kQuad, ae_low, bf_low), kQuad, matrix.out(r, c + 1));
  hn::StoreU(hn::InterleaveLower(kQuad, ae_high, bf_high), kQuad, matrix.out(r, c + 2));
  hn::StoreU(hn::InterleaveUpper(kQuad, ae_high, bf_high), kQuad, matrix.out(r, c + 3));
}
#endif

void block(const Matrix& matrix, Range rows, Range columns) {
  const std::int64_t square_rows = rows.begin + rows.size() / 4 * 4;
  const std::int64_t square_columns = columns.begin + columns.size() / 4 * 4;
  for (std::int64_t r = rows.begin; r < square_rows; r += 4) {
    for (std::int64_t c = columns.begin; c < square_columns; c += 4) square(matrix, r, c);
  }
  for (std::int64_t c = columns.begin; c < columns.end; ++c) {
    for (std::int64_t r = c < square_columns ? square_rows : rows.begin; r < rows.end; ++r) {
      *matrix.out(r, c) = *matrix.in(r, c);
    }
  }
}

void three_rows(const Matrix& matrix, Range columns) {
  std::int64_t c = columns.begin;
  for (; c + kLanes <= columns.end; c += kLanes) {
    hn::StoreInterleaved3(hn::LoadU(kTag, matrix.in(0, c)), hn::LoadU(kTag, matrix.in(1, c)),
                          hn::LoadU(kTag, matrix.in(2, c)), kTag, matrix.out(0, c));
  }
  block(matrix, {0, 3}, {c, columns.end});
}

// Output rows `columns` of the matrix `index`.
void transpose_matrix(const TransposeArgs& args, std::int64_t index, Range columns) {
  const std::int64_t offset = index * args.rows * args.columns;
  const Matrix matrix = {static_cast<const float*>(args.input) + offset, args.rows, args.columns,
                         static_cast<float*>(args.output) + offset};
  if (args.rows == 3) {
    three_rows(matrix, columns);
    return;
  }
  for (std::int64_t c = columns.begin; c < columns.end; c += kTransposeBlock) {
    for (std::int64_t r = 0; r < args.rows; r += kTransposeBlock) {
      block(matrix, {r, std::min(r + kTransposeBlock, args.rows)}, {c, std::min(c + kTransposeBlock, columns.end)});
    }
  }
}

}  // namespace sepal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sepal {
namespace {
HWY_EXPORT(transpose_matrix);
}  // namespace

void transpose(const TransposeArgs& args, Range output_rows) noexcept {
  for (std::int64_t begin = output_rows.begin; begin < output_rows.end;) {
    const std::int64_t index = begin / args.columns;
    const std::int64_t end = std::min(output_rows.end, (index + 1) * args.columns);
    HWY_DYNAMIC_DISPATCH(transpose_matrix)(args, index,
                                           Range{begin - index * args.columns, end - index * args.columns});
    begin = end;
  }
}

}  // namespace sepal
#endif
