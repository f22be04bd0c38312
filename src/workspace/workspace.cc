#include "workspace/workspace.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/files.h"
#include "core/text.h"
#include "definition/fingerprint.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "workspace/curated.h"
#include "workspace/rows.h"
#include "workspace/schema.h"
#include "workspace/state.h"

namespace cloche::workspace {
namespace {

constexpr std::string_view kLatest = "latest";
constexpr std::int64_t kMaxNamesCompared = 2000;
constexpr std::int64_t kMaxVersionsShown = 8;

// "key" or "key=value".
bool has_tag(const definition::StringMap& tags, const std::string& wanted) {
  const std::size_t equals = wanted.find('=');
  const auto found = tags.find(wanted.substr(0, equals));
  return found != tags.end() &&
         (equals == std::string::npos || found->second == wanted.substr(equals + 1));
}

EnvironmentSummary curated_summary(const definition::Environment& environment) {
  return {.name = environment.name,
          .latest_version = environment.version,
          .description = environment.description,
          .fingerprint = definition::fingerprint(environment.definition),
          .kind = std::string(to_string(definition::Kind::kCurated)),
          .version_count = static_cast<std::int64_t>(curated_versions(environment.name).size())};
}

std::vector<EnvironmentSummary> curated_summaries(const ListOptions& options) {
  std::vector<EnvironmentSummary> out;
  for (const definition::Environment& one : curated_environments()) {
    const bool newest = find_curated(one.name, "") == &one;
    if (newest && one.name > options.after_name &&
        (options.tag.empty() || has_tag(one.tags, options.tag))) {
      out.push_back(curated_summary(one));
    }
  }
  return out;
}

Error no_version(const std::string& name, const std::string& wanted,
                 const std::vector<std::string>& there) {
  return fail(ErrorKind::kNotFound, "{} has no {}", printable(name), printable(wanted))
      .with_hint(there.empty() ? std::string()
                               : fmt::format("there is {}", fmt::join(there, ", ")));
}

Result<EnvironmentVersion> find_curated_entry(const definition::AssetReference& reference) {
  const bool by_label = !reference.label.empty() && reference.label != kLatest;
  const auto* found = by_label ? nullptr : find_curated(reference.name, reference.version);
  if (found != nullptr) {
    return curated_entry(*found);
  }
  std::vector<std::string> there;
  for (const auto* one : curated_versions(reference.name)) {
    there.push_back("version " + one->version);
  }
  return no_version(reference.name,
                    by_label ? "label " + reference.label : "version " + reference.version, there);
}

// Only names with a reserved prefix are looked for among the curated ones, which are not even
// parsed for others.
bool is_curated(const std::string& name) {
  return definition::has_reserved_prefix(name) && !curated_versions(name).empty();
}

Status check_can_change(const definition::AssetReference& reference) {
  if (!reference.registry.empty()) {
    return fail(ErrorKind::kUnsupported, "what stands in registry {} is not changed from here",
                printable(reference.registry))
        .with_hint("a registry is laid out as a workspace: use --workspace with its directory");
  }
  if (is_curated(reference.name)) {
    return fail(ErrorKind::kPermission,
                "{} is curated: it ships with the program and never changes", reference.name)
        .with_hint(fmt::format("make your own of it: cloche env copy {} NEW-NAME", reference.name));
  }
  return {};
}

std::string shown_update(const VersionUpdate& update) {
  std::vector<std::string> parts;
  if (update.description) {
    parts.emplace_back("description");
  }
  for (const auto& [key, value] : update.set_tags) {
    parts.push_back(fmt::format("tag {}={}", key, value));
  }
  for (const std::string& key : update.remove_tags) {
    parts.push_back("without tag " + key);
  }
  return join(parts, ", ");
}

}  // namespace

Status check_new_name(const std::string& name) {
  if (name == definition::kAnonymousName) {
    return fail(ErrorKind::kInvalid, "the name {} is kept for environments of jobs", name)
        .with_hint("choose another name");
  }
  auto status = definition::check_custom_name(name);
  if (!status && definition::has_reserved_prefix(name)) {
    status.error().hint = "curated environments are read-only: copy one under another name";
  }
  return status;
}

definition::AssetReference reference_to(const std::string& name, const std::string& version) {
  definition::AssetReference out;
  out.name = name;
  out.version = version;
  return out;
}

EnvironmentVersion curated_entry(const definition::Environment& environment) {
  EnvironmentVersion out;
  out.environment = environment;
  out.fingerprint = definition::fingerprint(environment.definition);
  out.curated = true;
  if (find_curated(environment.name, "") == &environment) {
    out.labels = {std::string(kLatest)};
  }
  return out;
}

// ---- state

Workspace::State::State(const Options& options, Database opened, bool is_read_only, Settings read)
    : directory(options.directory),
      read_only(is_read_only),
      settings(std::move(read)),
      database(std::move(opened)),
      catalog(database),
      blobs(directory),
      clock(options.clock != nullptr ? options.clock : &system_clock),
      user(options.user) {
  if (user.empty()) {
    user = settings.user.empty() ? io::user_name() : settings.user;
  }
}

Status Workspace::State::check_writable() const {
  if (read_only) {
    return fail(ErrorKind::kPermission, "the workspace {} can only be read", printable(directory))
        .with_hint("see its permissions, or name another one with --workspace");
  }
  return {};
}

Status Workspace::State::record(std::string_view action, std::string_view name,
                                std::string_view version, std::string_view detail) {
  return catalog.add_event({.at = clock->now_ms(),
                            .user = user,
                            .action = std::string(action),
                            .name = std::string(name),
                            .version = std::string(version),
                            .detail = std::string(detail)});
}

Result<EnvironmentVersion> Workspace::State::entry_of(const VersionRow& row) {
  EnvironmentVersion out;
  out.environment.name = row.name;
  out.environment.version = row.version;
  out.environment.description = row.description;
  out.environment.tags = TRY(map_from_text(row.tags));
  out.environment.properties = TRY(map_from_text(row.properties));
  out.environment.definition = TRY(definition_of(row));
  out.fingerprint = row.fingerprint;
  out.archived = row.archived || row.environment_archived;
  out.labels = TRY(catalog.labels_of(row.id));
  if (row.latest && !row.environment_archived) {
    out.labels.insert(out.labels.begin(), std::string(kLatest));
  }
  out.created_at = to_rfc3339(row.created_at);
  out.created_by = row.created_by;
  out.modified_at = to_rfc3339(row.modified_at);
  return out;
}

Result<Error> Workspace::State::no_environment(const std::string& name) {
  std::vector<std::string> names = TRY(catalog.names_like(name, kMaxNamesCompared));
  for (const definition::Environment& one : curated_environments()) {
    names.push_back(one.name);
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view near = nearest(name, views);
  return fail(ErrorKind::kNotFound, "no environment {}", printable(name))
      .with_hint(near.empty() ? "`cloche env list` shows what there is"
                              : fmt::format("did you mean {}?", near));
}

Result<EnvironmentRow> Workspace::State::find_environment(const std::string& name) {
  const auto found = TRY(catalog.find_environment(name));
  if (!found) {
    return TRY(no_environment(name));
  }
  return *found;
}

Result<VersionRow> Workspace::State::find_row(const definition::AssetReference& reference) {
  const std::string& name = reference.name;
  if (!reference.version.empty()) {
    if (auto row = TRY(catalog.find_version(name, reference.version))) {
      return std::move(*row);
    }
    TRY(find_environment(name));
    return no_version(name, "version " + reference.version,
                      TRY(catalog.version_names(name, kMaxVersionsShown)));
  }
  const bool latest = reference.label.empty() || reference.label == kLatest;
  if (auto row = latest ? TRY(catalog.find_latest(name))
                        : TRY(catalog.find_labelled(name, reference.label));
      row && !(latest && row->environment_archived)) {
    return std::move(*row);
  }
  const EnvironmentRow environment = TRY(find_environment(name));
  if (latest) {
    return fail(ErrorKind::kNotFound, "{} is archived", name)
        .with_hint(
            fmt::format("name an exact version, or restore it: cloche env restore {}", name));
  }
  return no_version(name, "label " + reference.label, TRY(catalog.labels(environment.id)));
}

// ---- workspace

Workspace::Workspace(std::unique_ptr<State> state) : state_(std::move(state)) {}
Workspace::~Workspace() = default;
Workspace::Workspace(Workspace&&) noexcept = default;
Workspace& Workspace::operator=(Workspace&&) noexcept = default;

Result<Workspace> Workspace::open(const Options& options) {
  const std::string path = join_path(options.directory, "workspace.db");
  io::DiskFiles files;
  if (!options.create_missing && !files.kind(path)) {
    return fail(ErrorKind::kNotFound, "no workspace in {}", printable(options.directory))
        .with_hint("`cloche workspace init` makes one");
  }
  TRY(io::make_directories(options.directory).context("making the workspace"));
  Settings settings = TRY(read_settings(options.directory, files));
  bool read_only = false;
  Database database = TRY(open_database(path, read_only)
                              .context("opening the workspace {}", printable(options.directory)));
  return Workspace(
      std::make_unique<State>(options, std::move(database), read_only, std::move(settings)));
}

const std::string& Workspace::directory() const { return state_->directory; }
bool Workspace::read_only() const { return state_->read_only; }
const definition::ReadOptions& Workspace::read_options() const {
  return state_->settings.read_options;
}
const Diagnostics& Workspace::diagnostics() const { return state_->settings.diagnostics; }
blob::BlobStore& Workspace::blobs() { return state_->blobs; }

Result<Workspace::Registered> Workspace::create(const definition::Environment& environment) {
  TRY(check_new_name(environment.name));
  return state_->register_version(environment, {});
}

Result<Workspace::Registered> Workspace::create_anonymous(
    const definition::Environment& environment) {
  definition::Environment anonymous = environment;
  anonymous.name = definition::kAnonymousName;
  return state_->register_version(anonymous, {});
}

Result<EnvironmentVersion> Workspace::get(const definition::AssetReference& reference) {
  if (!reference.file.empty()) {
    return fail(ErrorKind::kInvalid, "file:{} is no registered environment",
                printable(reference.file))
        .with_hint("register it first: cloche env create -f FILE");
  }
  if (!reference.registry.empty()) {
    return get_from_registry(reference);
  }
  if (is_curated(reference.name)) {
    return find_curated_entry(reference);
  }
  return state_->entry_of(TRY(state_->find_row(reference)));
}

Result<std::optional<EnvironmentVersion>> Workspace::find_by_fingerprint(
    std::string_view fingerprint) {
  if (const auto row = TRY(state_->catalog.find_by_fingerprint(fingerprint))) {
    return TRY(state_->entry_of(*row));
  }
  for (const definition::Environment& one : curated_environments()) {
    if (definition::fingerprint(one.definition) == fingerprint) {
      return curated_entry(one);
    }
  }
  return std::optional<EnvironmentVersion>();
}

Result<std::vector<EnvironmentSummary>> Workspace::list(const ListOptions& options) {
  std::vector<EnvironmentSummary> out;
  const std::vector<EnvironmentSummary> curated =
      options.include_curated ? curated_summaries(options) : std::vector<EnvironmentSummary>();
  const auto limit = options.limit > 0 ? static_cast<std::size_t>(options.limit) : SIZE_MAX;
  Status status;
  const auto take = [&](SummaryRow row) {
    if (!options.tag.empty()) {
      const auto tags = map_from_text(row.tags);
      status = tags ? Status() : Status(tags.error());
      if (!tags || !has_tag(*tags, options.tag)) {
        return status.has_value();
      }
    }
    out.push_back(std::move(row.summary));
    return out.size() < limit;
  };
  TRY(state_->catalog.list(options.after_name, options.include_archived, take));
  TRY(std::move(status));
  std::vector<EnvironmentSummary> merged;
  merged.reserve(out.size() + curated.size());
  std::merge(std::make_move_iterator(out.begin()), std::make_move_iterator(out.end()),
             curated.begin(), curated.end(), std::back_inserter(merged),
             [](const auto& a, const auto& b) { return a.name < b.name; });
  merged.resize(std::min(merged.size(), limit));
  return merged;
}

Result<std::vector<EnvironmentVersion>> Workspace::versions(const std::string& name,
                                                            bool include_archived) {
  std::vector<EnvironmentVersion> out;
  if (is_curated(name)) {
    for (const definition::Environment* one : curated_versions(name)) {
      out.push_back(curated_entry(*one));
    }
    return out;
  }
  TRY(state_->find_environment(name));
  for (const VersionRow& row : TRY(state_->catalog.versions(name, include_archived))) {
    out.push_back(TRY(state_->entry_of(row)));
  }
  return out;
}

Result<std::vector<Event>> Workspace::history(const std::string& name, const std::string& version) {
  if (is_curated(name)) {
    return std::vector<Event>();
  }
  TRY(state_->find_environment(name));
  if (!version.empty()) {
    TRY(state_->find_row(reference_to(name, version)));
  }
  return state_->catalog.events(name, version);
}

Result<EnvironmentVersion> Workspace::update(const definition::AssetReference& reference,
                                             const VersionUpdate& update) {
  TRY(check_can_change(reference));
  TRY(state_->check_writable());
  Transaction transaction = TRY(Transaction::begin(state_->database));
  VersionRow row = TRY(state_->find_row(reference));
  definition::StringMap tags = TRY(map_from_text(row.tags));
  for (const auto& [key, value] : update.set_tags) {
    tags[key] = value;
  }
  for (const std::string& key : update.remove_tags) {
    if (tags.erase(key) == 0) {
      return fail(ErrorKind::kNotFound, "{}:{} has no tag {}", row.name, row.version,
                  printable(key));
    }
  }
  row.tags = map_to_text(tags);
  row.description = update.description.value_or(row.description);
  if (!is_valid_utf8(row.description) || !is_valid_utf8(shown_update(update))) {
    return fail(ErrorKind::kInvalid, "the description or a tag is not valid UTF-8");
  }
  row.modified_at = state_->clock->now_ms();
  TRY(state_->catalog.update_version(row));
  TRY(state_->record("updated", row.name, row.version, shown_update(update)));
  EnvironmentVersion out = TRY(state_->entry_of(row));
  TRY(transaction.commit());
  return out;
}

Status Workspace::set_archived(const std::string& name, const std::string& version, bool archived) {
  TRY(check_can_change(reference_to(name, version)));
  TRY(state_->check_writable());
  Transaction transaction = TRY(Transaction::begin(state_->database));
  if (version.empty()) {
    const EnvironmentRow environment = TRY(state_->find_environment(name));
    if (environment.archived == archived) {
      return {};
    }
    TRY(state_->catalog.archive_environment(environment.id, archived));
  } else {
    const VersionRow row = TRY(state_->find_row(reference_to(name, version)));
    if (row.archived == archived) {
      return {};
    }
    TRY(state_->catalog.archive_version(row, archived, state_->clock->now_ms()));
  }
  TRY(state_->record(archived ? "archived" : "restored", name, version, ""));
  return transaction.commit();
}

Status Workspace::set_label(const std::string& name, const std::string& label,
                            const std::string& version) {
  TRY(check_can_change(reference_to(name)));
  TRY(definition::check_label(label));
  if (label == kLatest) {
    return fail(ErrorKind::kInvalid, "the label latest moves by itself")
        .with_hint("register the version anew, or use a label of your own");
  }
  TRY(state_->check_writable());
  Transaction transaction = TRY(Transaction::begin(state_->database));
  const EnvironmentRow environment = TRY(state_->find_environment(name));
  if (version.empty()) {
    if (!TRY(state_->catalog.remove_label(environment.id, label))) {
      return no_version(name, "label " + label, TRY(state_->catalog.labels(environment.id)));
    }
    TRY(state_->record("labelled", name, "", "without " + label));
  } else {
    const VersionRow row = TRY(state_->find_row(reference_to(name, version)));
    TRY(state_->catalog.set_label(row, label));
    TRY(state_->record("labelled", name, version, label));
  }
  return transaction.commit();
}

}  // namespace cloche::workspace
