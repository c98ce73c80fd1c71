#include <libexif/exif-data.h>

#include <cstring>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "sepal/formats/image_codecs.h"

// The one door to libexif.

namespace sepal {

int exif_orientation(std::span<const std::byte> tiff) {
  // libexif wants the header that JPEG puts in front and PNG leaves out.
  constexpr std::string_view kHeader("Exif\0\0", 6);
  if (tiff.size() > std::numeric_limits<unsigned>::max() - kHeader.size()) return 1;
  std::vector<unsigned char> bytes(kHeader.size() + tiff.size());
  std::memcpy(bytes.data(), kHeader.data(), kHeader.size());
  if (!tiff.empty()) std::memcpy(bytes.data() + kHeader.size(), tiff.data(), tiff.size());

  const std::unique_ptr<ExifData, void (*)(ExifData*)> data(
      exif_data_new_from_data(bytes.data(), static_cast<unsigned>(bytes.size())), exif_data_unref);
  if (data == nullptr) return 1;
  const ExifEntry* entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (entry == nullptr || entry->format != EXIF_FORMAT_SHORT || entry->components != 1 || entry->size < 2) return 1;
  const int orientation = exif_get_short(entry->data, exif_data_get_byte_order(data.get()));
  return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

}  // namespace sepal
