#pragma once

#include <cstdint>

// Every size that was tuned rather than derived stands here, so that a kernel's text shows the idea and
// this file shows the machine that it was fitted to.

namespace sepal {

/// Columns (output channels) of a packed panel: two vectors of AVX-512, four of AVX2, eight of SSE4. One
/// width for every instruction set, so that weights are packed once and any of them can read the panel.
inline constexpr std::int64_t kPanelColumns = 32;

/// Vectors across one tile of the product, and rows by the size of the register file: rows x 2 sums, two
/// vectors of the filter and one broadcast value must fit. 7 rows also divide 7, 14, 28, 56 and 112.
inline constexpr int kTileVectors = 2;
inline constexpr int kTileRowsOf32Registers = 7;
inline constexpr int kTileRowsOf16Registers = 6;

/// Terms of a product between two requests for weights to come, the floats of a cache line, and the tiles of a column
/// over which the next panel's lines are spread.
inline constexpr std::int64_t kAheadTerms = 4;
inline constexpr std::int64_t kLineFloats = 16;
inline constexpr std::int64_t kAheadTiles = 8;

/// Vectors of sums that a product of a single row keeps at once: a tile of one row would have too few in flight to hide
/// the latency of an FMA, so it goes through several panels side by side.
inline constexpr int kRowVectors = 8;

/// Floats that a tile at the edge of an image may copy out so as to read its taps in runs.
inline constexpr std::int64_t kNeighbourhoodFloats = 2048;

/// Bytes of input rows that a product goes through panel by panel before it takes the next rows: with the panel beside
/// them they stay in L2. (Xception: 256 KiB 1.015 of the time, 512 KiB 1.01, 640 KiB 1.03.)
inline constexpr std::int64_t kRowBlockBytes = 384 * 1024;

/// Bytes of a panel that stay in L2 beside the rows that meet it, and as much again that is on its way; a dense
/// convolution goes through larger ones in parts.
inline constexpr std::int64_t kPanelBytes = 300 * 1024;

/// Output columns that a depthwise tile computes at once.
inline constexpr int kDepthwiseColumnsOf32Registers = 7;
inline constexpr int kDepthwiseColumnsOf16Registers = 4;

/// Output columns of the widest depthwise tile for any window, and the columns of input that one may copy out.
inline constexpr int kAnyColumnsOf32Registers = 14;
inline constexpr int kAnyColumnsOf16Registers = 7;
inline constexpr std::int64_t kAnyColumnsSeen = 96;

/// Vectors of channels that a spatial mean adds up at once.
inline constexpr int kMeanVectors = 8;

/// Side of the square that a transposition moves at once: 64 x 64 x 4 bytes to read and as many to write
/// fit into L1.
inline constexpr std::int64_t kTransposeBlock = 64;

/// Bytes of the rows that a block of a training step's product keeps in L2 (x, dx and dy), and of the sums of a
/// filter's gradient that are kept apart for threads.
inline constexpr std::int64_t kTrainingBlockBytes = 1280 * 1024;
inline constexpr std::int64_t kGradientPartsBytes = 4 * 1024 * 1024;

/// Bytes of dy up to which its small images go together: they stay in L2 while the filter's gradient passes by.
inline constexpr std::int64_t kGradientImagesBytes = 768 * 1024;

/// Most cache lines of the next block's rows that a product asks for between a few terms.
inline constexpr std::int64_t kMostLinesAtOnce = 6;

/// Bytes of the rows of x and dy that the filter's gradient of a dense convolution goes over again and again.
inline constexpr std::int64_t kGradientBandBytes = 384 * 1024;

/// A depthwise layer's gradients go by bands of rows. Bytes of a band of one group of channels, which stays in L1: x as
/// it is read, dx, and the rows of dy that they hear; bytes of the ring of those rows of dy, of all channels, which
/// stays in L2; and the most rows of x.
inline constexpr std::int64_t kBandBytes = 28 * 1024;
inline constexpr std::int64_t kDyRingBytes = 192 * 1024;
inline constexpr std::int64_t kMostBandRows = 32;

/// Bytes of a result from which a training step writes it past the caches: it is read again after everything else.
inline constexpr std::int64_t kStreamedBytes = 4 * 1024 * 1024;

/// Bytes between two runs from which on a line of them is moved in blocks, of so many runs: a cache line each, an
/// eighth of L1 together.
inline constexpr std::int64_t kMoveFar = 64;
inline constexpr std::int64_t kMoveBlock = 64;

}  // namespace sepal
