#pragma once

// The one door to CLI11: what a verb says about its options, once, for parsing, help and completion.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sepal/model/model.h"

namespace sepal::cli {

/// What a shell offers for the value of an option.
enum class Complete : std::uint8_t { kNothing, kFile, kFolder, kChoices };

/// An option or argument as help and completion show it.
struct OptionInfo {
  std::string name;   ///< "--labels"; of an argument "MODEL"
  std::string value;  ///< "FILE"; empty for a flag
  std::string help;
  Complete complete = Complete::kNothing;
  std::vector<std::string> choices = {};  ///< the only words that the value may be, if there are any
  std::string letter = {};                ///< "-o", if it has one
};

/// The options of one verb. Targets must outlive the object.
class Options {
 public:
  /// `program` is "sepal run"; `summary` one sentence; `epilogue` stands below the help: the examples; `usage`
  /// is what the usage line calls the program, if something else.
  Options(std::string program, std::string summary, std::string epilogue = {}, std::string usage = {});
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  void flag(OptionInfo info, bool& target);
  void text(OptionInfo info, std::optional<std::string>& target);
  /// May be given again and takes several words at a time.
  void list(OptionInfo info, std::vector<std::string>& target);
  /// A whole number from `least` to `most`.
  void number(OptionInfo info, int least, int most, std::optional<int>& target);
  /// A word without dashes that must be there.
  void argument(OptionInfo info, std::string& target);
  /// The same, but it may be missing.
  void argument(OptionInfo info, std::optional<std::string>& target);

  /// Reads the words that follow the verb into the targets. False if help was asked for instead. Throws
  /// Error(kUsage), also where a file or folder has an empty name. Words after a list option belong to it up to the
  /// next option, but where the one argument would be missing, the last of the last list is taken to be it.
  bool parse(const std::vector<std::string>& words);

  std::string help() const;
  std::span<const OptionInfo> all() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What `run` and `inspect` share.
struct CommonOptions {
  std::vector<std::string> shapes;
  std::optional<int> threads;
  std::optional<std::string> target;
  bool no_fuse = false;
  bool json = false;
  bool quiet = false;

  /// Throws Error(kUsage) if a shape is not NAME=1x3x320x320, names an input twice or is larger than a tensor can be.
  LoadOptions load_options() const;
};
void declare(Options& options, CommonOptions& common);

/// "--target", for the help of every verb that knows it.
OptionInfo target_option();

/// "--no-fuse", for the verbs that plan whole networks.
OptionInfo no_fuse_option();

}  // namespace sepal::cli
