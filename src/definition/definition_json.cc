#include "definition/definition_json.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "core/check.h"
#include "core/text.h"
#include "definition/byte_text.h"
#include "definition/json_record.h"

namespace cloche::definition {
namespace {

// Raised when a reader of the number before would misunderstand what is written. New fields count.
constexpr std::int64_t kFormat = 1;

constexpr std::array<EnumWord<PipLine::Kind>, 3> kPipKinds = {{
    {PipLine::Kind::kRequirement, "requirement"},
    {PipLine::Kind::kConstraint, "constraint"},
    {PipLine::Kind::kOption, "option"},
}};
constexpr std::array<EnumWord<FileKind>, 4> kFileTypes = {{
    {FileKind::kFile, "file"},
    {FileKind::kDirectory, "directory"},
    {FileKind::kSymlink, "symlink"},
    {FileKind::kOther, "other"},
}};
constexpr std::array<EnumWord<OsType>, 2> kOsTypes = {{
    {OsType::kLinux, "linux"},
    {OsType::kWindows, "windows"},
}};

template <class Enum, std::size_t N>
std::string_view word(const std::array<EnumWord<Enum>, N>& table, Enum value) {
  const auto found = std::ranges::find(table, value, &EnumWord<Enum>::value);
  CHECK(found != table.end());
  return found->text;
}

// ---- writing

bool all_utf8(const StringMap& map) {
  return std::ranges::all_of(map, [](const auto& entry) { return is_valid_utf8(entry.first); });
}

// {"key": value}, or [[key, value]] when a key is no UTF-8 and so cannot be a key of JSON.
Json map_to_json(const StringMap& map) {
  if (!all_utf8(map)) {
    Json pairs = Json::array();
    for (const auto& [key, value] : map) {
      pairs.push(Json::array().push(text_to_json(key)).push(text_to_json(value)));
    }
    return pairs;
  }
  Json::Object members;
  members.reserve(map.size());
  for (const auto& [key, value] : map) {
    members.emplace_back(key, text_to_json(value));
  }
  return members;
}

std::string octal(std::uint32_t mode) { return fmt::format("{:04o}", mode); }

Json file_to_json(const ContextFile& file) {
  Json::Object out;
  out.emplace_back("path", text_to_json(file.path));
  out.emplace_back("type", word(kFileTypes, file.kind));
  out.emplace_back("mode", octal(file.mode));
  if (file.kind == FileKind::kFile) {
    out.emplace_back("size_bytes", static_cast<std::int64_t>(file.size_bytes));
    out.emplace_back("digest", file.digest.to_string());
  }
  if (file.kind == FileKind::kSymlink) {
    out.emplace_back("target", text_to_json(file.link_target));
  }
  return out;
}

Json route_to_json(const std::optional<InferenceRoute>& route) {
  return route ? Json::object().set("path", text_to_json(route->path)).set("port", route->port)
               : Json();
}

Json inference_to_json(const std::optional<InferenceConfig>& inference) {
  if (!inference) {
    return {};
  }
  return Json::object()
      .set("liveness", route_to_json(inference->liveness))
      .set("readiness", route_to_json(inference->readiness))
      .set("scoring", route_to_json(inference->scoring));
}

// Writes one definition; collects the files that its locations name.
class Writer {
 public:
  Json definition(const Definition& definition) {
    Json out = Json::object();
    out.set("format", kFormat)
        .set("base", std::visit([this](const auto& one) { return base(one); }, definition.base))
        .set("conda", definition.conda ? conda(*definition.conda) : Json())
        .set("pip", definition.pip ? pip(*definition.pip) : Json())
        .set("apt", definition.apt ? apt(*definition.apt) : Json())
        .set("environment_variables", map_to_json(definition.environment_variables))
        .set("inference", inference_to_json(definition.inference))
        .set("os_type", word(kOsTypes, definition.os_type))
        .set("azureml_v1", definition.azureml_v1)
        .set("files", std::move(files_));
    return out;
  }

 private:
  // Adds "at": [file, line, column], the file as an index into "files"; nothing for no location.
  Json located(Json object, const Location& at) {
    if (at == Location{}) {
      return object;
    }
    const auto [entry, is_new] =
        index_.try_emplace(at.file, static_cast<std::int64_t>(index_.size()));
    if (is_new) {
      files_.push(text_to_json(at.file));
    }
    object.set("at", Json::array().push(entry->second).push(at.line).push(at.column));
    return object;
  }

  Json base(const ImageBase& image) {
    return located(Json::object().set("image", text_to_json(image.reference)), image.at);
  }

  Json base(const DockerfileBase& file) {
    return located(Json::object().set("dockerfile", text_to_json(file.text)), file.at);
  }

