#include "runtime/engine_log.h"

#include "core/json.h"
#include "core/result.h"
#include "core/text.h"

namespace cloche::runtime {
namespace {

constexpr std::size_t kMaxShown = 2000;

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string last_error(std::string_view log) {
  std::string out;
  for (const std::string_view line : split_lines(log)) {
    const auto json = parse_json(line);
    if (json && json->is_object() && json->string_or_empty("level") == "error") {
      out = json->string_or_empty("msg");
    }
  }
  return out;
}

}  // namespace

Error engine_error(std::string_view log, const std::string& command) {
  const std::string said = last_error(log);
  // runc: exec: "x": executable file not found in $PATH; stat /x: no such file or directory.
  // crun: executable file `x` not found in $PATH: No such file or directory.
  const bool about_command = holds(said, "exec: \"") || holds(said, "exec /") ||
                             holds(said, "executable file") || holds(said, "open executable");
  if (about_command && (holds(said, "not found") || holds(said, "o such file"))) {
    return fail(ErrorKind::kNotFound, "the image has no command '{}'", printable(command));
  }
  if (about_command && holds(said, "ermission denied")) {
    return fail(ErrorKind::kPermission, "'{}' in the image cannot be run: it is not executable",
                printable(command));
  }
  return fail(ErrorKind::kUnsupported, "the container was not started: {}",
              said.empty() ? "nothing was said" : printable(said.substr(0, kMaxShown)));
}

}  // namespace cloche::runtime
