#include "cli/global_options.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "cli/suggest.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

constexpr std::array<Argument, 4> kGlobalOptionsArguments = {{
    {.name = "output",
     .value = "FORMAT",
     .help = "How to print the result: json (one record), yaml, or table (for people; the default)",
     .choices = "json|yaml|table",
     .field = {.assign = [](void* options, std::string_view text) -> Status {
       auto& output = static_cast<GlobalOptions*>(options)->output;
       TRY(check_choice("--output", "json|yaml|table", text));
       output = text;
       return {};
     }}},
    {.name = "workspace",
     .value = "DIR",
     .help = "The workspace's directory, or one that holds it as .cloche; without it "
             "$CLOCHE_WORKSPACE, the nearest .cloche upwards, or the user's own",
     .source = Source::kDirectories,
     .field = kField<&GlobalOptions::workspace>},
    {.name = "directory",
     .letter = 'C',
     .value = "DIR",
     .help = "Go to this directory first",
     .source = Source::kDirectories,
     .field = kField<&GlobalOptions::directory>},
    {.name = "help",
     .letter = 'h',
     .help = "Show the manual page",
     .field = kField<&GlobalOptions::help>},
}};

// The global option that a word is, and the value that is part of the same word ("--output=json",
// "-Cdir").
struct Match {
  const Argument* argument = nullptr;
  std::string_view value = {};
  bool has_value = false;
};

Match match(std::string_view word) {
  for (const Argument& argument : kGlobalOptionsArguments) {
    const std::string name = shown_name(argument);
    if (word == name) {
      return {.argument = &argument};
    }
    if (word.starts_with(name) && word[name.size()] == '=') {
      return {.argument = &argument, .value = word.substr(name.size() + 1), .has_value = true};
    }
    if (argument.letter != 0 && word.size() > 1 && word[0] == '-' && word[1] == argument.letter) {
      return {.argument = &argument, .value = word.substr(2), .has_value = word.size() > 2};
    }
  }
  return {};
}

}  // namespace

std::span<const Argument> global_arguments() { return kGlobalOptionsArguments; }

Result<std::vector<std::string_view>> take_global_options(std::span<const std::string_view> words,
                                                          GlobalOptions& options) {
  std::vector<std::string_view> rest;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--") {
      rest.insert(rest.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
      break;
    }
    const Match found = match(words[i]);
    if (found.argument == nullptr) {
      rest.push_back(words[i]);
      continue;
    }
    const Argument& argument = *found.argument;
    if (argument.field.is_flag && found.has_value) {
      return fail(ErrorKind::kUsage, "option {} takes no value", shown_name(argument));
    }
    std::string_view value = found.value;
    if (!argument.field.is_flag && !found.has_value) {
      if (i + 1 == words.size()) {
        return fail(ErrorKind::kUsage, "option {} needs a value", shown_name(argument))
            .with_hint(fmt::format("{} {}", shown_name(argument), argument.value));
      }
      value = words[++i];
    }
    TRY(argument.field.assign(&options, value));
  }
  return rest;
}

}  // namespace cloche::cli
