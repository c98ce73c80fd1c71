// Event files are TensorFlow's record files: each record is its length (u64), a checksum of that, the bytes and their
// checksum, all little-endian. A checksum is a CRC-32C, turned by 15 bits and moved by a constant so that a checksum
// over bytes that hold checksums stays a good one (tensorflow/core/lib/hash/crc32c.h). The bytes are an Event
// (tensorflow/core/util/event.proto): 1 wall_time, 2 step, then one of 3 file_version, 5 summary, 7 session_log; a
// Summary has values (1), each a tag (1) and a simple_value (2).

#include "sepal/train/events.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <protozero/pbf_writer.hpp>

#include "sepal/base/text.h"

namespace sepal {
namespace {

using Writer = protozero::pbf_writer;

constexpr auto kTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t bits = i;
    for (int bit = 0; bit < 8; ++bit) bits = (bits & 1) != 0 ? bits >> 1 ^ 0x82f63b78 : bits >> 1;
    table[i] = bits;
  }
  return table;
}();

std::uint32_t masked(std::uint32_t crc) { return (crc >> 15 | crc << 17) + 0xa282ead8; }

template <typename Number>
std::string little_endian(Number number) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(number); ++i) bytes += static_cast<char>(number >> 8 * i & 0xff);
  return bytes;
}

std::string framed(const std::string& message) {
  const std::string length = little_endian(std::uint64_t{message.size()});
  return length + little_endian(masked(crc32c(length))) + message + little_endian(masked(crc32c(message)));
}

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

/// An event with its time and step; `fill` adds what it is.
template <typename Fill>
std::string event(double time, std::int64_t step, const Fill& fill) {
  std::string message;
  Writer writer(message);
  writer.add_double(1, time);
  if (step != 0) writer.add_int64(2, step);
  fill(writer);
  return framed(message);
}

/// The first record of every file.
std::string version_record() {
  return event(now(), 0, [](Writer& writer) { writer.add_string(3, "brain.Event:2"); });
}

/// That a session begins here: steps from this one on will be told anew.
std::string start_record(std::int64_t step) {
  return event(now(), step, [](Writer& event) {
    Writer log(event, 7);
    log.add_enum(1, 1);
  });
}

/// Names sort by time, and no two processes have one name; "tfevents" is what TensorBoard looks for.
std::string file_name() { return format("events.out.tfevents.{:.6f}.sepal.{}", now(), ::getpid()); }

[[noreturn]] void io_error(const std::filesystem::path& path, int code) {
  fail(ErrorKind::kIo, "{}: cannot be written: {}", printable(path.string()), std::strerror(code));
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes) crc = kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xff] ^ crc >> 8;
  return ~crc;
}

std::string event_record(double time, std::int64_t step, std::span<const Scalar> scalars) {
  return event(time, step, [&](Writer& event) {
    Writer summary(event, 5);
    for (const Scalar& scalar : scalars) {
      Writer value(summary, 1);
      value.add_string(1, scalar.tag.data(), scalar.tag.size());
      value.add_float(2, static_cast<float>(scalar.value));
    }
  });
}

EventWriter::EventWriter(const std::filesystem::path& folder, std::int64_t done) : path_(folder / file_name()) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) io_error(folder, error.value());
  errno = 0;
  file_.open(path_, std::ios::binary | std::ios::app);
  if (!file_) io_error(path_, errno);
  write(version_record());
  write(start_record(done + 1));
}

void EventWriter::add(const StepRecord& record) {
  const Scalar scalars[] = {{"loss/train", record.loss},
                            {"accuracy/train", record.accuracy},
                            {"rate", record.rate},
                            {"images_per_second", record.images_per_second}};
  write(event_record(now(), record.step, scalars));
}

void EventWriter::add(const EpochRecord& record) {
  const Scalar scalars[] = {{"loss/train_epoch", record.train_loss},
                            {"loss/validation", record.loss},
                            {"accuracy/train_epoch", record.train_accuracy},
                            {"accuracy/validation", record.accuracy},
                            {"epoch_seconds", record.seconds}};
  write(event_record(now(), record.step, scalars));
}

void EventWriter::write(const std::string& record) {
  errno = 0;
  file_.write(record.data(), static_cast<std::streamsize>(record.size()));
  file_.flush();
  if (!file_) io_error(path_, errno);
}

}  // namespace sepal
