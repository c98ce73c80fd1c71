// A checkpoint is whole or not there (base/storage.h); what happens to it afterwards, the checksum shows. Its texts are
// metadata: "sepal" says what the file is, "run NAME" is the run's identity, "text NAME" all else.

#include "sepal/train/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "sepal/base/text.h"

namespace sepal {
namespace {

constexpr std::string_view kKind = "sepal";
constexpr std::string_view kVersion = "checkpoint 1";
constexpr std::string_view kSum = "sum";
constexpr std::string_view kStep = "step";
constexpr std::string_view kRun = "run ";
constexpr std::string_view kText = "text ";
constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kSuffix = ".safetensors";

/// FNV-1a over words of 8 bytes: finds what a disk or a hand has changed, and is no protection against an adversary.
class Sum {
 public:
  void add(std::span<const std::byte> bytes) {
    std::size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data() + at, 8);
      mix(word);
    }
    for (; at < bytes.size(); ++at) mix(static_cast<std::uint64_t>(bytes[at]));
    mix(bytes.size());
  }
  void add(std::string_view text) { add(std::as_bytes(std::span(text))); }
  std::string text() const { return format("{:016x}", state_); }

 private:
  void mix(std::uint64_t word) { state_ = (state_ ^ word ^ (word >> 29)) * 0x100000001b3; }
  std::uint64_t state_ = 0xcbf29ce484222325;
};

/// A name or text as a file holds it: JSON takes no bytes that are no UTF-8 (names of files may have some), so those
/// become \\xNN, and a backslash two.
std::string escaped(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_at(text, at).length;
    if (length == 0) {
      result += format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(text[at])));
    } else {
      result += text[at] == '\\' ? std::string_view("\\\\") : text.substr(at, length);
    }
    at += std::max<std::size_t>(length, 1);
  }
  return result;
}

/// What was escaped; anything else is left as it is.
std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned byte = 0;
    if (text[at] == '\\' && text.substr(at + 1, 1) == "\\") {
      ++at;
    } else if (text.substr(at, 2) == "\\x" && text.size() >= at + 4 &&
               std::from_chars(text.data() + at + 2, text.data() + at + 4, byte, 16).ptr == text.data() + at + 4) {
      result += static_cast<char>(byte);
      at += 3;
      continue;
    }
    result += text[at];
  }
  return result;
}

std::span<const std::byte> bytes_of(const ConstBuffer& tensor) {
  return {static_cast<const std::byte*>(tensor.data), tensor.bytes()};
}

void add(Sum& sum, std::string_view name, const ConstBuffer& tensor) {
  sum.add(name);
  sum.add(bytes_of(tensor));
}

/// Metadata in the order of their names; arrays are added by name, too, so that both sides see one order.
Sum sum_of(const std::map<std::string, std::string>& metadata) {
  Sum sum;
  for (const auto& [key, value] : metadata) {
    if (key == kSum) continue;
    sum.add(key);
    sum.add(value);
  }
  return sum;
}

/// The texts whose keys begin so, without that.
std::map<std::string, std::string> below(std::string_view prefix, const std::map<std::string, std::string>& metadata) {
  std::map<std::string, std::string> result;
  for (const auto& [key, value] : metadata) {
    if (key.starts_with(prefix)) result.emplace(unescaped(key.substr(prefix.size())), unescaped(value));
  }
  return result;
}

void check_identity(const Identity& ours, const Identity& theirs) {
  const auto value = [](const Identity& of, const std::string& name) {
    const auto found = of.find(name);
    return found == of.end() ? std::string("not said") : format("\"{}\"", printable(found->second));
  };
  for (const Identity& side : {ours, theirs}) {
    for (const auto& [name, ignored] : side) {
      const std::string here = value(ours, name);
      const std::string there = value(theirs, name);
      if (here != there) {
        invalid("is of another run: {} is {} there and {} here", printable(name), there, here);
      }
    }
  }
}

std::optional<std::int64_t> step_of(const std::string& file) {
  if (!file.starts_with(kPrefix) || !file.ends_with(kSuffix)) return std::nullopt;
  const std::string_view digits =
      std::string_view(file).substr(kPrefix.size(), file.size() - kPrefix.size() - kSuffix.size());
  std::int64_t step = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), step);
  if (problem != std::errc() || end != digits.data() + digits.size() || step < 0) return std::nullopt;
  return step;
}

bool is_left_behind(const std::string& file) { return file.starts_with(kPrefix) && file.ends_with(".tmp"); }

