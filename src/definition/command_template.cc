#include "definition/command_template.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"

namespace cloche::definition {
namespace {

constexpr std::string_view kOpen = "${{";
constexpr std::string_view kClose = "}}";

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Result<CommandPiece> read_place(std::string_view inner) {
  inner = trim(inner);
  const std::size_t point = inner.find('.');
  const std::string_view scope = inner.substr(0, point);
  std::string_view name = point == std::string_view::npos ? "" : inner.substr(point + 1);
  if (scope == "search_space") {
    return fail(ErrorKind::kUnsupported,
                "${{{{{}}}}} is a sweep job's, and sweeps are not run here", printable(inner))
        .with_hint("write the value itself, or an input: ${{inputs.NAME}}");
  }
  if (scope == "parent" || scope == "secrets" || scope == "jobs") {
    return fail(ErrorKind::kUnsupported, "${{{{{}}}}} has no meaning in a command job",
                printable(inner))
        .with_hint("a command can name its ${{inputs.NAME}} and ${{outputs.NAME}}");
  }
  if (scope != "inputs" && scope != "outputs") {
    const std::array<std::string_view, 2> scopes = {"inputs", "outputs"};
    const std::string_view near = nearest(scope, scopes);
    return fail(ErrorKind::kInvalid, "${{{{{}}}}} names neither an input nor an output",
                printable(inner))
        .with_hint(near.empty()
                       ? std::string("the forms are ${{inputs.NAME}} and ${{outputs.NAME}}")
                       : fmt::format("did you mean ${{{{{}.{}}}}}?", near, printable(name)));
  }
  if (name.ends_with(".path")) {  // of pipelines; the same here
    name.remove_suffix(std::string_view(".path").size());
  }
  if (!is_name(name)) {
    return fail(ErrorKind::kInvalid, "${{{{{}}}}} has no name that an input or output can have",
                printable(inner))
        .with_hint("letters, digits and '_': ${{inputs.NAME}}");
  }
  return CommandPiece{
      .kind = scope == "inputs" ? CommandPiece::Kind::kInput : CommandPiece::Kind::kOutput,
      .text = std::string(name)};
}

}  // namespace

std::expected<std::vector<CommandPiece>, TemplateError> split_command(std::string_view command) {
  std::vector<CommandPiece> out;
  std::size_t at = 0;
  while (at < command.size()) {
    const std::size_t open = command.find(kOpen, at);
    if (open != at) {
      const std::size_t end = std::min(open, command.size());
      out.push_back({.text = std::string(command.substr(at, end - at)), .offset = at});
      at = end;
      continue;
    }
    const std::size_t close = command.find(kClose, open);
    if (close == std::string_view::npos) {
      return std::unexpected(TemplateError{
          fail(ErrorKind::kInvalid, "a ${{{{ without its }}}}")
              .with_hint("write ${{inputs.NAME}}; for the shell's own ${NAME} one brace is enough"),
          open});
    }
    auto piece = read_place(command.substr(open + kOpen.size(), close - open - kOpen.size()));
    if (!piece) {
      return std::unexpected(TemplateError{std::move(piece).error(), open});
    }
    piece->offset = open;
    out.push_back(std::move(*piece));
    at = close + kClose.size();
  }
  return out;
}

std::string fill_command(const std::vector<CommandPiece>& pieces,
                         const std::function<std::string(const CommandPiece&)>& value) {
  std::string out;
  for (const CommandPiece& piece : pieces) {
    out += piece.kind == CommandPiece::Kind::kText ? piece.text : value(piece);
  }
  return out;
}

}  // namespace cloche::definition
