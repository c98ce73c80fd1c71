#include "sepal/data/idx_gunzip.h"

#include <zlib.h>

#include <algorithm>

#include "sepal/base/text.h"

// zlib's inflate over bytes in memory. Its gz interface was not used: it opens files by name, takes one that is not
// compressed for one that is, and says only afterwards that one was cut off.

namespace sepal {

namespace {
constexpr std::size_t kPiece = std::size_t{1} << 30;  // zlib counts in 32 bits
}  // namespace

struct Gunzip::State {
  z_stream stream{};
  std::span<const std::byte> rest;  ///< what zlib was not given yet
  std::size_t made = 0;
  bool ended = false;

  /// The bytes that zlib has not read.
  std::span<const std::byte> unread() const { return {rest.data() - stream.avail_in, rest.size() + stream.avail_in}; }

  void feed() {
    const std::size_t size = std::min(rest.size(), kPiece);
    // zlib's interface is older than const.
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(rest.data()));
    stream.avail_in = static_cast<uInt>(size);
    rest = rest.subspan(size);
  }

  void end_member() {
    if (unread().empty()) {
      ended = true;
    } else if (!is_gzip(unread())) {
      invalid("{} bytes follow the gzip data", unread().size());
    } else {
      inflateReset(&stream);
    }
  }
};

bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1F} && bytes[1] == std::byte{0x8B};
}

Gunzip::Gunzip(std::span<const std::byte> bytes) : state_(std::make_unique<State>()) {
  constexpr int kGzipOnly = 16;
  state_->rest = bytes;
  if (inflateInit2(&state_->stream, MAX_WBITS + kGzipOnly) != Z_OK) fail(ErrorKind::kMemory, "zlib gets no memory");
}

Gunzip::~Gunzip() { inflateEnd(&state_->stream); }

std::size_t Gunzip::read(std::span<std::byte> out) {
  z_stream& stream = state_->stream;
  std::size_t filled = 0;
  while (filled < out.size() && !state_->ended) {
    if (stream.avail_in == 0) {
      if (state_->rest.empty()) invalid("the gzip data are cut off after {} bytes of their contents", state_->made);
      state_->feed();
    }
    const std::size_t room = std::min(out.size() - filled, kPiece);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
    stream.avail_out = static_cast<uInt>(room);
    const int code = inflate(&stream, Z_NO_FLUSH);
    const std::size_t made = room - stream.avail_out;
    filled += made;
    state_->made += made;
    if (code == Z_STREAM_END) {
      state_->end_member();
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      invalid("the gzip data are damaged after {} bytes of their contents: {}", state_->made,
              stream.msg == nullptr ? "zlib gives no reason" : stream.msg);
    }
  }
  return filled;
}

}  // namespace sepal