  Json base(const BuildContextBase& context) {
    Json files = Json::array();
    for (const ContextFile& file : context.files) {
      files.push(file_to_json(file));
    }
    Json out = Json::object();
    out.set("dockerfile_path", text_to_json(context.dockerfile_path))
        .set("dockerfile", text_to_json(context.dockerfile))
        .set("uri", text_to_json(context.uri))
        .set("root", text_to_json(context.root))
        .set("files", std::move(files));
    return located(Json::object().set("context", std::move(out)), context.at);
  }

  Json lines(const std::vector<Line>& list) {
    Json out = Json::array();
    for (const Line& line : list) {
      out.push(located(Json::object().set("text", text_to_json(line.text)), line.at));
    }
    return out;
  }

  Json dependency(const CondaDependency& one) {
    Json out = Json::object().set("text", text_to_json(one.text));
    if (!one.selector.empty()) {
      out.set("selector", text_to_json(one.selector));
    }
    return located(std::move(out), one.at);
  }

  Json conda(const CondaSection& section) {
    Json dependencies = Json::array();
    for (const CondaDependency& one : section.dependencies) {
      dependencies.push(dependency(one));
    }
    Json platforms = Json::array();
    for (const std::string& platform : section.platforms) {
      platforms.push(text_to_json(platform));
    }
    return Json::object()
        .set("name", text_to_json(section.name))
        .set("channels", lines(section.channels))
        .set("nodefaults", section.nodefaults)
        .set("dependencies", std::move(dependencies))
        .set("platforms", std::move(platforms))
        .set("variables", map_to_json(section.variables));
  }

  Json pip(const PipSection& section) {
    Json out = Json::array();
    for (const PipLine& line : section.lines) {
      Json one = Json::object()
                     .set("kind", word(kPipKinds, line.kind))
                     .set("text", text_to_json(line.text));
      out.push(located(std::move(one), line.at));
    }
    return Json::object().set("lines", std::move(out));
  }

  Json apt(const AptSection& section) {
    return Json::object().set("packages", lines(section.packages));
  }

  Json files_ = Json::array();
  std::unordered_map<std::string, std::int64_t> index_;
};

// ---- reading

Result<StringMap> map_from_pairs(const Json& json) {
  StringMap out;
  for (const Json& pair : json.items()) {
    if (!pair.is_array() || pair.items().size() != 2) {
      return damaged("not a pair of key and value");
    }
    std::string key = TRY(text_from_json(pair.items()[0]));
    std::string value = TRY(text_from_json(pair.items()[1]));
    if (!out.try_emplace(std::move(key), std::move(value)).second) {
      return damaged("a key stands twice");
    }
  }
  if (all_utf8(out)) {
    return damaged("pairs where an object would do");
  }
  return out;
}

Result<StringMap> map_from_json(const Json& json) {
  if (json.is_array()) {
    return map_from_pairs(json);
  }
  if (!json.is_object()) {
    return damaged("not an object");
  }
  StringMap out;
  for (const auto& [key, value] : json.members()) {
    out[key] = TRY(text_from_json(value).context("in \"{}\"", printable(key)));
  }
  return out;
}

Result<std::uint32_t> mode_from_json(const Json& json) {
  std::uint32_t mode = 0;
  if (json.is_string()) {
    for (const char c : json.as_string().substr(0, 4)) {
      mode = (mode * 8) + static_cast<std::uint32_t>(c - '0');
    }
  }
  if (!json.is_string() || mode > 07777 || json.as_string() != octal(mode)) {
    return damaged("\"mode\" is not four octal digits");
  }
  return mode;
}

// Relative, without ".", ".." and empty parts, without NUL, no longer than PATH_MAX.
bool is_plain_path(const std::string& path) {
  return !path.empty() && path.size() < 4096 && path[0] != '/' && path != "." && path != ".." &&
         !path.starts_with("../") && path.find('\0') == std::string::npos &&
         normal_path(path) == path;
}

Result<ContextFile> file_from_json(const Json& json) {
  const auto record =
      TRY(JsonRecord::open(json, {"path", "type", "mode", "size_bytes", "digest", "target"}));
  ContextFile file;
  file.path = TRY(record.text("path"));
  if (!is_plain_path(file.path)) {
    return damaged("the path \"{}\" does not stay in its folder", printable(file.path));
  }
  file.kind = TRY(record.word(kFileTypes, "type"));
  file.mode = TRY(mode_from_json(record["mode"]));
  if (file.kind == FileKind::kFile) {
    file.size_bytes = static_cast<std::uint64_t>(TRY(record.integer("size_bytes", 0, INT64_MAX)));
    auto digest = Digest::parse(json.string_or_empty("digest"));
    if (!digest) {
      return damaged("\"digest\" is no sha256");
    }
    file.digest = std::move(*digest);
  }
  if (file.kind == FileKind::kSymlink) {
    file.link_target = TRY(record.text("target"));
  }
  return file;
}

// Whoever puts the files back writes them in this order, so nothing may stand below what is no
// directory: a link "a" and a file "a/b" would be written through the link.
Status check_tree(const std::vector<ContextFile>& files) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (i > 0 && files[i - 1].path >= files[i].path) {
      return damaged("the files are not sorted by path");
    }
    for (std::string above = parent_path(files[i].path); !above.empty();
         above = parent_path(above)) {
      const auto found = std::ranges::lower_bound(files, above, {}, &ContextFile::path);
      if (found != files.end() && found->path == above && found->kind != FileKind::kDirectory) {
        return damaged("\"{}\" stands below what is no directory", printable(files[i].path));
      }
    }
  }
  return {};
}

