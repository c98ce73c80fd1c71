// TensorBoard's event files, read back by hand as its format says: records, checksums, messages.

#include "sepal/train/events.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <map>
#include <protozero/pbf_reader.hpp>

#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "tests/folder.h"
#include "tests/raises.h"

namespace sepal {
namespace {

struct Event {
  double time = 0;
  std::int64_t step = 0;
  std::string version;
  int session = 0;
  std::map<std::string, float> scalars;
};

template <typename Number>
Number number_at(std::string_view bytes, std::size_t at) {
  Number number{};
  std::memcpy(&number, bytes.data() + at, sizeof(number));
  return number;
}

std::uint32_t masked(std::uint32_t crc) { return (crc >> 15 | crc << 17) + 0xa282ead8; }

Event parse(std::string_view message) {
  Event event;
  protozero::pbf_reader reader(message.data(), message.size());
  while (reader.next()) {
    switch (reader.tag()) {
      case 1:
        event.time = reader.get_double();
        break;
      case 2:
        event.step = reader.get_int64();
        break;
      case 3:
        event.version = reader.get_string();
        break;
      case 5: {
        protozero::pbf_reader summary = reader.get_message();
        while (summary.next(1)) {
          protozero::pbf_reader value = summary.get_message();
          std::string tag;
          float number = 0;
          while (value.next()) value.tag() == 1 ? void(tag = value.get_string()) : void(number = value.get_float());
          event.scalars[tag] = number;
        }
        break;
      }
      case 7: {
        protozero::pbf_reader log = reader.get_message();
        while (log.next(1)) event.session = log.get_enum();
        break;
      }
      default:
        ADD_FAILURE() << "field " << reader.tag();
        reader.skip();
    }
  }
  return event;
}

std::vector<Event> events_in(std::string_view bytes) {
  std::vector<Event> events;
  while (!bytes.empty()) {
    const auto length = number_at<std::uint64_t>(bytes, 0);
    EXPECT_EQ(number_at<std::uint32_t>(bytes, 8), masked(crc32c(bytes.substr(0, 8))));
    const std::string_view message = bytes.substr(12, length);
    EXPECT_EQ(number_at<std::uint32_t>(bytes, 12 + length), masked(crc32c(message)));
    events.push_back(parse(message));
    bytes.remove_prefix(16 + length);
  }
  return events;
}

std::vector<Event> events_in(const std::filesystem::path& path) {
  const MappedFile file(path);
  return events_in({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()});
}

TEST(Crc32c, IsThatOfItsStandard) {
  struct Case {
    const char* why;
    std::string bytes;
    std::uint32_t crc;
  };
  std::string rising;
  for (int i = 0; i < 32; ++i) rising += static_cast<char>(i);
  // RFC 3720, appendix B.4, but for the first two.
  const Case cases[] = {{"nothing", "", 0},
                        {"the usual check", "123456789", 0xe3069283},
                        {"32 zeros", std::string(32, '\0'), 0x8a9136aa},
                        {"32 ones", std::string(32, '\xff'), 0x62a8ab43},
                        {"0 to 31", rising, 0x46dd794e},
                        {"31 to 0", {rising.rbegin(), rising.rend()}, 0x113fdb5c}};
  for (const Case& test : cases) EXPECT_EQ(crc32c(test.bytes), test.crc) << test.why;
}

TEST(Events, ARecordIsAsTheFormatSays) {
  const Scalar scalars[] = {{"a/b", 0.5}};
  const std::string message = std::string("\x09\0\0\0\0\0\0\xf8\x3f", 9) +  // 1: the double 1.5
                              std::string("\x10\xac\x02", 3) +              // 2: the varint 300
                              std::string(
                                  "\x2a\x0c\x0a\x0a\x0a\x03"  // 5, in it 1, in it 1:
                                  "a/b"
                                  "\x15\0\0\0\x3f",  // and 2: the float 0.5
                                  14);
  const std::string record = event_record(1.5, 300, scalars);
  ASSERT_EQ(record.size(), 12 + message.size() + 4);
  EXPECT_EQ(number_at<std::uint64_t>(record, 0), message.size());
  EXPECT_EQ(record.substr(12, message.size()), message);
}

TEST(Events, AFileHoldsWhatTheRunHasSeen) {
  const Folder folder;
  EventWriter writer(folder.path() / "logs" / "run");
  writer.add(
      StepRecord{.step = 50, .epoch = 0, .loss = 1.25, .accuracy = 0.5, .rate = 0.125, .images_per_second = 4096});
  writer.add(EpochRecord{.epoch = 0,
                         .step = 422,
                         .train_loss = 0.75,
                         .train_accuracy = 0.625,
                         .loss = 0.875,
                         .accuracy = 0.5625,
                         .seconds = 12.5});
  EXPECT_EQ(writer.path().parent_path(), folder.path() / "logs" / "run");
  EXPECT_TRUE(writer.path().filename().string().starts_with("events.out.tfevents."));
  const std::vector<Event> events = events_in(writer.path());  // the writer is still there: all has reached the file
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[0].version, "brain.Event:2");
  EXPECT_EQ(events[1].session, 1);
  EXPECT_EQ(events[1].step, 1);
  EXPECT_EQ(events[2].step, 50);
  EXPECT_EQ(events[2].scalars,
            (std::map<std::string, float>{
                {"loss/train", 1.25f}, {"accuracy/train", 0.5f}, {"rate", 0.125f}, {"images_per_second", 4096.0f}}));
  EXPECT_EQ(events[3].step, 422);
  EXPECT_EQ(events[3].scalars, (std::map<std::string, float>{{"loss/train_epoch", 0.75f},
                                                             {"loss/validation", 0.875f},
                                                             {"accuracy/train_epoch", 0.625f},
                                                             {"accuracy/validation", 0.5625f},
                                                             {"epoch_seconds", 12.5f}}));
  for (const Event& event : events) EXPECT_GT(event.time, 1.5e9) << "seconds since 1970";
}

TEST(Events, ARunThatGoesOnTellsItsStepsAnew) {
  const Folder folder;
  const EventWriter first(folder.path());
  EventWriter second(folder.path(), 1000);
  EXPECT_LT(first.path(), second.path()) << "TensorBoard reads files in the order of their names";
  const std::vector<Event> events = events_in(second.path());
  EXPECT_EQ(events[1].session, 1);
  EXPECT_EQ(events[1].step, 1001) << "what the first file says of steps from here on is void";
}

TEST(Events, SayWhereTheyCannotBeWritten) {
  const Folder folder;
  const std::filesystem::path file = folder.write("file", "x");
  EXPECT_TRUE(raises([&] { EventWriter writer(file / "logs"); },
                     format("{}: cannot be written: Not a directory", (file / "logs").string()), ErrorKind::kIo));
}

TEST(Events, SayThatTheyCannotGrow) {
  const Folder folder;
  EventWriter writer(folder.path());
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small = {std::filesystem::file_size(writer.path()) + 8, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto raised = raises([&] { writer.add(StepRecord{}); },
                             format("{}: cannot be written: File too large", writer.path().string()), ErrorKind::kIo);
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, before);
  EXPECT_TRUE(raised);
}

}  // namespace
}  // namespace sepal
