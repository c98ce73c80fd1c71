#include "sepal/base/storage.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "sepal/base/text.h"

namespace sepal {
namespace {

int code_of(int result) { return result < 0 ? -errno : result; }

class Disk : public Storage {
 public:
  int create(const std::filesystem::path& path) override {
    return code_of(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  }
  std::ptrdiff_t write(int file, std::span<const std::byte> bytes) override {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    return written < 0 ? -errno : written;
  }
  int sync(int file) override { return code_of(::fsync(file)); }
  void close(int file) override { ::close(file); }
  int rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    return code_of(std::rename(from.c_str(), to.c_str()));
  }
  int sync_folder(const std::filesystem::path& folder) override {
    const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return -errno;
    const int result = code_of(::fsync(file));
    ::close(file);
    // Some file systems cannot sync a folder, and keep its names in order without.
    return result == -EINVAL || result == -ENOTSUP ? 0 : result;
  }
  void remove(const std::filesystem::path& path) override { ::unlink(path.c_str()); }
};

/// Writes the temporary file; returns 0, or an errno.
int write_new(Storage& storage, const std::filesystem::path& path, std::span<const std::span<const std::byte>> pieces) {
  const int file = storage.create(path);
  if (file < 0) return -file;
  int code = 0;
  for (const std::span<const std::byte> piece : pieces) {
    if (code == 0) code = write_all(storage, file, piece);
  }
  if (code == 0) code = -storage.sync(file);
  storage.close(file);
  return code;
}

}  // namespace

Storage& disk() {
  static Disk storage;
  return storage;
}

int write_all(Storage& storage, int file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::ptrdiff_t written = storage.write(file, bytes);
    if (written > 0) bytes = bytes.subspan(std::min(bytes.size(), static_cast<std::size_t>(written)));
    if (written == 0) return ENOSPC;
    if (written < 0 && written != -EINTR) return static_cast<int>(-written);
  }
  return 0;
}

void replace_file(Storage& storage, const std::filesystem::path& path,
                  std::span<const std::span<const std::byte>> pieces, const std::filesystem::path& shown) {
  static std::atomic<unsigned> count = 0;
  std::filesystem::path temporary = path;
  temporary += format(".{}.{}.tmp", ::getpid(), count++);
  int code = write_new(storage, temporary, pieces);
  if (code == 0) code = -storage.rename(temporary, path);
  if (code != 0) {
    storage.remove(temporary);
  } else {
    const std::filesystem::path folder = path.parent_path();
    code = -storage.sync_folder(folder.empty() ? "." : folder);
  }
  if (code != 0) fail(ErrorKind::kIo, "{}: cannot be written: {}", printable(shown.string()), std::strerror(code));
}

}  // namespace sepal
