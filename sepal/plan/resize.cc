// Resize of images by the nearest pixel or by two by two. Where pixels lie is computed once, when the plan is made, by
// the reference's own functions: the many conventions stand in one place.

#include "sepal/kernels/resize.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "sepal/kernels/reference/resize.h"
#include "sepal/plan/frame.h"
#include "sepal/plan/select.h"

namespace sepal {
namespace {

/// A resize as one of images [n, h, w, c], whatever axes they are: those before the first that is resampled are n,
/// those after the last are c. Where there is one alone, it is h.
struct Images {
  Shape input;
  Shape output;
  int rows = 0;
  int columns = -1;  ///< the axis, or none
};

/// Nothing if more than two axes are resampled, or two that are not neighbours.
std::optional<Images> images_of(const Resample& how, const Shape& input, const Shape& output) {
  const int rank = output.rank();
  int first = 0;
  while (first < rank && reference::keeps_axis(how, input, output, first)) ++first;
  if (first == rank) first = 0;
  int end = std::max(reference::resampled_axes(how, input, output), first + 1);
  if (rank == 0 || end - first > 2) return std::nullopt;
  const bool both = end - first == 2;
  const auto image = [&](const Shape& shape) {
    return Shape{shape.elements(0, first), shape[first], both ? shape[first + 1] : 1, shape.elements(end, rank)};
  };
  return Images{image(input), image(output), first, both ? first + 1 : -1};
}

bool accepts_resize(const Site& site) {
  const auto* op = std::get_if<Resize>(&site.node.op);
  if (op == nullptr || !site.f32()) return false;
  const Resample& how = op->how;
  const Shape& input = site.input(0).shape;
  if ((how.mode != ResizeMode::kNearest && how.mode != ResizeMode::kLinear) || how.antialias || how.exclude_outside ||
      how.coordinate == ResizeCoordinate::kTfCropAndResize || input.elements() == 0 ||
      site.output().shape.elements() == 0) {
    return false;
  }
  const auto images = images_of(how, input, site.output().shape);
  return images && images->input.elements(2, 4) <= std::numeric_limits<std::int32_t>::max() - kResizePadding;
}

/// Entries of the tables of rows and of columns.
std::int64_t row_entries(const Shape& output) { return output.h(); }
std::int64_t column_entries(const Shape& output) {
  return resize_pixelwise(output.c()) ? output.w() : output.w() * output.c() + kResizePadding;
}

/// The tables of one axis. They lie one after another, each of `entries`, from entry `begin` of the memory on.
struct Tables {
  std::int32_t* first;
  std::int32_t* second;
  float* first_share;
  float* second_share;
};

constexpr std::int64_t kEntryBytes = 2 * sizeof(std::int32_t) + 2 * sizeof(float);

Tables tables_at(const AlignedBytes& memory, std::int64_t begin, std::int64_t entries) {
  auto* places = reinterpret_cast<std::int32_t*>(memory.data() + kEntryBytes * begin);
  auto* shares = reinterpret_cast<float*>(places + 2 * entries);
  return {places, places + entries, shares, shares + entries};
}

struct Place {
  std::int64_t first;
  std::int64_t second;
  float first_share;
  float second_share;
};

/// Where position i of an axis is found; axis -1 has one position.
Place place_of(const Resize& op, const Shape& input, int axis, std::int64_t i) {
  const Resample& how = op.how;
  if (axis < 0 || reference::keeps_axis(how, input, op.size, axis)) return {i, i, 0.5f, 0.5f};
  const std::int64_t length = input[axis];
  if (how.mode == ResizeMode::kNearest) {
    const auto place = reference::input_place<float>(how, axis, i, length, op.size[axis]);
    return {reference::nearest_to(how.nearest, place, length), 0, 1, 0};
  }
  const reference::Neighbours near = reference::neighbours(how, axis, i, length, op.size[axis]);
  const auto inside = [&](std::int64_t at) { return std::clamp<std::int64_t>(at, 0, length - 1); };
  if (near.count == 1) return {inside(near.first), inside(near.first), 0.5f, 0.5f};
  return {inside(near.first), inside(near.first + 1), static_cast<float>(reference::weight_of(how, near, 0, length)),
          static_cast<float>(reference::weight_of(how, near, 1, length))};
}

void prepare_resize(const Site& site, Step& step) {
  const auto& op = std::get<Resize>(site.node.op);
  const Shape& input = site.input(0).shape;
  const Images images = *images_of(op.how, input, op.size);
  const Shape& output = images.output;
  const std::int64_t c = output.c();
  const std::int64_t rows = row_entries(output);
  const std::int64_t columns = column_entries(output);
  const auto memory = std::make_shared<AlignedBytes>(static_cast<std::size_t>(kEntryBytes * (rows + columns)));
  std::memset(memory->data(), 0, memory->size());
  const auto put = [](const Tables& tables, std::int64_t i, const Place& place, std::int64_t pitch, std::int64_t by) {
    tables.first[i] = static_cast<std::int32_t>(place.first * pitch + by);
    tables.second[i] = static_cast<std::int32_t>(place.second * pitch + by);
    tables.first_share[i] = place.first_share;
    tables.second_share[i] = place.second_share;
  };
  const Tables along_rows = tables_at(*memory, 0, rows);
  for (std::int64_t y = 0; y < output.h(); ++y) put(along_rows, y, place_of(op, input, images.rows, y), 1, 0);
  const Tables along_columns = tables_at(*memory, rows, columns);
  const std::int64_t each = resize_pixelwise(c) ? 1 : c;  // entries of a pixel
  for (std::int64_t x = 0; x < output.w(); ++x) {
    const Place place = place_of(op, input, images.columns, x);
    for (std::int64_t k = 0; k < each; ++k) put(along_columns, x * each + k, place, c, k);
  }
  step.packed = memory;
}

void run_resize(const Step& step, const Frame& frame) noexcept {
  const auto& op = std::get<Resize>(step.op);
  const Images images = *images_of(op.how, step.inputs[0].type.shape, op.size);
  const bool nearest = op.how.mode == ResizeMode::kNearest;
  const Shape& output = images.output;
  const auto axis = [&](std::int64_t begin, std::int64_t entries) {
    const Tables tables = tables_at(*step.packed, begin, entries);
    if (nearest) return ResizeAxis{.first = tables.first};
    return ResizeAxis{tables.first, tables.second, tables.first_share, tables.second_share};
  };
  const ResizeArgs args{.input = {frame.view<float>(step.inputs[0]).data, images.input},
                        .rows = axis(0, row_entries(output)),
                        .columns = axis(row_entries(output), column_entries(output)),
                        .output = {frame.output<float>(step.outputs[0]).data, output}};
  share(frame, step.work, {0, output.n() * output.h()}, [&](Range rows) { resize(args, rows); });
}

constexpr std::array kResizes = {
    Candidate{"resize f32", accepts_resize, prepare_resize, run_resize},
};

}  // namespace

std::span<const Candidate> resize_candidates() { return kResizes; }

}  // namespace sepal
