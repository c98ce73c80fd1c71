#pragma once

// What convolutions and pooling share: their attributes as a Window, and 1-D as 2-D of one row.

#include "sepal/formats/onnx_import.h"
#include "sepal/tensor/window.h"

namespace sepal::onnx {

/// Number of spatial axes (1 or 2) of an input [n, c, ...]. Throws Error(kUnsupported) for 3-D,
/// Error(kInvalid) for anything else.
int spatial_axes(const NodeImport& node, const Shape& input, std::string_view what);

/// Two numbers per spatial axis of that attribute as (h, w), 1-D as h = `otherwise`; both `otherwise` where
/// it is absent.
Extent read_extent(const NodeImport& node, std::string_view attribute, int axes, std::int64_t otherwise);

/// Stride, dilation and (unless auto_pad says otherwise) padding of the node, under that kernel.
Window read_window(const NodeImport& node, int axes, Extent kernel);

/// The kernel's extent from the filter [.., .., kh, kw], which `kernel_shape`, if there, must repeat.
Extent filter_extent(const NodeImport& node, const Shape& filter, int axes);

enum class AutoPad { kNone, kValid, kSameUpper, kSameLower };
AutoPad read_auto_pad(const NodeImport& node);

/// `total` rows or columns of padding, shared between the two sides; the odd one goes after (upper) or before.
void share_padding(std::int64_t total, bool upper, std::int64_t& before, std::int64_t& after);

/// Padding by auto_pad such that the window over `input` gives ceil(input / stride) outputs (SAME), or none
/// (VALID). Nothing changes without auto_pad.
void resolve_auto_pad(const NodeImport& node, Extent input, Window& window);

/// An input [n, c, w] as [n, c, 1, w]; [n, c, h, w] stays. Transposes come after all such reshapes of a node, and
/// before all those of image_out: a writer leaves them out, and a reader must put them back in the same place.
ValueId image_in(NodeImport& node, ValueId value, int axes, std::string_view suffix = "in");
/// And back: the result [n, c, h, w] as the file lays it out.
ValueId image_out(NodeImport& node, ValueId value, int axes, std::string_view suffix = "out");

}  // namespace sepal::onnx
