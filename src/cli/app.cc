#include "cli/app.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/complete.h"
#include "cli/context.h"
#include "cli/help.h"
#include "cli/messages.h"
#include "io/system_error.h"

namespace cloche::cli {
namespace {

using Words = std::vector<std::string_view>;

std::string help_text(const Json& data, const Style& /*style*/) {
  return data.string_or_empty("help");
}

Report help_report(std::string text) {
  Report report;
  report.data.set("help", std::move(text));
  report.text = help_text;
  return report;
}

// The page for the words: of the program, of a noun, of a command.
Result<Report> help(std::span<const std::string_view> words, const Style& style) {
  if (words.empty()) {
    return help_report(program_help(style));
  }
  const auto is_noun = [&](const Noun& noun) { return noun.name == words[0]; };
  if (words.size() == 1 && std::ranges::any_of(nouns(), is_noun)) {
    return help_report(noun_help(words[0], style));
  }
  return help_report(command_help(*TRY(find_command(words)).command, style));
}

Report version_report() {
  Report report;
  report.data.set("version", program_version());
  report.text = [](const Json& data, const Style& /*style*/) {
    return fmt::format("cloche {}\n", data.string_or_empty("version"));
  };
  return report;
}

Status change_directory(const GlobalOptions& options) {
  for (const std::string& directory : options.directory) {
    if (::chdir(directory.c_str()) != 0) {
      return io::system_error(errno, "go to", directory);
    }
  }
  return {};
}

Result<Report> run_words(const Words& words, Context& context) {
  const Style style = context.terminal().out_style();
  if (context.options().help) {
    // Positionals and options that follow the name do not matter for a page.
    const auto end = std::ranges::find_if(words, [](auto word) { return word.starts_with('-'); });
    return help(std::span(words.begin(), end), style);
  }
  if (words.empty()) {
    return help(words, style);
  }
  if (words[0] == "--version") {
    return version_report();
  }
  if (words[0] == "help") {
    return help(std::span(words).subspan(1), style);
  }
  const Found found = TRY(find_command(words));
  return found.command->run(*found.command, std::span(words).subspan(found.words), context);
}

Result<Report> run(std::span<const std::string_view> words, GlobalOptions& options,
                   Terminal& terminal, FileSource& files) {
  const Words rest = TRY(take_global_options(words, options));
  TRY(change_directory(options));
  Context context(terminal, files, options);
  return run_words(rest, context);
}

int finish(const Result<Report>& result, const GlobalOptions& options, Terminal& terminal) {
  Status written;
  if (result.has_value()) {
    if (!result->silent) {
      written = terminal.out(render(*result, options.output, terminal.out_style()));
    }
    if (written.has_value()) {
      return result->exit_code;
    }
    if (written.error().kind == ErrorKind::kCancelled) {
      return kReaderGone;
    }
  }
  const Error& error = result.has_value() ? written.error() : result.error();
  terminal.err(options.output == "json" ? error_record(error).dump() + "\n"
                                        : to_text(error, terminal.err_style()));
  return exit_code(error.kind);
}

}  // namespace

int run_program(std::span<const std::string_view> words, Terminal& terminal, FileSource& files) {
  if (!words.empty() && words[0] == "__complete") {
    return run_complete(words.subspan(1), terminal, files);
  }
  GlobalOptions options;
  const Result<Report> result = run(words, options, terminal, files);
  return finish(result, options, terminal);
}

std::string_view program_version() { return CLOCHE_VERSION; }

}  // namespace cloche::cli
