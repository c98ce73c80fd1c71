#include "sepal/data/idx.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "sepal/data/idx_gunzip.h"

// An IDX file is two zero bytes, the type of an element, the number of dimensions, each dimension as a big-endian word
// of 32 bits, and the elements in row-major order.

namespace sepal {
namespace {

constexpr std::size_t kUnsignedBytes = 0x08;

/// Where the bytes of an array come from: the file as it is, or what its gzip holds.
class Source {
 public:
  explicit Source(std::span<const std::byte> bytes) : bytes_(bytes) {
    if (is_gzip(bytes)) gunzip_.emplace(bytes);
  }

  /// Fills `out` as far as there are bytes.
  std::size_t read(std::span<std::byte> out) {
    if (gunzip_) return gunzip_->read(out);
    const std::size_t size = std::min(out.size(), bytes_.size() - at_);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), size, out.begin());
    at_ += size;
    return size;
  }

  /// Throws unless what follows the header can be `size` bytes of `shape`: all that is known before reading on.
  void check_room(const Shape& shape, std::size_t size) const {
    if (!gunzip_ && size != bytes_.size() - at_) {
      invalid("an array of {} takes {} bytes, but {} follow its header", to_string(shape), size, bytes_.size() - at_);
    }
    if (gunzip_ && size / kMostInflation > bytes_.size()) {
      invalid("an array of {} takes {} bytes, more than {} of gzip can hold", to_string(shape), size, bytes_.size());
    }
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  std::optional<Gunzip> gunzip_;
};

Shape read_header(Source& source) {
  std::array<std::byte, 4> word;
  const auto next = [&](std::string_view what) {
    if (source.read(word) != word.size()) invalid("the IDX file ends within {}", what);
  };
  const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(word[i]); };
  next("its first 4 bytes");
  if (byte(0) != 0 || byte(1) != 0) {
    invalid("not an IDX file: it begins with {:02x} {:02x}, not with two zero bytes", byte(0), byte(1));
  }
  if (byte(2) != kUnsignedBytes) {
    fail(ErrorKind::kUnsupported, "IDX elements of type 0x{:02x}; unsigned bytes, 0x{:02x}, are read", byte(2),
         kUnsignedBytes);
  }
  const std::size_t rank = byte(3);
  if (rank < 1 || rank > Shape::kMaxRank)
    invalid("an IDX array of {} dimensions; 1 to {} are read", rank, Shape::kMaxRank);
  std::array<std::int64_t, Shape::kMaxRank> dims{};
  for (std::size_t axis = 0; axis < rank; ++axis) {
    next("its dimensions");
    dims[axis] = static_cast<std::int64_t>(byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3));
  }
  return Shape(std::span<const std::int64_t>(dims.data(), rank));
}

/// All `size` bytes, in memory that doubles as they come.
std::vector<std::uint8_t> read_values(Source& source, const Shape& shape, std::size_t size) {
  constexpr std::size_t kFirst = std::size_t{1} << 20;
  std::vector<std::uint8_t> values;
  while (values.size() < size) {
    const std::size_t have = values.size();
    const std::size_t want = std::min(size, std::max(kFirst, 2 * have));
    values.reserve(want);
    values.resize(want);
    const std::size_t got = source.read(std::as_writable_bytes(std::span(values).subspan(have)));
    if (have + got < want) {
      invalid("an array of {} takes {} bytes, but only {} follow its header", to_string(shape), size, have + got);
    }
  }
  std::byte more{};
  if (source.read({&more, 1}) != 0) invalid("more follows the {} bytes of an array of {}", size, to_string(shape));
  return values;
}

/// The file called `name` in one of the ways that are about, if it is there.
std::optional<std::filesystem::path> find_file(const std::filesystem::path& folder, const std::string& name) {
  std::string dotted = name;
  dotted[dotted.find("-idx")] = '.';
  for (const std::string& stem : {name, dotted}) {
    for (const char* ending : {"", ".gz"}) {
      std::error_code ignored;
      std::filesystem::path file = folder / (stem + ending);
      if (std::filesystem::is_regular_file(file, ignored)) return file;
    }
  }
  return std::nullopt;
}

std::filesystem::path need_file(const std::filesystem::path& folder, const std::string& name) {
  if (std::optional<std::filesystem::path> file = find_file(folder, name)) return *file;
  fail(ErrorKind::kIo, "{}: there is no {}, nor {}.gz", printable(folder.string()), name, name);
}

LabelledImages read_part(const std::filesystem::path& folder, const std::string& part) {
  const std::filesystem::path images = need_file(folder, part + "-images-idx3-ubyte");
  const std::filesystem::path labels = need_file(folder, part + "-labels-idx1-ubyte");
  const Tensor classes = read_idx(labels);
  if (classes.shape().rank() != 1) {
    invalid("{}: labels are an array of one dimension, not {}", printable(labels.string()), to_string(classes.shape()));
  }
  Tensor pixels = read_idx(images);
  return in_place(printable(images.string()), [&] {
    const Shape shape = pixels.shape();
    if (shape.rank() != 3 || shape.elements() == 0) {
      invalid("images are an array of count, rows and columns, none of them 0, not {}", to_string(shape));
    }
    const auto values = classes.values<std::uint8_t>();
    return LabelledImages(std::move(pixels).reshaped({shape[0], shape[1], shape[2], 1}),
                          {values.begin(), values.end()});
  });
}

Extent extent_of(const LabelledImages& part) {
  const Tensor first = part.image(0);
  return {first.shape()[0], first.shape()[1]};
}

}  // namespace

Tensor read_idx(std::span<const std::byte> bytes) {
  Source source(bytes);
  const Shape shape = read_header(source);
  const auto size = static_cast<std::size_t>(shape.elements());
  source.check_room(shape, size);
  return Tensor::of<std::uint8_t>(shape, read_values(source, shape, size));
}

Tensor read_idx(const std::filesystem::path& path) {
  const MappedFile file(path);
  return in_place(printable(path.string()), [&] { return read_idx(file.bytes()); });
}

bool is_idx_folder(const std::filesystem::path& folder) {
  return find_file(folder, "train-images-idx3-ubyte").has_value();
}

DataSet read_idx_folder(const std::filesystem::path& folder) {
  DataSet set;
  set.name = printable(folder_name(folder));
  set.source = folder;
  set.channels = 1;
  set.train = read_part(folder, "train");
  set.test = read_part(folder, "t10k");
  const Extent train = extent_of(set.train);
  const Extent test = extent_of(set.test);
  if (train != test) {
    invalid("{}: images to learn from are {} x {}, those to test with {} x {}", printable(folder.string()), train.w,
            train.h, test.w, test.h);
  }
  set.size = train;
  const auto count = *std::ranges::max_element(set.train.labels()) + 1;
  in_place(printable(folder.string()), [&] { check_labels(set.test.labels(), count); });
  set.classes = numbered_classes(count);
  return set;
}

}  // namespace sepal
