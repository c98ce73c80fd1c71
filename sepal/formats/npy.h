#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "sepal/tensor/tensor.h"

#pragma GCC visibility push(default)

namespace sepal {

/// Reads an array in numpy's .npy format, versions 1 to 3, of either byte order; one in Fortran order is
/// brought into C order. float64 is read as f32, uint32 and uint64 as i64, where every value survives. A
/// nonzero byte of a bool array is true.
/// Throws Error(kInvalid) if the header is not one, if the data are not exactly as long as the header
/// says (which is checked before memory is taken), if a float64 is no f32 or a uint64 is above 2^63 - 1, and
/// Error(kUnsupported) for the types that a tensor does not have: complex, structured, text, objects. Format:
/// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
Tensor read_npy(std::span<const std::byte> bytes);

/// The same from a file, whose name stands in front of every message. Throws Error(kIo) as well.
Tensor read_npy(const std::filesystem::path& path);

/// What becomes of a float64 that f32 does not hold.
enum class Doubles : std::uint8_t {
  kExact,    ///< refused
  kRounded,  ///< rounded, for those who compute in f32 what is declared in double precision; refused only beyond
             ///< f32's range
};

/// An array as a tensor of type `wanted`: read as it stands in the file, and converted by value where every value
/// survives (float64 and uint64 directly, so 123456789.0 becomes an i32 and 2^63 an f32). `doubles` is for f32.
/// Throws as read_npy and `converted`, and Error(kInvalid) that names the first value that does not survive.
Tensor read_npy(std::span<const std::byte> bytes, DataType wanted, Doubles doubles = Doubles::kExact);
Tensor read_npy(const std::filesystem::path& path, DataType wanted, Doubles doubles = Doubles::kExact);

/// `tensor` as a .npy file of version 1 in C order, little-endian. bf16, for which numpy has no name, is
/// written as float32, which holds every value of it.
std::vector<std::byte> to_npy(const ConstBuffer& tensor);

/// Writes to_npy(tensor) to `path`: the whole file or none of it. Throws Error(kIo).
void write_npy(const std::filesystem::path& path, const ConstBuffer& tensor);

}  // namespace sepal

#pragma GCC visibility pop
