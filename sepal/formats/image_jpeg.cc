#include <csetjmp>
#include <cstdio>
// jpeglib.h needs FILE and size_t from the lines above.
#include <jerror.h>
#include <jpeglib.h>

#include <array>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "sepal/base/text.h"
#include "sepal/formats/image_codecs.h"

// The one door to libjpeg-turbo. The library reports an error by a function that must not return. Ours
// jumps back into `attempt`, over nothing but the library's own frames and a lambda of pointers, so that no
// destructor is jumped over; `attempt` then throws. Warnings are kept silent; those that say that bits were
// guessed (the data ended or no longer made sense) are errors, because an answer about invented pixels is
// worse than none.

namespace sepal {
namespace {

constexpr int kMaxScans = 100;  // a progressive image has about 10; each costs a pass over all blocks

class JpegReader {
 public:
  JpegReader() {
    jpeg_.err = jpeg_std_error(&errors_);
    jpeg_.client_data = this;
    errors_.error_exit = on_error;
    errors_.emit_message = on_message;
    errors_.output_message = [](j_common_ptr) {};
    progress_.progress_monitor = on_progress;
  }
  ~JpegReader() { jpeg_destroy_decompress(&jpeg_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  StoredImage read(std::span<const std::byte> bytes) {
    attempt([this, bytes] {
      jpeg_create_decompress(&jpeg_);
      jpeg_.progress = &progress_;
      jpeg_mem_src(&jpeg_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
      jpeg_save_markers(&jpeg_, kExifMarker, 0xFFFF);
      jpeg_read_header(&jpeg_, TRUE);
    });
    check_header(bytes.size());
    StoredImage image;
    for (const jpeg_marker_struct* marker = jpeg_.marker_list; marker != nullptr; marker = marker->next) {
      constexpr std::string_view kHeader("Exif\0\0", 6);
      const auto data = std::as_bytes(std::span(marker->data, marker->data_length));
      if (marker->marker == kExifMarker && data.size() >= kHeader.size() &&
          std::memcmp(data.data(), kHeader.data(), kHeader.size()) == 0) {
        image.orientation = exif_orientation(data.subspan(kHeader.size()));
        break;
      }
    }
    attempt([this] { jpeg_start_decompress(&jpeg_); });
    image.pixels = Tensor(DataType::kU8, {jpeg_.output_height, jpeg_.output_width, jpeg_.output_components});
    unsigned char* const pixels = image.pixels.values<std::uint8_t>().data();
    attempt([this, pixels] {
      const std::size_t stride = std::size_t{jpeg_.output_width} * static_cast<std::size_t>(jpeg_.output_components);
      while (jpeg_.output_scanline < jpeg_.output_height) {
        unsigned char* row = pixels + jpeg_.output_scanline * stride;
        jpeg_read_scanlines(&jpeg_, &row, 1);
      }
      jpeg_finish_decompress(&jpeg_);  // reads up to the end marker, so that no cut goes unnoticed
    });
    if (jpeg_.out_color_space == JCS_CMYK) image.pixels = rgb_of_cmyk(image.pixels);
    return image;
  }

 private:
  static constexpr int kExifMarker = JPEG_APP0 + 1;

  /// Runs `step`, a lambda over libjpeg that owns nothing; throws what it reports.
  template <typename Step>
  void attempt(Step step) {
    static_assert(std::is_trivially_destructible_v<Step>);
    if (setjmp(jump_) == 0) {
      step();
      return;
    }
    switch (reason_) {
      case Reason::kCutOff:
        invalid("a broken JPEG: the file ends before the image does");
      case Reason::kScans:
        fail(ErrorKind::kUnsupported, "a JPEG of more than {} scans", kMaxScans);
      case Reason::kLibrary:
        break;
    }
    switch (errors_.msg_code) {
      case JERR_OUT_OF_MEMORY:
        fail(ErrorKind::kMemory, "not enough memory for the JPEG");
      case JERR_BAD_PRECISION:
      case JERR_SOF_UNSUPPORTED:
        fail(ErrorKind::kUnsupported, "a JPEG of a kind that is not read: {}", message_.data());
      default:
        invalid("a broken JPEG: {}", message_.data());
    }
  }

  void check_header(std::size_t length) {
    const Extent size = {jpeg_.image_height, jpeg_.image_width};
    check_pixels(size);
    if (jpeg_.arith_code != FALSE)
      fail(ErrorKind::kUnsupported, "a JPEG with arithmetic coding; Huffman coding is read");
    // Huffman codes have at least one bit, and each block has at least the one of its mean value.
    std::uint64_t blocks = 0;
    for (const jpeg_component_info& component :
         std::span(jpeg_.comp_info, static_cast<std::size_t>(jpeg_.num_components))) {
      blocks += std::uint64_t{component.width_in_blocks} * component.height_in_blocks;
    }
    if (blocks / 8 > length) invalid("a JPEG of {} x {} pixels cannot fit into {} bytes", size.w, size.h, length);
    switch (jpeg_.jpeg_color_space) {
      case JCS_GRAYSCALE:
        jpeg_.out_color_space = JCS_GRAYSCALE;
        break;
      case JCS_RGB:
      case JCS_YCbCr:
        jpeg_.out_color_space = JCS_RGB;
        break;
      case JCS_CMYK:
      case JCS_YCCK:
        jpeg_.out_color_space = JCS_CMYK;
        break;
      default:
        fail(ErrorKind::kUnsupported, "a JPEG of {} channels; grey, RGB, YCbCr, CMYK and YCCK are read",
             jpeg_.num_components);
    }
  }

  /// Ink stored inverted, as Adobe does and every reader expects: 255 is none of it.
  static Tensor rgb_of_cmyk(const Tensor& cmyk) {
    Tensor rgb(DataType::kU8, cmyk.shape().with(2, 3));
    const std::span<const std::uint8_t> from = cmyk.values<std::uint8_t>();
    const std::span<std::uint8_t> to = rgb.values<std::uint8_t>();
    for (std::size_t pixel = 0; pixel < to.size() / 3; ++pixel) {
      for (std::size_t c = 0; c < 3; ++c) {
        to[pixel * 3 + c] = static_cast<std::uint8_t>((from[pixel * 4 + c] * from[pixel * 4 + 3] + 127) / 255);
      }
    }
    return rgb;
  }

  enum class Reason { kLibrary, kCutOff, kScans };

  [[noreturn]] void leave(Reason reason) {
    reason_ = reason;
    std::longjmp(jump_, 1);
  }

  [[noreturn]] static void on_error(j_common_ptr common) {
    auto* self = static_cast<JpegReader*>(common->client_data);
    common->err->format_message(common, self->message_.data());
    self->leave(Reason::kLibrary);
  }

  static void on_message(j_common_ptr common, int level) {
    if (level >= 0) return;  // a remark, not a warning
    switch (common->err->msg_code) {
      case JWRN_JPEG_EOF:
        static_cast<JpegReader*>(common->client_data)->leave(Reason::kCutOff);
      case JWRN_HIT_MARKER:     // a marker amid the data
      case JWRN_HUFF_BAD_CODE:  // bits that are no code
      case JWRN_MUST_RESYNC:    // a restart marker out of order
        on_error(common);
      default:
        return;  // bytes that are skipped, versions unheard of: the pixels are whole
    }
  }

  static void on_progress(j_common_ptr common) {
    auto* self = static_cast<JpegReader*>(common->client_data);
    if (self->jpeg_.input_scan_number > kMaxScans) self->leave(Reason::kScans);
  }

  jpeg_decompress_struct jpeg_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf jump_{};
  Reason reason_ = Reason::kLibrary;
  std::array<char, JMSG_LENGTH_MAX> message_{};
};

}  // namespace

StoredImage decode_jpeg(std::span<const std::byte> bytes) { return JpegReader().read(bytes); }

}  // namespace sepal
