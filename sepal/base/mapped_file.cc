#include "sepal/base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sepal/base/storage.h"
#include "sepal/base/text.h"

namespace sepal {
namespace {

/// A file descriptor that closes itself.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

[[noreturn]] void io_error(const std::filesystem::path& path, const char* what, int code) {
  fail(code == ENOMEM ? ErrorKind::kMemory : ErrorKind::kIo, "{}: {}: {}", printable(path.string()), what,
       std::strerror(code));
}

/// A pipe or a device: there is nothing to replace, and what was written cannot be taken back.
void write_through(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  const Descriptor file{::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY)};
  if (file.fd < 0) io_error(path, "cannot be written", errno);
  if (const int code = write_all(disk(), file.fd, bytes); code != 0) io_error(path, "cannot be written", code);
}

/// Where `path` leads, also where nothing is there yet: a link stays, and what it names is written.
std::filesystem::path behind_links(std::filesystem::path path) {
  constexpr int kMostLinks = 40;  // as many as Linux follows
  std::error_code problem;
  for (int i = 0; i < kMostLinks; ++i) {
    const std::filesystem::path target = std::filesystem::read_symlink(path, problem);
    if (problem) break;
    path = path.parent_path() / target;
  }
  return path;
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a named pipe must not wait for a writer; a regular file does not mind.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) io_error(path, "cannot be opened", errno);
  struct stat status{};
  if (::fstat(file.fd, &status) != 0) io_error(path, "cannot be read", errno);
  if (S_ISDIR(status.st_mode)) fail(ErrorKind::kIo, "{}: is a folder, not a file", printable(path.string()));
  if (!S_ISREG(status.st_mode)) fail(ErrorKind::kIo, "{}: is not a regular file", printable(path.string()));
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (address == MAP_FAILED) io_error(path, "cannot be mapped", errno);
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) io_error(path, "cannot be written", errno);
  } else if (S_ISDIR(status.st_mode)) {
    fail(ErrorKind::kIo, "{}: is a folder, not a file", printable(path.string()));
  } else if (!S_ISREG(status.st_mode)) {
    return write_through(path, bytes);
  }
  replace_file(disk(), behind_links(path), std::array{bytes}, path);
}

}  // namespace sepal
