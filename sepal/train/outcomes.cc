#include "sepal/train/outcomes.h"

#include <array>
#include <set>
#include <span>
#include <sstream>

#include "sepal/base/mapped_file.h"
#include "sepal/base/storage.h"
#include "sepal/base/text.h"

// The file is text for people: a line "name: value" for each thing in common, an empty line, then a line of a name and
// its numbers for each run. It is small, so it is written anew each time, as checkpoints are.

namespace sepal {

Outcomes::Outcomes(const std::filesystem::path& folder, Identity common)
    : file_(folder / "outcomes.txt"), common_(std::move(common)) {
  if (std::filesystem::exists(file_)) read();
}

std::optional<Outcome> Outcomes::outcome(const std::string& name) const {
  const auto found = outcomes_.find(name);
  return found == outcomes_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::int64_t> Outcomes::number(const std::string& name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

void Outcomes::add(const std::string& name, const Outcome& outcome) {
  outcomes_[name] = outcome;
  write();
}

void Outcomes::add(const std::string& name, std::int64_t number) {
  numbers_[name] = number;
  write();
}

void Outcomes::read() {
  const std::string shown = printable(file_.string());
  const MappedFile mapped(file_);
  const auto bytes = mapped.bytes();
  std::istringstream file(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  std::string line;
  int at = 0;
  Identity there;
  while (std::getline(file, line) && !line.empty()) {
    ++at;
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) invalid("{}: is no file of a comparison; give another folder", shown);
    there[line.substr(0, colon)] = line.substr(colon + 2);
  }
  std::set<std::string> names;
  for (const auto& [name, value] : common_) names.insert(name);
  for (const auto& [name, value] : there) names.insert(name);
  for (const std::string& name : names) {
    const auto text = [&](const Identity& identity) {
      const auto found = identity.find(name);
      return found == identity.end() ? std::string("nothing") : found->second;
    };
    if (text(there) != text(common_)) {
      invalid("{}: is of another comparison: {} is {}, not {}; give another folder", shown, printable(name),
              printable(text(there)), text(common_));
    }
  }
  for (++at; std::getline(file, line);) {
    ++at;
    std::istringstream words(line);
    std::string name;
    Outcome outcome;
    std::int64_t number = 0;
    const bool is_number = line.starts_with("equal-");
    words >> name;
    if (is_number) {
      words >> number;
    } else {
      words >> outcome.accuracy >> outcome.loss >> outcome.train_seconds >> outcome.inference_seconds;
    }
    std::string more;
    if (!words || words >> more || (is_number && number < 1)) {
      invalid("{}: line {} is not of a comparison; remove it and that run is done again", shown, at);
    }
    if (is_number) {
      numbers_[name] = number;
    } else {
      outcomes_[name] = outcome;
    }
  }
}

void Outcomes::write() const {
  std::string text;
  for (const auto& [name, value] : common_) text += format("{}: {}\n", name, value);
  text += "\n";
  for (const auto& [name, number] : numbers_) text += format("{} {}\n", name, number);
  for (const auto& [name, outcome] : outcomes_) {
    text += format("{} {} {} {} {}\n", name, outcome.accuracy, outcome.loss, outcome.train_seconds,
                   outcome.inference_seconds);
  }
  replace_file(disk(), file_, std::array{std::as_bytes(std::span(text))}, file_);
}

}  // namespace sepal