Result<InferenceRoute> route_from_json(const Json& json) {
  const auto record = TRY(JsonRecord::open(json, {"path", "port"}));
  InferenceRoute route;
  route.path = TRY(record.text("path"));
  route.port = static_cast<int>(TRY(record.integer("port", INT32_MIN, INT32_MAX)));
  return route;
}

Result<InferenceConfig> inference_from_json(const Json& json) {
  const auto record = TRY(JsonRecord::open(json, {"liveness", "readiness", "scoring"}));
  const auto route = [&](std::string_view key) {
    return read_optional<InferenceRoute>(record[key], key, route_from_json);
  };
  InferenceConfig out;
  out.liveness = TRY(route("liveness"));
  out.readiness = TRY(route("readiness"));
  out.scoring = TRY(route("scoring"));
  return out;
}

// Reads one definition; its locations name files of the table.
class Reader {
 public:
  static Result<Definition> definition(const Json& json) {
    TRY(check_format(json));
    const auto record = TRY(
        JsonRecord::open(json, {"format", "base", "conda", "pip", "apt", "environment_variables",
                                "inference", "os_type", "azureml_v1", "files"}));
    Reader reader(TRY(read_list<std::string>(record["files"], "files", text_from_json)));
    return reader.parts(record);
  }

  static Status check_format(const Json& json) {
    const Json& format = json["format"];
    if (!format.is_integer() || format.as_integer() < 1) {
      return damaged("not a stored environment: it has no \"format\"");
    }
    if (format.as_integer() > kFormat) {
      return make_error(ErrorKind::kUnsupported, "stored in format {}; this program reads up to {}",
                        format.as_integer(), kFormat)
          .with_hint("use the newer program that wrote it");
    }
    return {};
  }

 private:
  explicit Reader(std::vector<std::string> files) : files_(std::move(files)) {}

  Result<Definition> parts(const JsonRecord& record) {
    Definition out;
    out.base = TRY(base(record["base"]).context("in base"));
    out.conda = TRY(read_optional<CondaSection>(record["conda"], "conda",
                                                [this](const Json& json) { return conda(json); }));
    out.pip = TRY(read_optional<PipSection>(record["pip"], "pip",
                                            [this](const Json& json) { return pip(json); }));
    out.apt = TRY(read_optional<AptSection>(record["apt"], "apt",
                                            [this](const Json& json) { return apt(json); }));
    out.environment_variables =
        TRY(map_from_json(record["environment_variables"]).context("in environment_variables"));
    out.inference =
        TRY(read_optional<InferenceConfig>(record["inference"], "inference", inference_from_json));
    out.os_type = TRY(record.word(kOsTypes, "os_type"));
    out.azureml_v1 = record["azureml_v1"];
    return out;
  }

  Result<Location> location(const Json& json) {
    if (json.is_null()) {
      return Location{};
    }
    const auto is_count = [](const Json& one) {
      return one.is_integer() && one.as_integer() >= 0 && one.as_integer() <= INT32_MAX;
    };
    if (!json.is_array() || json.items().size() != 3 ||
        !std::ranges::all_of(json.items(), is_count) ||
        json.items()[0].as_integer() >= static_cast<std::int64_t>(files_.size())) {
      return damaged("\"at\" is not [file, line, column]");
    }
    return Location{files_[static_cast<std::size_t>(json.items()[0].as_integer())],
                    static_cast<int>(json.items()[1].as_integer()),
                    static_cast<int>(json.items()[2].as_integer())};
  }