std::vector<std::string> files_in(const std::filesystem::path& folder) {
  std::vector<std::string> files;
  std::error_code problem;
  std::filesystem::directory_iterator entry(folder, problem);
  if (problem == std::errc::no_such_file_or_directory) return files;
  for (; !problem && entry != std::filesystem::directory_iterator(); entry.increment(problem)) {
    files.push_back(entry->path().filename().string());
  }
  if (problem) fail(ErrorKind::kIo, "{}: cannot be read: {}", printable(folder.string()), problem.message());
  return files;
}

}  // namespace

std::string checksum(std::span<const ConstBuffer> buffers) {
  Sum sum;
  for (const ConstBuffer& buffer : buffers) sum.add(bytes_of(buffer));
  return sum.text();
}

Checkpoints::Checkpoints(std::filesystem::path folder, int keep, Storage& storage)
    : folder_(std::move(folder)), keep_(std::max(keep, 1)), storage_(storage) {}

std::filesystem::path Checkpoints::path_of(std::int64_t step) const {
  return folder_ / format("{}{:09}{}", kPrefix, step, kSuffix);
}

std::vector<std::int64_t> Checkpoints::steps() const {
  std::vector<std::int64_t> steps;
  for (const std::string& file : files_in(folder_)) {
    const std::optional<std::int64_t> step = step_of(file);
    if (step && path_of(*step).filename() == file) steps.push_back(*step);
  }
  std::ranges::sort(steps);
  return steps;
}

void Checkpoints::save(std::int64_t step, const Identity& identity, const std::map<std::string, std::string>& text,
                       std::span<const NamedTensor> tensors) {
  std::error_code problem;
  std::filesystem::create_directories(folder_, problem);
  if (problem) fail(ErrorKind::kIo, "{}: cannot be created: {}", printable(folder_.string()), problem.message());
  std::map<std::string, std::string> metadata = {{std::string(kKind), std::string(kVersion)},
                                                 {std::string(kStep), format("{}", step)}};
  for (const auto& [name, value] : identity) metadata.emplace(format("{}{}", kRun, escaped(name)), escaped(value));
  for (const auto& [name, value] : text) metadata.emplace(format("{}{}", kText, escaped(name)), escaped(value));
  std::vector<NamedTensor> ordered;
  for (const auto& [name, tensor] : tensors) ordered.push_back({escaped(name), tensor});
  std::ranges::sort(ordered, {}, &NamedTensor::name);
  Sum sum = sum_of(metadata);
  for (const auto& [name, tensor] : ordered) add(sum, name, tensor);
  metadata.emplace(kSum, sum.text());
  const std::vector<std::byte> header = safetensors_header(ordered, metadata);
  std::vector<std::span<const std::byte>> pieces = {header};
  for (const auto& [name, tensor] : ordered) {
    pieces.push_back(bytes_of(tensor));
  }
  const std::filesystem::path path = path_of(step);
  clean();
  replace_file(storage_, path, pieces, path);
  // What there is more than enough of goes once the new one is safe.
  const std::vector<std::int64_t> all = steps();
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep_) < all.size(); ++i) storage_.remove(path_of(all[i]));
}

void Checkpoints::clean() {
  for (const std::string& file : files_in(folder_)) {
    if (is_left_behind(file)) storage_.remove(folder_ / file);
  }
}

SafeTensors Checkpoints::read(std::int64_t step) const {
  SafeTensors file = read_safetensors(path_of(step));
  return in_place(printable(path_of(step).string()), [&] {
    const auto kind = file.metadata.find(std::string(kKind));
    if (kind == file.metadata.end()) invalid("is no checkpoint of a training run");
    if (kind->second != kVersion) {
      fail(ErrorKind::kUnsupported, "is a \"{}\", where a \"{}\" is wanted", printable(kind->second), kVersion);
    }
    Sum sum = sum_of(file.metadata);
    for (const auto& [name, tensor] : file.tensors) add(sum, name, tensor.buffer());
    if (file.metadata[std::string(kSum)] != sum.text() || file.metadata[std::string(kStep)] != format("{}", step)) {
      invalid("is damaged: its checksum is not that of its contents; remove it to go on from the one before");
    }
    return std::move(file);
  });
}

Checkpoint Checkpoints::load(std::int64_t step, const Identity& identity) const {
  SafeTensors file = read(step);
  in_place(printable(path_of(step).string()), [&] { check_identity(identity, below(kRun, file.metadata)); });
  Checkpoint checkpoint{step, below(kText, file.metadata), {}};
  for (auto& [name, tensor] : file.tensors) checkpoint.tensors.emplace(unescaped(name), std::move(tensor));
  return checkpoint;
}

std::map<std::string, std::string> Checkpoints::last_text() const {
  const std::vector<std::int64_t> all = steps();
  if (all.empty()) invalid("{}: no checkpoint to go on from", printable(folder_.string()));
  return below(kText, read(all.back()).metadata);
}

}  // namespace sepal
