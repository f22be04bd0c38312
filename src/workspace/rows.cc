#include "workspace/rows.h"

#include "core/json.h"
#include "definition/definition_json.h"
#include "workspace/locations.h"

namespace cloche::workspace {

std::string map_to_text(const definition::StringMap& map) {
  Json::Object members;
  for (const auto& [key, value] : map) {
    members.emplace_back(key, value);
  }
  return Json(std::move(members)).dump();
}

Result<definition::StringMap> map_from_text(std::string_view text) {
  const Json json = TRY(parse_json(text));
  definition::StringMap out;
  if (!json.is_object()) {
    return fail(ErrorKind::kCorrupt, "stored tags are no object");
  }
  for (const auto& [key, value] : json.members()) {
    if (!value.is_string()) {
      return fail(ErrorKind::kCorrupt, "a stored tag is no text");
    }
    out[key] = value.as_string();
  }
  return out;
}

Result<definition::Definition> definition_of(const VersionRow& row) {
  definition::Definition out = TRY(definition::definition_from_json(TRY(parse_json(row.definition)))
                                       .context("reading {}:{}", row.name, row.version));
  TRY(put_locations(out, TRY(parse_json(row.locations)))
          .context("reading {}:{}", row.name, row.version));
  return out;
}

}  // namespace cloche::workspace