  Result<Base> base(const Json& json) {
    const auto record = TRY(JsonRecord::open(json, {"image", "dockerfile", "context", "at"}));
    if (json.members().size() != (record["at"].is_null() ? 1 : 2)) {
      return damaged("not exactly one of image, dockerfile and context");
    }
    Location at = TRY(location(record["at"]));
    if (json.find("image") != nullptr) {
      return ImageBase{TRY(record.text("image")), std::move(at)};
    }
    if (json.find("dockerfile") != nullptr) {
      return DockerfileBase{TRY(record.text("dockerfile")), std::move(at)};
    }
    BuildContextBase out = TRY(context(record["context"]).context("in context"));
    out.at = std::move(at);
    return out;
  }

  static Result<BuildContextBase> context(const Json& json) {
    const auto record =
        TRY(JsonRecord::open(json, {"dockerfile_path", "dockerfile", "uri", "root", "files"}));
    BuildContextBase out;
    out.dockerfile_path = TRY(record.text("dockerfile_path"));
    out.dockerfile = TRY(record.text("dockerfile"));
    out.uri = TRY(record.text("uri"));
    out.root = TRY(record.text("root"));
    out.files = TRY(read_list<ContextFile>(record["files"], "files", file_from_json));
    TRY(check_tree(out.files));
    return out;
  }

  Result<Line> line(const Json& json) {
    const auto record = TRY(JsonRecord::open(json, {"text", "at"}));
    Line out;
    out.text = TRY(record.text("text"));
    out.at = TRY(location(record["at"]));
    return out;
  }

  Result<CondaDependency> dependency(const Json& json) {
    const auto record = TRY(JsonRecord::open(json, {"text", "selector", "at"}));
    CondaDependency out;
    out.text = TRY(record.text("text"));
    out.selector = record["selector"].is_null() ? "" : TRY(record.text("selector"));
    out.at = TRY(location(record["at"]));
    return out;
  }

  Result<PipLine> pip_line(const Json& json) {
    const auto record = TRY(JsonRecord::open(json, {"kind", "text", "at"}));
    PipLine out;
    out.kind = TRY(record.word(kPipKinds, "kind"));
    out.text = TRY(record.text("text"));
    out.at = TRY(location(record["at"]));
    return out;
  }

  Result<CondaSection> conda(const Json& json) {
    const auto record = TRY(JsonRecord::open(
        json, {"name", "channels", "nodefaults", "dependencies", "platforms", "variables"}));
    CondaSection out;
    out.name = TRY(record.text("name"));
    out.channels = TRY(read_list<Line>(record["channels"], "channels",
                                       [this](const Json& one) { return line(one); }));
    out.nodefaults = TRY(record.boolean("nodefaults"));
    out.dependencies =
        TRY(read_list<CondaDependency>(record["dependencies"], "dependencies",
                                       [this](const Json& one) { return dependency(one); }));
    out.platforms = TRY(read_list<std::string>(record["platforms"], "platforms", text_from_json));
    out.variables = TRY(map_from_json(record["variables"]).context("in variables"));
    return out;
  }

  Result<PipSection> pip(const Json& json) {
    const auto record = TRY(JsonRecord::open(json, {"lines"}));
    return PipSection{TRY(read_list<PipLine>(record["lines"], "lines",
                                             [this](const Json& one) { return pip_line(one); }))};
  }

  Result<AptSection> apt(const Json& json) {
    const auto record = TRY(JsonRecord::open(json, {"packages"}));
    return AptSection{TRY(read_list<Line>(record["packages"], "packages",
                                          [this](const Json& one) { return line(one); }))};
  }

  std::vector<std::string> files_;
};

}  // namespace

Json to_json(const Definition& definition) { return Writer().definition(definition); }

Json to_json(const Environment& environment) {
  return Json::object()
      .set("format", kFormat)
      .set("name", text_to_json(environment.name))
      .set("version", text_to_json(environment.version))
      .set("description", text_to_json(environment.description))
      .set("tags", map_to_json(environment.tags))
      .set("properties", map_to_json(environment.properties))
      .set("definition", to_json(environment.definition));
}

Result<Definition> definition_from_json(const Json& json) { return Reader::definition(json); }

Result<Environment> environment_from_json(const Json& json) {
  TRY(Reader::check_format(json));
  const auto record = TRY(JsonRecord::open(
      json, {"format", "name", "version", "description", "tags", "properties", "definition"}));
  Environment out;
  out.name = TRY(record.text("name"));
  out.version = TRY(record.text("version"));
  out.description = TRY(record.text("description"));
  out.tags = TRY(map_from_json(record["tags"]).context("in tags"));
  out.properties = TRY(map_from_json(record["properties"]).context("in properties"));
  out.definition = TRY(definition_from_json(record["definition"]).context("in definition"));
  return out;
}

}  // namespace cloche::definition
