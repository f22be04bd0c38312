#include "cli/complete.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/global_options.h"
#include "core/text.h"
#include "definition/lint/lint.h"
#include "image/layout.h"

namespace cloche::cli {
namespace {

constexpr int kMostNames = 1000;  // nobody reads more, and a shell gets slow

struct Candidate {
  std::string text;
  std::string help;
};

struct Offer {
  std::string_view shell = ":nothing";
  std::vector<Candidate> candidates;
};

// What the words before the one to be completed have said.
struct Before {
  std::vector<std::string_view> names;  // noun and verb
  const Command* command = nullptr;
  const Argument* awaiting = nullptr;  // an option whose value comes next
  std::vector<const Argument*> given;
  std::size_t positionals = 0;
  bool options_ended = false;
};

const Argument* find_option(const Command* command, std::string_view word) {
  const auto is_it = [&](const Argument& one) {
    const bool letter = word.size() == 2 && one.letter != 0 && word[1] == one.letter;
    return !one.is_positional() && (letter || shown_name(one) == word);
  };
  const auto search = [&](std::span<const Argument> arguments) -> const Argument* {
    const auto found = std::ranges::find_if(arguments, is_it);
    return found != arguments.end() ? &*found : nullptr;
  };
  const Argument* own = command != nullptr ? search(command->arguments) : nullptr;
  return own != nullptr ? own : search(global_arguments());
}

void step(Before& before, std::string_view word) {
  if (before.awaiting != nullptr) {
    before.awaiting = nullptr;
  } else if (word == "--" && !before.options_ended) {
    before.options_ended = true;
  } else if (word.size() > 1 && word.front() == '-' && !before.options_ended) {
    const Argument* option = find_option(before.command, word.substr(0, word.find('=')));
    if (option != nullptr) {
      before.given.push_back(option);
      const bool complete = option->field.is_flag || word.find('=') != std::string_view::npos;
      before.awaiting = complete ? nullptr : option;
    }
  } else if (before.command == nullptr) {
    before.names.push_back(word);
    const auto found = find_command(before.names);
    before.command = found.has_value() ? found->command : nullptr;
  } else {
    ++before.positionals;
  }
}

// Only a workspace that exists: completion must not make one.
workspace::Workspace* existing_workspace(Context& context) {
  auto opened = context.workspace(false);
  return opened.has_value() ? *opened : nullptr;
}

// A name that sorts just before every name with this prefix: names hold ASCII letters, digits, '-'
// and '_' alone, and '~' sorts after those.
std::string just_before(std::string_view prefix) {
  if (prefix.empty()) {
    return "";
  }
  std::string name(prefix);
  name.back() = static_cast<char>(name.back() - 1);
  return name + "~";
}

void offer_environments(Context& context, std::string_view current, Offer& offer) {
  workspace::Workspace* workspace = existing_workspace(context);
  if (workspace == nullptr) {
    return;
  }
  const std::size_t colon = current.find(':');
  if (colon != std::string_view::npos) {
    const std::string name(current.substr(0, colon));
    const auto versions = workspace->versions(name, true);
    for (const auto& one :
         versions.has_value() ? *versions : std::vector<workspace::EnvironmentVersion>()) {
      offer.candidates.push_back(
          {fmt::format("{}:{}", name, one.environment.version), one.environment.description});
    }
    return;
  }
  workspace::ListOptions options;
  options.after_name = just_before(current);
  options.limit = kMostNames;
  const auto list = workspace->list(options);
  for (const auto& one : list.has_value() ? *list : std::vector<workspace::EnvironmentSummary>()) {
    offer.candidates.push_back({one.name, one.description});
  }
}

void offer_registries(Context& context, Offer& offer) {
  workspace::Workspace* workspace = existing_workspace(context);
  if (workspace == nullptr) {
    return;
  }
  const auto registries = workspace->registries();
  for (const auto& one :
       registries.has_value() ? *registries : std::vector<workspace::Workspace::Registry>()) {
    offer.candidates.push_back({one.name, one.location});
  }
}

void offer_images(Context& context, Offer& offer) {
  const auto images = image::Layout(context.workspace_directory()).list();
  for (const auto& one : images.has_value() ? *images : std::vector<image::StoredImage>()) {
    if (!one.name.empty()) {
      offer.candidates.push_back({one.name, one.manifest.digest.to_string()});
    }
  }
}

void offer_values(const Argument& argument, std::string_view current, Context& context,
                  Offer& offer) {
  if (!argument.choices.empty()) {
    for (const std::string_view one : split(argument.choices, '|')) {
      offer.candidates.push_back({std::string(one), ""});
    }
    return;
  }
  switch (argument.source) {
    case Source::kNothing:
      break;
    case Source::kFiles:
      offer.shell = ":files";
      break;
    case Source::kDirectories:
      offer.shell = ":directories";
      break;
    case Source::kEnvironmentsAndFiles:
      offer.shell = ":files";
      offer_environments(context, current, offer);
      break;
    case Source::kEnvironments:
      offer_environments(context, current, offer);
      break;
    case Source::kRegistries:
      offer_registries(context, offer);
      break;
    case Source::kImages:
      offer_images(context, offer);
      break;
    case Source::kLintRules:
      for (const auto& rule : definition::lint_rules()) {
        offer.candidates.push_back({std::string(rule.name), std::string(rule.summary)});
      }
      break;
  }
}

void offer_options(const Before& before, Offer& offer) {
  const auto add = [&](std::span<const Argument> arguments) {
    for (const Argument& one : arguments) {
      const bool again =
          one.field.repeats || std::ranges::find(before.given, &one) == before.given.end();
      if (!one.is_positional() && again) {
        offer.candidates.push_back({shown_name(one), std::string(one.help)});
      }
    }
  };
  if (before.command != nullptr) {
    add(before.command->arguments);
  }
  add(global_arguments());
  if (before.names.empty()) {
    offer.candidates.push_back({"--version", "Print the program's version"});
  }
}

void offer_names(const Before& before, Offer& offer) {
  if (before.names.empty()) {
    for (const Noun& noun : nouns()) {
      offer.candidates.push_back({std::string(noun.name), std::string(noun.summary)});
    }
  }
  for (const Command* command : commands()) {
    const std::size_t blank = command->path.find(' ');
    const bool is_verb = blank != std::string_view::npos;
    if (before.names.empty() && !is_verb) {
      offer.candidates.push_back({std::string(command->path), std::string(command->summary)});
    } else if (before.names.size() == 1 && is_verb &&
               command->path.substr(0, blank) == before.names[0]) {
      offer.candidates.push_back(
          {std::string(command->path.substr(blank + 1)), std::string(command->summary)});
    }
  }
}

void offer_positional(const Before& before, std::string_view current, Context& context,
                      Offer& offer) {
  std::size_t left = before.positionals;
  for (const Argument& one : before.command->arguments) {
    if (one.is_positional() && (one.field.repeats || left-- == 0)) {
      offer_values(one, current, context, offer);
      return;
    }
  }
}

Offer make_offer(const Before& before, std::string_view current, Context& context) {
  Offer offer;
  const std::size_t equals = current.find('=');
  if (before.awaiting != nullptr) {
    offer_values(*before.awaiting, current, context, offer);
  } else if (before.command != nullptr && (before.options_ended || !current.starts_with('-'))) {
    offer_positional(before, current, context, offer);
  } else if (current.starts_with("--") && equals != std::string_view::npos) {
    const Argument* option = find_option(before.command, current.substr(0, equals));
    if (option != nullptr && !option->field.is_flag) {
      offer_values(*option, current.substr(equals + 1), context, offer);
      for (Candidate& one : offer.candidates) {
        one.text.insert(0, current.substr(0, equals + 1));
      }
    }
  } else if (current.starts_with('-')) {
    offer_options(before, offer);
  } else {
    offer_names(before, offer);
  }
  return offer;
}

}  // namespace

int run_complete(std::span<const std::string_view> words, Terminal& terminal, FileSource& files) {
  const std::string_view current = words.empty() ? std::string_view() : words.back();
  const auto earlier = words.first(words.empty() ? 0 : words.size() - 1);
  Before before;
  for (const std::string_view word : earlier) {
    step(before, word);
  }
  GlobalOptions options;
  static_cast<void>(take_global_options(earlier, options));  // as far as it goes
  for (const std::string& directory : options.directory) {
    if (::chdir(directory.c_str()) != 0) {
      break;
    }
  }
  Context context(terminal, files, options);
  const Offer offer = make_offer(before, current, context);
  std::string out = std::string(offer.shell) + "\n";
  for (const Candidate& one : offer.candidates) {
    if (one.text.starts_with(current)) {
      const std::string help = collapse_blanks(one.help);
      out += printable(one.text) + "\t" + masked(help.substr(0, help.find(". "))) + "\n";
    }
  }
  static_cast<void>(terminal.out(out));
  return 0;
}

}  // namespace cloche::cli
