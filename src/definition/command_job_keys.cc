#include "definition/command_job_keys.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "core/text.h"
#include "definition/yaml_fields.h"

namespace cloche::definition {

Status judge_key(const YamlNode& key, std::span<const std::string_view> known,
                 std::span<const ForeignKey> foreign, std::string_view place,
                 Diagnostics& diagnostics) {
  const std::string shown =
      place.empty() ? printable(key.text) : fmt::format("{}.{}", place, printable(key.text));
  const auto found = std::ranges::find(foreign, key.text, &ForeignKey::name);
  if (found == foreign.end()) {
    const std::string_view near = nearest(key.text, known);
    return wrong(key, fmt::format("unknown key '{}'", shown),
                 near.empty() ? fmt::format("the keys are {}", fmt::join(known, ", "))
                              : fmt::format("did you mean {}?", near));
  }
  std::string message = fmt::format("'{}' {}", shown, found->why);
  if (found->meaning == ForeignKey::Meaning::kRefused) {
    return fail_at(key, ErrorKind::kUnsupported, std::move(message), std::string(found->hint));
  }
  diagnostics.warn("job-ignored-key", key.at, std::move(message), std::string(found->hint));
  return {};
}

Status judge_members(const YamlNode& mapping, std::span<const std::string_view> known,
                     std::span<const ForeignKey> foreign, std::string_view place,
                     Diagnostics& diagnostics) {
  for (const YamlNode::Member& member : mapping.members) {
    if (std::ranges::find(known, member.key.text) == known.end()) {
      TRY(judge_key(member.key, known, foreign, place, diagnostics));
    }
  }
  return {};
}

}  // namespace cloche::definition
