// What every command receives: the terminal, the files, the workspace.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/global_options.h"
#include "cli/standard_input.h"
#include "cli/terminal.h"
#include "core/diagnostic.h"
#include "core/files.h"
#include "workspace/workspace.h"

namespace cloche::cli {

// One per process; not shared between threads.
class Context {
 public:
  Context(Terminal& terminal, FileSource& files, GlobalOptions options);

  Terminal& terminal() { return terminal_; }
  FileSource& files() { return files_; }
  const GlobalOptions& options() const { return options_; }
  bool json() const { return options_.output == "json"; }

  // Opened at the first call, so a command that needs none costs none.
  // kNotFound: there is none, and none shall be made.
  Result<workspace::Workspace*> workspace(bool create_missing = true);

  // The directory that workspace() opens.
  std::string workspace_directory();

  // The workspace's settings for reading files, or the built-in ones: reading a file makes no
  // workspace.
  Result<definition::ReadOptions> read_options();

  // Says on standard error what reading a file brought up: text for people, with `--output json`
  // one JSON object a line.
  void say(const Diagnostic& diagnostic);
  void say(const Diagnostics& diagnostics);

  // "hint: ..." for people: the next step. Nothing with `--output json`.
  void hint(std::string_view text);

 private:
  Terminal& terminal_;
  StandardInput files_;
  GlobalOptions options_;
  std::optional<workspace::Workspace> workspace_;
};

}  // namespace cloche::cli
