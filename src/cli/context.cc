#include "cli/context.h"

#include <fmt/format.h>

#include "cli/messages.h"
#include "core/text.h"
#include "io/system.h"

namespace cloche::cli {

Context::Context(Terminal& terminal, FileSource& files, GlobalOptions options)
    : terminal_(terminal), files_(files), options_(std::move(options)) {}

std::string Context::workspace_directory() {
  if (options_.workspace.empty()) {
    return workspace::find_workspace_directory(io::current_directory());
  }
  const std::string inner = join_path(options_.workspace, ".cloche");
  const auto kind = files_.kind(inner);
  return kind.has_value() && *kind == FileKind::kDirectory ? inner : options_.workspace;
}

Result<workspace::Workspace*> Context::workspace(bool create_missing) {
  if (!workspace_) {
    workspace_ = TRY(workspace::Workspace::open(
        {.directory = workspace_directory(), .user = "", .create_missing = create_missing}));
    say(workspace_->diagnostics());
  }
  return &*workspace_;
}

Result<definition::ReadOptions> Context::read_options() {
  auto opened = workspace(false);
  if (!opened.has_value() && opened.error().kind == ErrorKind::kNotFound) {
    return definition::ReadOptions();
  }
  return TRY(std::move(opened))->read_options();
}

void Context::say(const Diagnostic& diagnostic) {
  terminal_.err(json() ? diagnostic_record(diagnostic).dump() + "\n"
                       : to_text(diagnostic, terminal_.err_style()));
}

void Context::say(const Diagnostics& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics.list()) {
    say(diagnostic);
  }
}

void Context::hint(std::string_view text) {
  if (!json()) {
    terminal_.err(fmt::format("hint: {}\n", printable(text)));
  }
}

}  // namespace cloche::cli
