// Products of two matrices of which none is constant, as in training and attention: the right one is packed when the
// step runs, the left one transposed first where it is marked so; then rows or panels are shared as for any product.

#include <algorithm>
#include <array>

#include "sepal/kernels/pointwise.h"
#include "sepal/kernels/transpose.h"
#include "sepal/plan/conv_site.h"
#include "sepal/plan/training_room.h"

namespace sepal {
namespace {

/// A product [m, k] x [k, n], its operands as they lie.
struct Product {
  std::int64_t m;
  std::int64_t k;
  std::int64_t n;
  bool left_turned;   ///< a is [k, m]
  bool right_turned;  ///< b is [n, k]
};

Product product_of(const Op& op, const Shape& a, const Shape& b) {
  const auto* gemm = std::get_if<Gemm>(&op);
  const bool left = gemm != nullptr && gemm->transpose_a;
  const bool right = gemm != nullptr && gemm->transpose_b;
  return {a[left ? 1 : 0], a[left ? 0 : 1], b[right ? 0 : 1], left, right};
}

bool accepts_product(const Site& site) {
  const auto* gemm = std::get_if<Gemm>(&site.node.op);
  if (gemm == nullptr && !std::holds_alternative<MatMul>(site.node.op)) return false;
  if (!site.f32() || site.input(0).shape.rank() != 2 || site.input(1).shape.rank() != 2) return false;
  if (gemm != nullptr && (gemm->alpha != 1 || (site.inputs() > 2 && (gemm->beta != 1 || site.constant(2) != nullptr))))
    return false;
  const Product product = product_of(site.node.op, site.input(0).shape, site.input(1).shape);
  if (site.inputs() > 2 && site.input(2).shape != Shape{product.n}) return false;
  return product.m > 0 && product.n > 0 && product.k > 0;
}

struct Rooms {
  float* packed;
  float* left;

  Rooms(const Product& product, Room& room)
      : packed(room.take(packed_floats(product.n, product.k))),
        left(product.left_turned ? room.take(product.m * product.k) : nullptr) {}
};

void size_product(const Site& site, Step& step) {
  Room room;
  const Rooms rooms(product_of(site.node.op, site.input(0).shape, site.input(1).shape), room);
  step.shared_room = room.bytes();
}

void run_product(const Step& step, const Frame& frame) noexcept {
  const Product product = product_of(step.op, step.inputs[0].type.shape, step.inputs[1].type.shape);
  Room room(frame.shared);
  const Rooms rooms(product, room);
  const float* const b = values(frame, step, 1);
  const float* const bias = step.inputs.size() > 2 ? values(frame, step, 2) : nullptr;
  share(frame, product.k * product.n, {0, panels(product.n)}, [&](Range range) {
    const std::int64_t first = range.begin * kPanelColumns;
    const std::int64_t end = std::min(range.end * kPanelColumns, product.n);
    const std::int64_t stride = product.right_turned ? product.k : 1;
    pack_panels({.data = b + first * stride,
                 .co = end - first,
                 .k = product.k,
                 .co_stride = stride,
                 .k_stride = product.right_turned ? 1 : product.n},
                bias == nullptr ? nullptr : bias + first, rooms.packed + range.begin * panel_floats(product.k));
  });
  const float* a = values(frame, step, 0);
  if (product.left_turned) {
    transpose({.input = a, .rows = product.k, .columns = product.m, .output = rooms.left}, {0, product.m});
    a = rooms.left;
  }
  const PointwiseArgs args = {.input = a,
                              .input_pitch = product.k,
                              .ci = product.k,
                              .co = product.n,
                              .packed = rooms.packed,
                              .activation = {},
                              .output = results(frame, step, 0),
                              .output_pitch = product.n};
  if (divides_rows(product.m, product.n, frame.threads)) {
    share(frame, step.work, {0, product.m}, [&](Range rows) { pointwise(args, rows); });
  } else {
    share(frame, step.work, {0, panels(product.n)}, [&](Range range) { pointwise(args, {0, product.m}, range); });
  }
}

constexpr Candidate row() {
  Candidate candidate{"product f32", accepts_product, nullptr, run_product};
  candidate.size = size_product;
  return candidate;
}

constexpr std::array kProducts = {row()};

}  // namespace

std::span<const Candidate> product_candidates() { return kProducts; }

}  // namespace sepal
