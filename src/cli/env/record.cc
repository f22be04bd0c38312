#include "cli/env/record.h"

#include <fmt/format.h>

#include "cli/messages.h"
#include "definition/asset_reference.h"
#include "definition/definition_json.h"
#include "definition/fingerprint.h"
#include "definition/validate.h"

namespace cloche::cli {
namespace {

Json map_record(const definition::StringMap& map) {
  Json object = Json::object();
  for (const auto& [key, value] : map) {
    object.set(key, value);
  }
  return object;
}

bool looks_like_a_path(std::string_view text) {
  const std::string_view before_version = text.substr(0, text.find(':'));
  return text == "-" || (!text.starts_with("azureml:") && before_version != "file" &&
                         before_version.find_first_of("/.") != std::string_view::npos);
}

Error as_error(const Diagnostic& diagnostic) {
  return fail(ErrorKind::kInvalid, "{}", diagnostic.message)
      .with_location(diagnostic.at, diagnostic.excerpt)
      .with_hint(diagnostic.hint);
}

Result<Subject> read_subject(const std::string& path, Context& context) {
  definition::LoadRequest request;
  request.file = input_path(path);
  definition::Loaded loaded =
      TRY(definition::load(request, context.files(), TRY(context.read_options())));
  context.say(loaded.diagnostics);
  Subject subject;
  subject.from_file = true;
  subject.entry.fingerprint = definition::fingerprint(loaded.environment.definition);
  subject.entry.environment = std::move(loaded.environment);
  return subject;
}

}  // namespace

Json version_summary_record(const workspace::EnvironmentVersion& entry) {
  const definition::Environment& environment = entry.environment;
  Json labels = Json::array();
  for (const std::string& label : entry.labels) {
    labels.push(label);
  }
  Json record;
  record.set("name", text_or_null(environment.name))
      .set("version", text_or_null(environment.version))
      .set("fingerprint", entry.fingerprint)
      .set("image_name", definition::image_name(entry.fingerprint))
      .set("kind", definition::to_string(definition::kind_of(environment)))
      .set("description", text_or_null(environment.description))
      .set("tags", map_record(environment.tags))
      .set("properties", map_record(environment.properties))
      .set("labels", std::move(labels))
      .set("archived", entry.archived)
      .set("curated", entry.curated)
      .set("created_at", text_or_null(entry.created_at))
      .set("created_by", text_or_null(entry.created_by))
      .set("modified_at", text_or_null(entry.modified_at));
  return record;
}

Json version_record(const workspace::EnvironmentVersion& entry) {
  Json record = version_summary_record(entry);
  return record.set("definition", definition::to_json(entry.environment.definition));
}

std::string shown_name(const workspace::EnvironmentVersion& entry) {
  const definition::Environment& environment = entry.environment;
  return environment.version.empty() ? environment.name
                                     : fmt::format("{}:{}", environment.name, environment.version);
}

Result<definition::AssetReference> parse_environment_reference(const std::string& text) {
  definition::AssetReference reference = TRY(definition::parse_asset_reference(text));
  if (!reference.file.empty()) {
    return fail(ErrorKind::kUsage, "'{}' is a file; this needs a registered environment", text)
        .with_hint(fmt::format("register it first: cloche env create -f {}", reference.file));
  }
  return reference;
}

Result<definition::Loaded> load_checked(const definition::LoadRequest& request, Context& context) {
  definition::Loaded loaded =
      TRY(definition::load(request, context.files(), TRY(context.read_options())));
  definition::validate(loaded.environment, loaded.diagnostics);
  const Diagnostic* first_error = nullptr;
  for (const Diagnostic& one : loaded.diagnostics.list()) {
    if (one.severity == Severity::kError && first_error == nullptr) {
      first_error = &one;
    } else {
      context.say(one);
    }
  }
  if (first_error != nullptr) {
    return as_error(*first_error);
  }
  return loaded;
}

Result<Subject> find_subject(const std::string& text, Context& context) {
  if (looks_like_a_path(text)) {
    return read_subject(text, context);
  }
  const definition::AssetReference reference = TRY(definition::parse_asset_reference(text));
  if (!reference.file.empty()) {
    return read_subject(reference.file, context);
  }
  auto entry = TRY(context.workspace())->get(reference);
  if (!entry.has_value() && entry.error().kind == ErrorKind::kNotFound &&
      context.files().kind(text).has_value()) {
    return read_subject(text, context);
  }
  return Subject{.entry = TRY(std::move(entry)), .from_file = false};
}

}  // namespace cloche::cli
