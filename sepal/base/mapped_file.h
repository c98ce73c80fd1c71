#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace sepal {

/// A regular file's bytes, mapped read-only; the mapping lives as long as this object. Move-only.
/// Throws Error(kIo) that names the file if it cannot be opened or is not a regular file.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Writes `bytes` to `path` so that the file is either the old one or the whole new one: a temporary file
/// beside it, synced, then renamed. Symbolic links are followed and stay. Into a pipe or a device, which cannot be
/// replaced, the bytes are written as they are; a pipe waits for its reader. Throws Error(kIo), also where `path` is a
/// folder; the temporary file is removed.
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);

}  // namespace sepal
