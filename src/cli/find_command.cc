#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/suggest.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

std::vector<std::string> first_words() {
  std::vector<std::string> names;
  for (const Noun& noun : nouns()) {
    names.emplace_back(noun.name);
  }
  for (const Command* command : commands()) {
    if (command->path.find(' ') == std::string_view::npos) {
      names.emplace_back(command->path);
    }
  }
  return names;
}

std::vector<std::string> verbs_of(std::string_view noun) {
  std::vector<std::string> verbs;
  for (const Command* command : commands()) {
    if (command->path.starts_with(noun) && command->path.substr(noun.size()).starts_with(' ')) {
      verbs.emplace_back(command->path.substr(noun.size() + 1));
    }
  }
  return verbs;
}

// "cloche create" is a likely slip for "cloche env create".
std::string with_noun(std::string_view verb) {
  for (const Noun& noun : nouns()) {
    for (const std::string& one : verbs_of(noun.name)) {
      if (one == verb) {
        return fmt::format("{} {}", noun.name, one);
      }
    }
  }
  return "";
}

Error unknown_global_option(std::string_view word) {
  std::vector<std::string> names = global_option_names();
  names.emplace_back("--version");
  const std::string near = suggest(word, names);
  return fail(ErrorKind::kUsage, "unknown option '{}'", printable(word))
      .with_hint(near.empty() ? "see: cloche --help" : fmt::format("did you mean {}?", near));
}

Error unknown_command(std::string_view word) {
  std::string near = suggest(word, first_words());
  near = near.empty() ? with_noun(word) : near;
  return fail(ErrorKind::kUsage, "unknown command '{}'", printable(word))
      .with_hint(near.empty() ? "see: cloche --help"
                              : fmt::format("did you mean cloche {}?", near));
}

Error unknown_verb(std::string_view noun, std::string_view verb) {
  const std::vector<std::string> verbs = verbs_of(noun);
  const std::string near = suggest(verb, verbs);
  return fail(ErrorKind::kUsage, "unknown command '{} {}'", noun, printable(verb))
      .with_hint(near.empty() ? "one of: " + join(verbs, ", ")
                              : fmt::format("did you mean cloche {} {}?", noun, near));
}

}  // namespace

Result<Found> find_command(std::span<const std::string_view> words) {
  if (words.empty()) {
    return fail(ErrorKind::kUsage, "no command is given").with_hint("see: cloche --help");
  }
  for (const Command* command : commands()) {
    if (command->path == words[0]) {
      return Found{command, 1};
    }
  }
  if (words[0].starts_with('-')) {
    return unknown_global_option(words[0]);
  }
  if (verbs_of(words[0]).empty()) {
    return unknown_command(words[0]);
  }
  if (words.size() == 1) {
    return fail(ErrorKind::kUsage, "cloche {} needs a verb", words[0])
        .with_hint("one of: " + join(verbs_of(words[0]), ", "));
  }
  const std::string path = fmt::format("{} {}", words[0], words[1]);
  for (const Command* command : commands()) {
    if (command->path == path) {
      return Found{command, 2};
    }
  }
  return unknown_verb(words[0], words[1]);
}

}  // namespace cloche::cli
