// `cloche completion`: scripts that ask `cloche __complete`, so they never need to change.
#include <array>

#include "cli/command_table.h"
#include "cli/context.h"

namespace cloche::cli {
namespace {

// bash divides words at ':' and '=' (COMP_WORDBREAKS), which references and --option=value hold.
// The script joins what stands together in the line, and cuts the joined part off the answers.
constexpr std::string_view kBash =
    R"sh(# bash completion for cloche. In ~/.bashrc:  eval "$(cloche completion bash)"
_cloche() {
  local line=${COMP_LINE:0:COMP_POINT} words=() i word kind candidate
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((i > 0)) && [[ -n $line && $line != [[:space:]]* ]]; then
      words[${#words[@]}-1]+=$word
    else
      line=${line#"${line%%[![:space:]]*}"}
      words+=("$word")
    fi
    line=${line#"$word"}
  done
  local current=${words[${#words[@]}-1]} last=${COMP_WORDS[COMP_CWORD]}
  [[ $last == [:=] ]] && last=
  local joined=${current%"$last"}
  COMPREPLY=()
  {
    IFS= read -r kind
    while IFS=$'\t' read -r candidate _; do
      COMPREPLY+=("${candidate#"$joined"}")
    done
  } < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
  case $kind in
    :files)
      compopt -o filenames 2>/dev/null
      while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen -f -- "$last")
      ;;
    :directories)
      compopt -o filenames 2>/dev/null
      while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen -d -- "$last")
      ;;
  esac
  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -F _cloche cloche
)sh";

constexpr std::string_view kZsh = R"sh(#compdef cloche
# zsh completion for cloche. In ~/.zshrc, after compinit:  source <(cloche completion zsh)
_cloche() {
  local kind line
  local -a answers candidates
  answers=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  kind=${answers[1]}
  for line in "${(@)answers[2,-1]}"; do
    [[ -n $line ]] || continue
    # _describe divides at the first ':' that has no backslash.
    candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done
  (( ${#candidates} )) && _describe -t values cloche candidates
  case $kind in
    :files) _files ;;
    :directories) _files -/ ;;
  esac
}
if [[ $funcstack[1] == _cloche ]]; then
  _cloche "$@"
else
  compdef _cloche cloche
fi
)sh";

constexpr std::string_view kFish =
    R"sh(# fish completion for cloche. Once:  cloche completion fish > ~/.config/fish/completions/cloche.fish
function __cloche_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l answers ($words[1] __complete $words[2..-1] 2>/dev/null)
    for answer in $answers[2..-1]
        echo $answer
    end
    switch "$answers[1]"
        case :files
            __fish_complete_path (commandline -ct)
        case :directories
            __fish_complete_directories (commandline -ct)
    end
end
complete -c cloche -f -a '(__cloche_complete)'
)sh";

struct CompletionOptions {
  std::string shell;
};

Result<Report> run_completion(const CompletionOptions& options, Context& /*context*/) {
  const std::string_view script = options.shell == "bash"  ? kBash
                                  : options.shell == "zsh" ? kZsh
                                                           : kFish;
  Report report;
  report.data.set("shell", options.shell).set("script", script);
  report.text = [](const Json& data, const Style& /*style*/) {
    return data.string_or_empty("script");
  };
  return report;
}

constexpr std::array<Argument, 1> kCompletionArguments = {{
    {.name = "SHELL",
     .help = "The shell that will read the script",
     .required = true,
     .choices = "bash|zsh|fish",
     .field = kField<&CompletionOptions::shell>},
}};

constexpr std::array<Example, 3> kCompletionExamples = {{
    {"In ~/.bashrc", "eval \"$(cloche completion bash)\""},
    {"In ~/.zshrc, after compinit", "source <(cloche completion zsh)"},
    {"Once, for fish", "cloche completion fish > ~/.config/fish/completions/cloche.fish"},
}};

}  // namespace

const Command kCompletion = {
    .path = "completion",
    .summary = "print a script that completes commands for a shell",
    .description =
        "Prints a script for the shell to read. It completes nouns, verbs, options, the values "
        "that "
        "an option takes, and the names and versions of the workspace's environments. The script "
        "asks the program itself, so it stays right when the program changes.",
    .arguments = kCompletionArguments,
    .examples = kCompletionExamples,
    .run = run<CompletionOptions, run_completion>,
};

}  // namespace cloche::cli
