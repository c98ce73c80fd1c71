#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/verb.h"
#include "sepal/base/text.h"

// sepal completion: scripts for bash and zsh, made from the same declarations as the help, so a new option
// completes as soon as it exists.

namespace sepal::cli {
namespace {

/// A word within single quotes of a shell.
std::string shell_word(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

/// Calls visit(verb, its options) for every verb.
template <typename Visit>
void for_each_verb(const Visit& visit) {
  for (const Verb& verb : verbs()) {
    Options options(std::string(verb.name), "");
    const Action unused = verb.declare(options);
    visit(verb, options.all());
  }
}

bool is_argument(const OptionInfo& info) { return !info.name.starts_with('-'); }

std::string bash_values(const OptionInfo& info) {
  switch (info.complete) {
    case Complete::kFile:
      return "compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")";
    case Complete::kFolder:
      return "compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")";
    case Complete::kChoices:
      return format("mapfile -t COMPREPLY < <(compgen -W {} -- \"$cur\")",
                    shell_word(format("{}", join(info.choices, " "))));
    case Complete::kNothing:
      break;
  }
  return ":";
}

std::string bash() {
  std::string names;
  std::string cases;
  for_each_verb([&](const Verb& verb, std::span<const OptionInfo> options) {
    names += format("{} ", verb.name);
    std::string words;
    std::string values;
    std::string argument = ":";
    for (const OptionInfo& info : options) {
      if (is_argument(info)) {
        argument = bash_values(info);
        continue;
      }
      words += info.name + " ";
      if (!info.value.empty()) values += format("        {}) {}; return ;;\n", info.name, bash_values(info));
    }
    cases += format(R"(    {})
      case $option in
{}      esac
      if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W {} -- "$cur")
      else
        {}
      fi ;;
)",
                    verb.name, values, shell_word(words + "--help"), argument);
  });
  return format(R"(# bash completion for sepal: source <(sepal completion bash)
_sepal() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} option=${{COMP_WORDS[COMP_CWORD-1]}} i
  COMPREPLY=()
  # bash splits --image=cat.jpg and NAME=FILE at the equals sign.
  if [[ $cur == "=" ]]; then cur=""; elif [[ $option == "=" ]]; then option=${{COMP_WORDS[COMP_CWORD-2]}}; fi
  # Several files may follow one option.
  for ((i = COMP_CWORD - 1; i > 1; --i)); do
    [[ ${{COMP_WORDS[i]}} == --input || ${{COMP_WORDS[i]}} == --image ]] && option=${{COMP_WORDS[i]}}
    [[ ${{COMP_WORDS[i]}} == -* ]] && break
  done
  [[ $cur == -* ]] && option=""
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W {} -- "$cur")
    return
  fi
  case ${{COMP_WORDS[1]}} in
{}  esac
}}
complete -F _sepal sepal
)",
                shell_word(names + "--help --version --target --json"), cases);
}

/// Text within a bracketed or colon-separated field of a zsh specification.
std::string zsh_field(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_values(const OptionInfo& info) {
  const std::string title = zsh_field(info.value.empty() ? info.name : info.value);
  switch (info.complete) {
    case Complete::kFile:
      return format(":{}:_files", title);
    case Complete::kFolder:
      return format(":{}:_files -/", title);
    case Complete::kChoices:
      return format(":{}:({})", title, join(info.choices, " "));
    case Complete::kNothing:
      break;
  }
  return format(":{}:", title);
}

std::string zsh() {
  std::string names;
  std::string cases;
  for_each_verb([&](const Verb& verb, std::span<const OptionInfo> options) {
    names += format("    {}\n", shell_word(format("{}:{}", verb.name, zsh_field(verb.summary))));
    std::string specs;
    for (const OptionInfo& info : options) {
      const std::string spec = is_argument(info) ? "1" + zsh_values(info)
                               : info.value.empty()
                                   ? format("{}[{}]", info.name, zsh_field(info.help))
                                   : format("*{}=[{}]{}", info.name, zsh_field(info.help), zsh_values(info));
      specs += format(" \\\n        {}", shell_word(spec));
    }
    cases += format("    {})\n      _arguments '--help[Print this and exit]'{} ;;\n", verb.name, specs);
  });
  return format(R"(#compdef sepal
# zsh completion for sepal: sepal completion zsh > a folder of $fpath/_sepal
_sepal() {{
  local -a verbs
  verbs=(
{}  )
  if ((CURRENT == 2)); then
    _describe 'verb' verbs
    return
  fi
  local verb=$words[2]
  shift words
  ((CURRENT--))
  case $verb in
{}  esac
}}
if [[ ${{funcstack[1]}} == _sepal ]]; then _sepal "$@"; else compdef _sepal sepal; fi
)",
                names, cases);
}

Action declare_completion(Options& options) {
  const auto shell = std::make_shared<std::string>();
  options.argument({"SHELL", "", "bash or zsh", Complete::kChoices, {"bash", "zsh"}}, *shell);
  return [shell] { Console("sepal completion", true).finish(*shell == "bash" ? bash() : zsh()); };
}

}  // namespace

const Verb kCompletion = {"completion", "Prints a script that completes sepal's words in bash or zsh", R"(Examples:
  source <(sepal completion bash)                       in ~/.bashrc
  sepal completion zsh > ~/.zfunc/_sepal                with ~/.zfunc in $fpath
)",
                          declare_completion};

}  // namespace sepal::cli
