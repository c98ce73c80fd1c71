// Everything that only moves elements, by strides. What follows one another in both arrays moves as one run, by memcpy
// or, where it is as short as an element or a pixel, by a copy of a size known here; the axis around the runs is the
// line. Lines that read far apart (a transposition) go block by block, so that the input lines that one of them meets
// are still in L1 when the next one comes. No vectors of ours: the compiler's copies are as wide as can be.

#include "sepal/kernels/move.h"

#include <algorithm>
#include <cstring>

#include "sepal/kernels/tile.h"

namespace sepal {
namespace {

/// Runs of a line, strides in bytes.
struct Line {
  std::int64_t count;
  std::int64_t from;
  std::int64_t to;
};

template <std::size_t kBytes>
void copy_line(const std::byte* input, std::byte* output, const Line& line) {
  struct Run {
    std::byte bytes[kBytes];
  };
  Run run;
  if (line.from == 0) {  // a fill
    std::memcpy(&run, input, kBytes);
    if (line.to == static_cast<std::int64_t>(kBytes)) {
      for (std::int64_t i = 0; i < line.count; ++i) std::memcpy(output + i * std::int64_t{kBytes}, &run, kBytes);
      return;
    }
    for (std::int64_t i = 0; i < line.count; ++i) std::memcpy(output + i * line.to, &run, kBytes);
    return;
  }
  if (line.to == static_cast<std::int64_t>(kBytes)) {
    for (std::int64_t i = 0; i < line.count; ++i) {
      std::memcpy(output + i * std::int64_t{kBytes}, input + i * line.from, kBytes);
    }
    return;
  }
  for (std::int64_t i = 0; i < line.count; ++i) std::memcpy(output + i * line.to, input + i * line.from, kBytes);
}

void copy_runs(const std::byte* input, std::byte* output, const Line& line, std::int64_t bytes) {
  switch (bytes) {
    case 1:
      return copy_line<1>(input, output, line);
    case 2:
      return copy_line<2>(input, output, line);
    case 4:
      return copy_line<4>(input, output, line);
    case 8:
      return copy_line<8>(input, output, line);
    case 12:
      return copy_line<12>(input, output, line);
    case 16:
      return copy_line<16>(input, output, line);
    case 32:
      return copy_line<32>(input, output, line);
    case 64:
      return copy_line<64>(input, output, line);
    default:
      for (std::int64_t i = 0; i < line.count; ++i) {
        std::memcpy(output + i * line.to, input + i * line.from, static_cast<std::size_t>(bytes));
      }
  }
}

/// Bytes up to which a fill is laid out once and then copied as a whole.
constexpr std::int64_t kShortFill = 64;

/// The axes from `axis` to `line` (not included), then the line.
void copy_axes(const MoveArgs& args, int axis, int line_axis, const std::byte* input, std::byte* output,
               const Line& line, std::int64_t bytes) {
  if (axis == line_axis) return copy_runs(input, output, line, bytes);
  const MoveAxis& outer = args.axes[static_cast<std::size_t>(axis)];
  for (std::int64_t i = 0; i < outer.length; ++i) {
    copy_axes(args, axis + 1, line_axis, input, output, line, bytes);
    input += outer.from * args.element_bytes;
    output += outer.to * args.element_bytes;
  }
}

}  // namespace

MoveArgs simplified(const MoveArgs& args) noexcept {
  MoveArgs result = args;
  result.rank = 0;
  for (int axis = 0; axis < args.rank; ++axis) {
    const MoveAxis& next = args.axes[static_cast<std::size_t>(axis)];
    if (next.length == 1) continue;
    if (result.rank > 0) {
      MoveAxis& last = result.axes[static_cast<std::size_t>(result.rank - 1)];
      if (last.from == next.length * next.from && last.to == next.length * next.to) {
        last = {last.length * next.length, next.from, next.to};
        continue;
      }
    }
    result.axes[static_cast<std::size_t>(result.rank++)] = next;
  }
  if (result.rank == 0) result.axes[static_cast<std::size_t>(result.rank++)] = {1, 1, 1};
  return result;
}

void move(const MoveArgs& args, Range range) noexcept {
  MoveArgs box = args;
  const std::int64_t size = args.element_bytes;
  const auto* input = static_cast<const std::byte*>(args.input) + range.begin * args.axes[0].from * size;
  auto* output = static_cast<std::byte*>(args.output) + range.begin * args.axes[0].to * size;
  box.axes[0].length = range.size();
  for (int axis = 0; axis < box.rank; ++axis) {
    if (box.axes[static_cast<std::size_t>(axis)].length == 0) return;
  }
  // The run, then the line around it. A short fill becomes a run: of a few copies of its element.
  std::byte filling[kShortFill];
  int axis = box.rank - 1;
  std::int64_t bytes = size;
  const MoveAxis& last = box.axes[static_cast<std::size_t>(axis)];
  if (last.to == 1 && last.from == 1) {
    bytes *= last.length;
    --axis;
  } else if (axis > 0 && last.to == 1 && last.from == 0 && last.length * size <= kShortFill &&
             box.axes[static_cast<std::size_t>(axis - 1)].from == 0) {
    copy_runs(input, filling, {last.length, 0, size}, size);
    input = filling;
    bytes *= last.length;
    --axis;
  }
  if (axis < 0) {
    std::memcpy(output, input, static_cast<std::size_t>(bytes));
    return;
  }
  const MoveAxis& around = box.axes[static_cast<std::size_t>(axis)];
  Line line = {around.length, around.from * size, around.to * size};
  const bool far = bytes < kMoveFar && line.from >= kMoveFar && axis > 0;
  const std::int64_t block = far ? kMoveBlock : line.count;
  for (std::int64_t begin = 0; begin < around.length; begin += block) {
    line.count = std::min(block, around.length - begin);
    copy_axes(box, 0, axis, input + begin * line.from, output + begin * line.to, line, bytes);
  }
}

}  // namespace sepal
