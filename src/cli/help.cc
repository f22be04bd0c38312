#include "cli/help.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/global_options.h"
#include "cli/terminal.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

constexpr std::size_t kWidest = 100;  // longer lines are hard to read
constexpr std::size_t kUsual = 80;

constexpr std::string_view kCommonExitCodes =
    "0  success\n"
    "2  the command line is wrong\n"
    "3  the input is wrong\n"
    "4  what was named does not exist\n"
    "5  it clashes with what is there\n"
    "6  not permitted\n"
    "7  the world failed (disk full, network down): try again later\n"
    "8  cancelled\n"
    "9  stored data is damaged\n"
    "10  valid, but not supported\n"
    "70  a bug in this program";

std::size_t width_of(const Style& style) {
  return style.width == 0 ? kUsual
                          : std::min<std::size_t>(static_cast<std::size_t>(style.width), kWidest);
}

// Breaks at blanks. A word that is wider than a line stands alone.
std::string wrap(std::string_view text, std::size_t indent, std::size_t width) {
  const std::string margin(indent, ' ');
  std::string out;
  std::string line;
  for (const std::string_view word : split(text, ' ')) {
    if (!line.empty() && indent + display_width(line) + 1 + display_width(word) > width) {
      out += margin + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + std::string(word);
  }
  return out + margin + line + "\n";
}

// Paragraphs are wrapped; lines that begin with a blank stay as they are.
std::string body(std::string_view text, std::size_t indent, std::size_t width) {
  std::string out;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) {
      out += "\n";
    } else if (line.front() == ' ') {
      out += std::string(indent, ' ') + std::string(line) + "\n";
    } else {
      out += wrap(line, indent, width);
    }
  }
  return out;
}

std::string heading(std::string_view text, const Style& style) {
  return colored(text, "1", style) + "\n";
}

std::string as_typed(const Argument& argument) {
  std::string out;
  if (argument.letter != 0) {
    out += fmt::format("-{}, ", argument.letter);
  }
  out += shown_name(argument);
  if (!argument.field.is_flag && !argument.is_positional()) {
    out += fmt::format(" {}", argument.value);
  }
  return out + (argument.field.repeats ? "..." : "");
}

std::string explained(const Argument& argument) {
  std::string out(argument.help);
  if (!argument.choices.empty() &&
      argument.help.find(argument.choices.substr(0, 4)) == std::string_view::npos) {
    const auto choices = split(argument.choices, '|');
    out += fmt::format(" ({})", fmt::join(choices, ", "));
  }
  return out;
}

std::string argument_list(std::span<const Argument> arguments, bool positionals,
                          std::size_t width) {
  std::string out;
  for (const Argument& argument : arguments) {
    if (argument.is_positional() == positionals) {
      out += "    " + as_typed(argument) + "\n" + wrap(explained(argument), 8, width);
    }
  }
  return out;
}

std::string synopsis(const Command& command) {
  std::string out = fmt::format("cloche {}", command.path);
  bool has_options = false;
  for (const Argument& argument : command.arguments) {
    has_options |= !argument.is_positional() && !argument.required;
    if (!argument.is_positional() && argument.required) {
      out += fmt::format(" {} {}", shown_name(argument), argument.value);
    }
    if (argument.is_positional()) {
      const std::string name = std::string(argument.name) + (argument.field.repeats ? "..." : "");
      out += argument.required ? " " + name : fmt::format(" [{}]", name);
    }
  }
  return out + (has_options ? " [options]" : "");
}

std::string see_also(const Command& command) {
  std::string out;
  for (const std::string_view one : split(command.see_also, ',')) {
    if (!trim(one).empty()) {
      out += fmt::format("cloche {}, ", trim(one));
    }
  }
  return out + "docs/manual/cli.md";
}

std::string indented_lines(std::string_view text) {
  std::string out;
  for (const std::string_view line : split_lines(text)) {
    const std::size_t gap = line.find("  ");
    out += fmt::format("    {:<4}{}\n", line.substr(0, gap), trim(line.substr(gap)));
  }
  return out;
}

}  // namespace

