// A reshape cuts both shapes, read from the left, into groups of axes with equal products: [2, 6, 4] -> [12, 2, 2]
// has the groups (2 6 -> 12) and (4 -> 2 2). The reshape may come before the transpose if each group's axes
// follow each other in the base too. Axes of length 1 belong nowhere: on the left they are left out, on the
// right they go with the axis before them.

#include "sepal/optimize/regroup.h"

#include <algorithm>
#include <vector>

namespace sepal {
namespace {

/// Axes of the value that become axes of the target.
struct Group {
  std::vector<int> from;  ///< axes of the base, longer than 1, in the value's order
  std::vector<int> to;    ///< axes of the target
};

std::optional<std::vector<Group>> groups(const Shape& base, const Permutation& permutation, const Shape& target) {
  std::vector<int> from;
  for (int axis = 0; axis < permutation.rank; ++axis) {
    if (base[permutation[axis]] != 1) from.push_back(permutation[axis]);
  }
  std::vector<Group> result;
  std::size_t left = 0;
  int right = 0;
  while (left < from.size() || right < target.rank()) {
    Group group;
    std::int64_t have = 1;
    std::int64_t want = 1;
    do {
      if (want <= have && right < target.rank()) {
        want *= target[right];
        group.to.push_back(right++);
      } else if (left < from.size()) {
        have *= base[from[left]];
        group.from.push_back(from[left++]);
      } else {
        return std::nullopt;
      }
    } while (have != want);
    while (right < target.rank() && target[right] == 1) group.to.push_back(right++);
    result.push_back(std::move(group));
  }
  return result;
}

/// Where an axis longer than 1 stands among its like in the base; -1 for the others.
std::vector<int> places(const Shape& base) {
  std::vector<int> place(static_cast<std::size_t>(base.rank()), -1);
  int count = 0;
  for (int axis = 0; axis < base.rank(); ++axis) {
    if (base[axis] != 1) place[static_cast<std::size_t>(axis)] = count++;
  }
  return place;
}

}  // namespace

bool moves_only_units(const Shape& shape, const Permutation& permutation) {
  int last = -1;
  for (int axis = 0; axis < permutation.rank; ++axis) {
    if (shape[permutation[axis]] == 1) continue;
    if (permutation[axis] < last) return false;
    last = permutation[axis];
  }
  return true;
}

std::optional<Regrouped> regroup(const Shape& base, const Permutation& permutation, const Shape& target) {
  if (base.elements() == 0) return std::nullopt;
  auto cut = groups(base, permutation, target);
  if (!cut) return std::nullopt;
  const std::vector<int> place = places(base);
  for (const Group& group : *cut) {
    for (std::size_t i = 1; i < group.from.size(); ++i) {
      if (place[static_cast<std::size_t>(group.from[i])] != place[static_cast<std::size_t>(group.from[i - 1])] + 1)
        return std::nullopt;
    }
  }
  // A group of units alone (there is one at most, in front of everything) stays in front.
  std::ranges::sort(*cut, {}, [&](const Group& group) {
    return group.from.empty() ? -1 : place[static_cast<std::size_t>(group.from[0])];
  });
  std::vector<std::int64_t> dims;
  Regrouped result;
  result.permutation.rank = target.rank();
  for (const Group& group : *cut) {
    for (const int axis : group.to) {
      result.permutation.axes[static_cast<std::size_t>(axis)] = static_cast<int>(dims.size());
      dims.push_back(target[axis]);
    }
  }
  result.shape = Shape(dims);
  return result;
}

std::optional<Permutation> gather_groups(const Shape& base, const Permutation& permutation, const Shape& target) {
  if (base.elements() == 0) return std::nullopt;
  auto cut = groups(base, permutation, target);
  if (!cut) return std::nullopt;
  const std::vector<int> place = places(base);
  const auto begins = [&](const Group& group) {
    int first = base.rank();
    for (const int axis : group.from) first = std::min(first, place[static_cast<std::size_t>(axis)]);
    return first;
  };
  std::ranges::sort(*cut, {}, begins);
  std::vector<int> order;
  for (const Group& group : *cut) order.insert(order.end(), group.from.begin(), group.from.end());
  for (int axis = 0; axis < base.rank(); ++axis) {
    if (base[axis] == 1) order.push_back(axis);
  }
  return Permutation::of(order);
}

}  // namespace sepal
