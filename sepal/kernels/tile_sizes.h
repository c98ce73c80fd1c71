#pragma once

namespace sepal {

/// What the kernels compute at once with the instruction set in use.
struct TileSizes {
  int product_rows = 1;     ///< of the micro-kernel: pixels (tile-inl.h)
  int product_columns = 1;  ///< output channels
  int depthwise_rows = 1;   ///< of the depthwise tile (depthwise_tile-inl.h)
  int depthwise_columns = 1;
};
TileSizes tile_sizes();

}  // namespace sepal
