#include "workspace/locations.h"

#include <map>
#include <variant>
#include <vector>

#include "definition/byte_text.h"

namespace cloche::workspace {
namespace {

std::vector<Location*> locations_of(definition::Definition& definition) {
  std::vector<Location*> out;
  const auto add = [&out](auto& list) {
    for (auto& one : list) {
      out.push_back(&one.at);
    }
  };
  std::visit([&out](auto& base) { out.push_back(&base.at); }, definition.base);
  if (definition.conda) {
    add(definition.conda->channels);
    add(definition.conda->dependencies);
  }
  if (definition.pip) {
    add(definition.pip->lines);
  }
  if (definition.apt) {
    add(definition.apt->packages);
  }
  return out;
}

Error wrong(std::string_view what) {
  return fail(ErrorKind::kCorrupt, "stored locations: {}", what)
      .with_hint("the workspace's database was changed by something else");
}

Result<Location> read_location(const Json& json, const std::vector<std::string>& files) {
  if (json.is_null()) {
    return Location{};
  }
  if (!json.is_array() || json.items().size() != 3) {
    return wrong("no [file, line, column]");
  }
  for (const Json& part : json.items()) {
    if (!part.is_integer() || part.as_integer() < 0 || part.as_integer() > INT32_MAX) {
      return wrong("a number is out of range");
    }
  }
  const auto file = static_cast<std::size_t>(json.items()[0].as_integer());
  if (file >= files.size()) {
    return wrong("an unknown file");
  }
  return Location{files[file], static_cast<int>(json.items()[1].as_integer()),
                  static_cast<int>(json.items()[2].as_integer())};
}

}  // namespace

Json take_locations(definition::Definition& definition) {
  Json files = Json::array();
  Json list = Json::array();
  std::map<std::string, std::int64_t> index;
  for (Location* at : locations_of(definition)) {
    if (*at == Location{}) {
      list.push(Json());
      continue;
    }
    const auto [entry, is_new] = index.try_emplace(at->file, index.size());
    if (is_new) {
      files.push(definition::text_to_json(at->file));
    }
    list.push(Json::array().push(entry->second).push(at->line).push(at->column));
    *at = Location{};
  }
  return Json::object().set("files", std::move(files)).set("at", std::move(list));
}

Status put_locations(definition::Definition& definition, const Json& locations) {
  const Json& names = locations["files"];
  const Json& list = locations["at"];
  const std::vector<Location*> targets = locations_of(definition);
  if (!names.is_array() || !list.is_array() || list.items().size() != targets.size()) {
    return wrong("they do not fit the definition");
  }
  std::vector<std::string> files;
  for (const Json& name : names.items()) {
    files.push_back(TRY(definition::text_from_json(name)));
  }
  for (std::size_t i = 0; i < targets.size(); ++i) {
    *targets[i] = TRY(read_location(list.items()[i], files));
  }
  return {};
}

}  // namespace cloche::workspace
