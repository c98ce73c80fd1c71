#pragma once

// Matrix products: the sum over k of a[i, k] b[k, j], whatever the layout of the two.

#include "sepal/kernels/reference/number.h"
#include "sepal/kernels/reference/walk.h"

namespace sepal::reference {

/// A matrix somewhere in memory: element (i, j) is data[i * row + j * column].
template <typename T>
struct MatrixView {
  const T* data = nullptr;
  std::int64_t row = 0;
  std::int64_t column = 0;
};

/// Calls store(i, j, sum) with the sum over `depth` of product(i, j, a[i, k], b[k, j]), for every i of `rows`
/// and j of `columns`. Sixteen columns at a time, since those mostly lie together.
template <typename Total, typename A, typename B, typename Product, typename Store>
void multiply(std::int64_t rows, std::int64_t columns, std::int64_t depth, const MatrixView<A>& a,
              const MatrixView<B>& b, const Product& product, const Store& store) {
  constexpr std::int64_t kLanes = 16;
  if (columns == 0) return;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t first = 0; first < columns; first += kLanes) {
      const std::int64_t lanes = std::min(kLanes, columns - first);
      Total sums[kLanes];
      std::fill_n(sums, kLanes, Total(0));
      for (std::int64_t k = 0; k < depth; ++k) {
        const A left = a.data[i * a.row + k * a.column];
        const B* right = b.data + k * b.row + first * b.column;
        for (std::int64_t j = 0; j < lanes; ++j) {
          sums[j] = sums[j] + product(i, first + j, left, right[j * b.column]);
        }
      }
      for (std::int64_t j = 0; j < lanes; ++j) store(i, first + j, sums[j]);
    }
  }
}

/// One product of a batch.
template <typename A, typename B>
struct MatrixPair {
  MatrixView<A> a;
  MatrixView<B> b;
  std::int64_t a_index = 0;  ///< which of a's matrices
  std::int64_t b_index = 0;
  std::int64_t output = 0;  ///< elements of the output before this product
};

/// Calls body(pair) for every pair of matrices that the leading axes of [..., m, k] and [..., k, n] name when
/// they are broadcast.
template <typename A, typename B, typename Body>
void each_matrix(const TensorView<const A>& a, const TensorView<const B>& b, const Shape& output, const Body& body) {
  const int rank = output.rank();
  if (output.elements() == 0) return;
  const auto leading = [](const Shape& shape) {
    return Shape(shape.dims().first(static_cast<std::size_t>(shape.rank() - 2)));
  };
  const std::int64_t a_size = a.shape.elements(a.shape.rank() - 2, a.shape.rank());
  const std::int64_t b_size = b.shape.elements(b.shape.rank() - 2, b.shape.rank());
  const std::int64_t size = output[rank - 2] * output[rank - 1];
  const Shape batch = leading(output);
  std::int64_t at_output = 0;
  walk<2>(batch, {broadcast_strides(leading(a.shape), batch), broadcast_strides(leading(b.shape), batch)},
          [&](const auto& place) {
            body(MatrixPair<A, B>{.a = {a.data + place[0] * a_size, a.shape[a.shape.rank() - 1], 1},
                                  .b = {b.data + place[1] * b_size, b.shape[b.shape.rank() - 1], 1},
                                  .a_index = place[0],
                                  .b_index = place[1],
                                  .output = at_output});
            at_output += size;
          });
}

template <typename T>
struct MatMulArgs {
  TensorView<const T> a = {};  ///< [..., m, k]
  TensorView<const T> b = {};  ///< [..., k, n]
  TensorView<T> output = {};   ///< [..., m, n]; the leading axes broadcast
};
template <typename T>
void matmul(const MatMulArgs<T>& args) noexcept {
  const Shape& shape = args.output.shape;
  const std::int64_t columns = shape[shape.rank() - 1];
  each_matrix(args.a, args.b, shape, [&](const MatrixPair<T, T>& pair) {
    multiply<Sum<T>>(
        shape[shape.rank() - 2], columns, args.a.shape[args.a.shape.rank() - 1], pair.a, pair.b,
        [](std::int64_t, std::int64_t, T left, T right) { return term(left) * term(right); },
        [&](std::int64_t i, std::int64_t j, const Sum<T>& sum) {
          args.output.data[pair.output + i * columns + j] = static_cast<T>(sum);
        });
  });
}

template <typename T>
struct GemmArgs {
  TensorView<const T> a = {};  ///< [m, k], or [k, m] where transposed
  TensorView<const T> b = {};  ///< [k, n], or [n, k] where transposed
  TensorView<const T> c = {};  ///< broadcasts to [m, n]; data is null for none
  float alpha = 1;
  float beta = 1;
  bool transpose_a = false;
  bool transpose_b = false;
  TensorView<T> output = {};  ///< [m, n]
};
/// alpha a' b' + beta c.
template <typename T>
void gemm(const GemmArgs<T>& args) noexcept {
  const Shape& shape = args.output.shape;
  const auto view = [](const TensorView<const T>& matrix, bool transposed) {
    return transposed ? MatrixView<T>{matrix.data, 1, matrix.shape[1]} : MatrixView<T>{matrix.data, matrix.shape[1], 1};
  };
  const Strides strides = args.c.data == nullptr ? Strides{} : broadcast_strides(args.c.shape, shape);
  multiply<Sum<T>>(
      shape[0], shape[1], args.a.shape[args.transpose_a ? 0 : 1], view(args.a, args.transpose_a),
      view(args.b, args.transpose_b),
      [](std::int64_t, std::int64_t, T left, T right) { return term(left) * term(right); },
      [&](std::int64_t i, std::int64_t j, const Sum<T>& sum) {
        Sum<T> value = args.alpha == 1 ? sum : static_cast<Sum<T>>(args.alpha) * sum;
        if (args.c.data != nullptr) {
          const Sum<T> shift = term(args.c.data[i * strides[0] + j * strides[1]]);
          value = value + (args.beta == 1 ? shift : static_cast<Sum<T>>(args.beta) * shift);
        }
        args.output.data[i * shape[1] + j] = static_cast<T>(value);
      });
}

}  // namespace sepal::reference