std::string program_help(const Style& style) {
  const std::size_t width = width_of(style);
  std::string out =
      heading("NAME", style) +
      "    cloche - environments for machine learning, the same wherever they run\n\n" +
      heading("SYNOPSIS", style) +
      "    cloche NOUN VERB [arguments]\n    cloche NOUN [VERB] --help\n"
      "    cloche --version\n\n" +
      heading("COMMANDS", style);
  for (const Noun& noun : nouns()) {
    out += fmt::format("    {:<12}{}\n", noun.name, noun.summary);
  }
  for (const Command* command : commands()) {
    if (command->path.find(' ') == std::string_view::npos) {
      out += fmt::format("    {:<12}{}\n", command->path, command->summary);
    }
  }
  out += "\n" + heading("GLOBAL OPTIONS", style) + argument_list(global_arguments(), false, width);
  out += "    --version\n        Print the program's version\n\n";
  out += heading("EXAMPLES", style) +
         "    $ cloche env create -f environment.yml\n        Register what a conda file says\n"
         "    $ cloche env list\n        See what is registered\n\n";
  out += heading("EXIT CODES", style) + indented_lines(kCommonExitCodes) + "\n";
  out += heading("SEE ALSO", style) + "    docs/manual/cli.md\n";
  return out;
}

std::string noun_help(std::string_view noun, const Style& style) {
  std::string out;
  for (const Noun& one : nouns()) {
    if (one.name == noun) {
      out += heading("NAME", style) + fmt::format("    cloche {} - {}\n\n", noun, one.summary);
    }
  }
  out += heading("COMMANDS", style);
  const std::string prefix = std::string(noun) + " ";
  for (const Command* command : commands()) {
    if (command->path.starts_with(prefix)) {
      out += fmt::format("    cloche {:<20}{}\n", command->path, command->summary);
    }
  }
  return out + fmt::format("\nMore of each: cloche {} VERB --help\n", noun);
}

namespace {

// `full` adds what is the same for every command.
std::string page(const Command& command, const Style& style, bool full) {
  const std::size_t width = width_of(style);
  std::string out = heading("NAME", style) +
                    wrap(fmt::format("cloche {} - {}", command.path, command.summary), 4, width);
  out += "\n" + heading("SYNOPSIS", style) + "    " + synopsis(command) + "\n";
  out += "\n" + heading("DESCRIPTION", style) + body(command.description, 4, width);
  const std::string positionals = argument_list(command.arguments, true, width);
  const std::string options = argument_list(command.arguments, false, width);
  out += positionals.empty() ? "" : "\n" + heading("ARGUMENTS", style) + positionals;
  out += options.empty() ? "" : "\n" + heading("OPTIONS", style) + options;
  if (full) {
    out +=
        "\n" + heading("GLOBAL OPTIONS", style) + argument_list(global_arguments(), false, width);
  }
  out += "\n" + heading("EXAMPLES", style);
  for (const Example& example : command.examples) {
    out += fmt::format("    $ {}\n", example.command) + wrap(example.says, 8, width);
  }
  const std::string codes =
      std::string(command.exit_codes) + "\n" + (full ? std::string(kCommonExitCodes) : "");
  out +=
      trim(codes).empty() ? "" : "\n" + heading("EXIT CODES", style) + indented_lines(trim(codes));
  out += "\n" + heading("SEE ALSO", style) + wrap(see_also(command), 4, width);
  return out;
}

}  // namespace

std::string command_help(const Command& command, const Style& style) {
  return page(command, style, true);
}

std::string help_markdown() {
  std::string out =
      "# Commands\n\n"
      "Made from the program's own help (`cloche NOUN VERB --help`) by its tests; "
      "`CLOCHE_ACCEPT=1` rewrites it.\nConcepts, JSON shapes and exit codes: [cli.md](cli.md).\n\n";
  for (const Command* command : commands()) {
    out += fmt::format("- [`cloche {}`](#cloche-{}): {}\n", command->path,
                       fmt::join(split(command->path, ' '), "-"), command->summary);
  }
  for (const Command* command : commands()) {
    out +=
        fmt::format("\n## cloche {}\n\n```text\n{}```\n", command->path, page(*command, {}, false));
  }
  return out;
}

}  // namespace cloche::cli
