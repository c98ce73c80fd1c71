#pragma once

// Damaged copies of good files, for tests that read them: whatever the bytes, a reader answers or throws
// Error. The generator is seeded and uses no distribution of the standard library, so that a count and a
// seed give the same files with every compiler.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace sepal {

/// How many mutations a test makes: SEPAL_MUTATIONS where it is set, else `usual`.
inline int mutations(int usual) {
  const char* given = std::getenv("SEPAL_MUTATIONS");
  return given == nullptr ? usual : std::max(1, std::atoi(given));
}

/// A number from 0 .. below - 1; 0 where `below` is 0.
inline std::size_t pick(std::mt19937_64& random, std::size_t below) {
  return below == 0 ? 0 : static_cast<std::size_t>(random() % below);
}

/// `good` after one to four edits: flipped bits, bytes and words set to what lengths and counts break at
/// (in either byte order), ranges removed, doubled, copied over others or cleared, an end cut off.
inline std::vector<std::byte> mutate(std::span<const std::byte> good, std::mt19937_64& random) {
  constexpr std::array<std::uint64_t, 16> kEdges = {0,
                                                    1,
                                                    0x7F,
                                                    0x80,
                                                    0xFF,
                                                    0x100,
                                                    0x7FFF,
                                                    0x8000,
                                                    0xFFFF,
                                                    0x10000,
                                                    0x7FFFFFFF,
                                                    0x80000000,
                                                    0xFFFFFFFF,
                                                    0x100000000,
                                                    0x7FFFFFFFFFFFFFFF,
                                                    0xFFFFFFFFFFFFFFFF};
  std::vector<std::byte> bytes(good.begin(), good.end());
  const auto at = [&](std::size_t index) { return bytes.begin() + static_cast<std::ptrdiff_t>(index); };
  for (std::size_t edits = 1 + pick(random, 4); edits > 0 && !bytes.empty(); --edits) {
    const std::size_t begin = pick(random, bytes.size());
    // Mostly short ranges: a long one leaves nothing of the file to be read.
    const std::size_t length =
        1 + pick(random, std::min(bytes.size() - begin, std::size_t{1} << (1 + pick(random, 10))));
    const std::size_t end = begin + std::min(length, bytes.size() - begin);
    switch (pick(random, 8)) {
      case 0:
      case 1:
        bytes[begin] ^= std::byte{1} << static_cast<int>(pick(random, 8));
        break;
      case 2:
        bytes[begin] = static_cast<std::byte>(random());
        break;
      case 3: {  // a length, a count or a dimension
        const std::uint64_t value = kEdges[pick(random, kEdges.size())] + pick(random, 3) - 1;
        const std::size_t width = std::min(std::size_t{1} << pick(random, 4), bytes.size() - begin);
        const bool big_endian = pick(random, 2) == 0;
        for (std::size_t i = 0; i < width; ++i) {
          bytes[begin + (big_endian ? width - 1 - i : i)] = static_cast<std::byte>(value >> (8 * i));
        }
        break;
      }
      case 4:
        bytes.erase(at(begin), at(end));
        break;
      case 5: {  // a range twice
        const std::vector<std::byte> range(at(begin), at(end));
        bytes.insert(at(end), range.begin(), range.end());
        break;
      }
      case 6: {  // a range over another, or cleared
        const std::vector<std::byte> range(at(begin), at(end));
        const std::size_t target = pick(random, bytes.size() - range.size() + 1);
        if (pick(random, 4) == 0) {
          std::fill(at(begin), at(end), std::byte{0});
        } else {
          std::copy(range.begin(), range.end(), at(target));
        }
        break;
      }
      default:
        if (pick(random, 4) == 0) bytes.resize(begin);
        break;
    }
  }
  return bytes;
}

}  // namespace sepal
