#include "runtime/engine_log.h"

#include <string>

#include "core/json.h"
#include "core/result.h"
#include "core/text.h"

namespace cloche::runtime {
namespace {

constexpr std::size_t kMaxShown = 2000;

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

Error engine_error(std::string_view log) {
  const std::string said = last_error(log);
  return fail(ErrorKind::kUnsupported, "the container was not started: {}",
              said.empty() ? "nothing was said" : printable(said.substr(0, kMaxShown)));
}

}  // namespace cloche::runtime
