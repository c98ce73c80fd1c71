#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "sepal/base/range.h"
#include "sepal/tensor/shape.h"

namespace sepal {

/// One axis of a box: so many indices, from each to the next so many elements in what is read and in what is written.
/// A stride of 0 reads one element again and again, a negative one goes backwards.
struct MoveAxis {
  std::int64_t length = 1;
  std::int64_t from = 0;
  std::int64_t to = 0;
};

/// A box of elements that move from one array to another, outermost axis first: a part of a concatenation, a slice, a
/// transposition of any axes, a border that is filled with one value. Elements are only copied, so of their type
/// nothing is known but its size.
struct MoveArgs {
  const void* input = nullptr;  ///< where index 0, 0 ... is read; element_bytes aligned, as output
  void* output = nullptr;       ///< where it is written; must not overlap what is read
  std::int64_t element_bytes = 4;
  int rank = 0;
  std::array<MoveAxis, Shape::kMaxRank> axes{};
};

/// The same box with as few axes as will do, at least one: axes of length 1 vanish, those that follow one another in
/// both arrays become one.
MoveArgs simplified(const MoveArgs& args) noexcept;

/// Moves the elements at the indices `range` of the first axis (0 .. axes[0].length), of a box that simplified() made.
/// Allocates nothing; disjoint ranges may run at the same time.
void move(const MoveArgs& args, Range range) noexcept;

}  // namespace sepal
