#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace sepal {

/// What writing a file asks of the system, so that tests can let any of it fail. What is returned below 0 is an errno,
/// negated.
class Storage {
 public:
  virtual ~Storage() = default;
  virtual int create(const std::filesystem::path& path) = 0;  ///< a descriptor of a new file
  /// How many bytes were written, perhaps fewer than asked for.
  virtual std::ptrdiff_t write(int file, std::span<const std::byte> bytes) = 0;
  virtual int sync(int file) = 0;  ///< 0 once its bytes are on the disk
  virtual void close(int file) = 0;
  virtual int rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  virtual int sync_folder(const std::filesystem::path& folder) = 0;  ///< 0 once its names are on the disk
  virtual void remove(const std::filesystem::path& path) = 0;
};

/// The system's own.
Storage& disk();

/// Writes all of `bytes`; returns 0, or an errno.
int write_all(Storage& storage, int file, std::span<const std::byte> bytes);

/// Makes `path` a file of these pieces one after another, so that at any moment, also after the power has gone, it is
/// either what it was or the whole new one: a temporary file "PATH.PID.N.tmp" beside it, synced and renamed, then the
/// folder synced. Throws Error(kIo) that names `shown`; the temporary file is removed.
void replace_file(Storage& storage, const std::filesystem::path& path,
                  std::span<const std::span<const std::byte>> pieces, const std::filesystem::path& shown);

}  // namespace sepal
