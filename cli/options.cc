#include "cli/options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <charconv>
#include <utility>

#include "sepal/base/text.h"
#include "sepal/kernels/target.h"

// CLI11 splits words and formats help; what a value means is checked here, so that every message reads like
// the library's. Its lists are not used: they split words in brackets and swallow the argument that follows
// them, so lists are written out (`--image a b` as `--image a --image b`) before it sees them.

namespace sepal::cli {
namespace {

enum class Arity : std::uint8_t { kFlag, kOne, kList, kArgument, kOptionalArgument };

/// "--labels=x" -> "--labels".
std::string_view name_in(std::string_view word) { return word.substr(0, word.find('=')); }

bool is_option(std::string_view word) { return word.size() > 1 && word[0] == '-'; }

/// Whether the word, as it stands on the command line, is this option.
bool is_called(const OptionInfo& info, std::string_view word) {
  return name_in(word) == info.name || (!info.letter.empty() && word == info.letter);
}

/// A file or folder without a name is wrong whatever the verb wants with it.
void check_names(const OptionInfo& info, const std::vector<std::string>& words) {
  if (info.complete != Complete::kFile && info.complete != Complete::kFolder) return;
  for (const std::string& word : words) {
    if (word.empty()) fail(ErrorKind::kUsage, "{} is empty", info.name);
  }
}

}  // namespace

struct Options::State {
  CLI::App app;
  std::string program;
  std::vector<OptionInfo> infos;
  std::vector<Arity> arities;  // one an info

  CLI::Option* add(OptionInfo info, Arity arity, const CLI::callback_t& take) {
    const auto policy = arity == Arity::kList ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::TakeLast;
    const std::string names = info.letter.empty() ? info.name : info.letter + "," + info.name;
    const auto checked = [info, take](const CLI::results_t& words) {
      check_names(info, words);
      return take(words);
    };
    CLI::Option* option = app.add_option(names, checked, info.help)->multi_option_policy(policy);
    option->type_name(info.value);
    infos.push_back(std::move(info));
    arities.push_back(arity);
    return option;
  }

  std::optional<Arity> arity_of(std::string_view word) const {
    for (std::size_t i = 0; i < infos.size(); ++i) {
      if (is_called(infos[i], word)) return arities[i];
    }
    return std::nullopt;
  }

  std::vector<std::string> written_out(const std::vector<std::string>& words) const;
  [[noreturn]] void refuse(const std::string& word) const;
};

std::vector<std::string> Options::State::written_out(const std::vector<std::string>& words) const {
  std::vector<std::string> out;
  bool has_argument = std::ranges::find(arities, Arity::kArgument) == arities.end();
  std::size_t spare = 0;  // where the last list with more than one word ends in `out`
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    out.push_back(word);
    if (word == "--") {
      has_argument = has_argument || i + 1 < words.size();
      out.insert(out.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      break;
    }
    const std::optional<Arity> arity = arity_of(word);
    if (!is_option(word)) has_argument = true;
    if (!arity || word.find('=') != std::string::npos || i + 1 == words.size()) continue;
    if (*arity == Arity::kOne || *arity == Arity::kList) out.push_back(words[++i]);
    if (*arity != Arity::kList) continue;
    while (i + 1 < words.size() && !is_option(words[i + 1])) {
      out.push_back(word);
      out.push_back(words[++i]);
      spare = out.size();
    }
  }
  if (!has_argument && spare > 0) out.erase(out.begin() + static_cast<std::ptrdiff_t>(spare) - 2);
  return out;
}

void Options::State::refuse(const std::string& word) const {
  if (!is_option(word)) fail(ErrorKind::kUsage, "\"{}\" is one word too many; see {} --help", printable(word), program);
  std::vector<std::string_view> names = {"--help"};
  for (const OptionInfo& info : infos) names.push_back(info.name);
  const std::string_view near = nearest(name_in(word), names);
  const std::string remedy = near.empty() ? format("see {} --help", program) : format("did you mean \"{}\"?", near);
  fail(ErrorKind::kUsage, "no option \"{}\"; {}", printable(name_in(word)), remedy);
}

Options::Options(std::string program, std::string summary, std::string epilogue, std::string usage)
    : state_(std::make_unique<State>()) {
  state_->program = std::move(program);
  state_->app.name(usage.empty() ? state_->program : std::move(usage));
  state_->app.description(std::move(summary));
  state_->app.footer(std::move(epilogue));
  state_->app.set_help_flag("-h,--help", "Print this and exit");
  state_->app.get_formatter()->column_width(28);
  state_->app.get_formatter()->label("Positionals", "Arguments");
  state_->app.get_formatter()->label("REQUIRED", "");
  state_->app.allow_extras();
}

Options::~Options() = default;

void Options::flag(OptionInfo info, bool& target) {
  state_->app.add_flag(info.name, target, info.help);
  state_->infos.push_back(std::move(info));
  state_->arities.push_back(Arity::kFlag);
}

void Options::text(OptionInfo info, std::optional<std::string>& target) {
  const auto take = [&target, info](const CLI::results_t& words) {
    if (!info.choices.empty() && std::ranges::find(info.choices, words.back()) == info.choices.end()) {
      const std::vector<std::string_view> choices(info.choices.begin(), info.choices.end());
      const std::string_view near = nearest(words.back(), choices);
      fail(ErrorKind::kUsage, "{} is one of {}, not \"{}\"{}", info.name, join(choices, ", "), printable(words.back()),
           near.empty() ? "" : format("; did you mean \"{}\"?", near));
    }
    target = words.back();
    return true;
  };
  state_->add(std::move(info), Arity::kOne, take);
}

void Options::list(OptionInfo info, std::vector<std::string>& target) {
  state_->add(std::move(info), Arity::kList, [&target](const CLI::results_t& words) {
    target = words;
    return true;
  });
}

void Options::number(OptionInfo info, int least, int most, std::optional<int>& target) {
  const auto take = [&target, name = info.name, least, most](const CLI::results_t& words) {
    const std::string& word = words.back();
    int value = 0;
    const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (problem != std::errc() || end != word.data() + word.size() || value < least || value > most) {
      fail(ErrorKind::kUsage, "{} is a number from {} to {}, not \"{}\"", name, least, most, printable(word));
    }
    target = value;
    return true;
  };
  state_->add(std::move(info), Arity::kOne, take);
}

void Options::argument(OptionInfo info, std::string& target) {
  const auto take = [&target, info](const CLI::results_t& words) {
    if (!info.choices.empty() && std::ranges::find(info.choices, words.back()) == info.choices.end()) {
      fail(ErrorKind::kUsage, "{} is one of {}, not \"{}\"", info.name, join(info.choices, ", "),
           printable(words.back()));
    }
    target = words.back();
    return true;
  };
  // In the help its name says all.
  CLI::Option* option = state_->add(std::move(info), Arity::kArgument, take);
  option->type_name("")->required();
}

void Options::argument(OptionInfo info, std::optional<std::string>& target) {
  const auto take = [&target](const CLI::results_t& words) {
    target = words.back();
    return true;
  };
  state_->add(std::move(info), Arity::kOptionalArgument, take)->type_name("");
}

bool Options::parse(const std::vector<std::string>& words) {
  std::vector<std::string> reversed = state_->written_out(words);
  std::ranges::reverse(reversed);  // as CLI11 takes them
  try {
    state_->app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    return false;
  } catch (const CLI::RequiredError&) {
    // What it does not know is more likely what is wrong.
    for (const std::string& word : state_->app.remaining()) {
      if (word != "--") state_->refuse(word);
    }
    const auto at = std::ranges::find(state_->arities, Arity::kArgument) - state_->arities.begin();
    fail(ErrorKind::kUsage, "{} is missing; see {} --help", state_->infos[static_cast<std::size_t>(at)].name,
         state_->program);
  } catch (const CLI::ParseError& error) {
    for (const OptionInfo& info : state_->infos) {
      if (!words.empty() && is_called(info, words.back()) && !info.value.empty()) {
        fail(ErrorKind::kUsage, "{} wants {} after it", info.name, info.value);
      }
    }
    throw Error(ErrorKind::kUsage, error.what());
  }
  for (const std::string& word : state_->app.remaining()) {
    if (word != "--") state_->refuse(word);
  }
  return true;
}

std::string Options::help() const { return state_->app.help(); }

std::span<const OptionInfo> Options::all() const { return state_->infos; }

LoadOptions CommonOptions::load_options() const {
  LoadOptions options;
  options.threads = threads.value_or(0);
  options.fuse = !no_fuse;
  for (const std::string& text : shapes) {
    const std::size_t equals = text.rfind('=');  // a shape has none, a name may
    const std::string dims = equals == std::string::npos ? "" : text.substr(equals + 1);
    if (equals == 0 || dims.empty() ||
        (dims != "scalar" && dims.find_first_not_of("0123456789x") != std::string::npos)) {
      fail(ErrorKind::kUsage, "--shape is NAME=1x3x320x320, not \"{}\"", printable(text));
    }
    const std::string name = text.substr(0, equals);
    const Shape shape = [&] {
      try {
        return parse_shape(dims);
      } catch (const Error& error) {  // wrong without a look at any file
        fail(ErrorKind::kUsage, "--shape: {}", error.what());
      }
    }();
    if (!options.shapes.emplace(name, shape).second) {
      fail(ErrorKind::kUsage, "--shape names \"{}\" twice", printable(name));
    }
  }
  return options;
}

OptionInfo target_option() {
  return {"--target", "NAME", "Instruction set to use instead of the best", Complete::kChoices, available_targets()};
}

OptionInfo no_fuse_option() { return {"--no-fuse", "", "Every operator by itself, none in one step with another"}; }

void declare(Options& options, CommonOptions& common) {
  options.list({"--shape", "NAME=1x3x320x320", "Shape of an input that the model leaves free"}, common.shapes);
  options.number({"--threads", "N", "Threads (default: the cores that the process may use)"}, 1, 1024, common.threads);
  options.text(target_option(), common.target);
  options.flag({"--json", "", "One JSON document on stdout; nothing there on failure"}, common.json);
  options.flag({"--quiet", "", "No remarks on stderr"}, common.quiet);
}

}  // namespace sepal::cli
