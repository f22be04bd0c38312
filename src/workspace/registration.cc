// Registering: the one place where versions come from. What it promises, and how:
//   nothing acknowledged is lost   one transaction, synced before it returns; context files are in
//                                  the blob store, synced, before the row that names them
//   numbers without gap or double  the next number is read and raised in that transaction, which
//                                  has the write lock from its start
//   again is no work               the same definition is found by its digest or its fingerprint,
//                                  at first without any lock
#include <algorithm>
#include <charconv>
#include <optional>
#include <variant>

#include <fmt/format.h>

#include "blob/lease.h"
#include "core/text.h"
#include "definition/asset_reference.h"
#include "definition/definition_json.h"
#include "definition/diff.h"
#include "definition/fingerprint.h"
#include "workspace/context_files.h"
#include "workspace/locations.h"
#include "workspace/rows.h"
#include "workspace/state.h"

namespace cloche::workspace {
namespace {

constexpr std::size_t kMaxShownChanges = 20;
constexpr std::size_t kMaxNumberDigits = 15;
constexpr std::size_t kAnonymousDigits = 32;

// Texts are kept as JSON and shown in tables; bytes that are no text belong to neither.
Status check_texts(const definition::Environment& environment) {
  bool good = is_valid_utf8(environment.description);
  for (const auto* map : {&environment.tags, &environment.properties}) {
    good = good && std::ranges::all_of(*map, [](const auto& entry) {
             return is_valid_utf8(entry.first) && is_valid_utf8(entry.second);
           });
  }
  return good ? Status()
              : Status(fail(ErrorKind::kInvalid,
                            "the description, a tag or a property is not valid UTF-8"));
}

// The number that a version's name is, or 0: "7" is, "07" and "7a" are names.
std::int64_t number_of(std::string_view version) {
  std::int64_t number = 0;
  const auto [end, error] =
      std::from_chars(version.data(), version.data() + version.size(), number);
  const bool whole = error == std::errc() && end == version.data() + version.size();
  return whole && version.size() <= kMaxNumberDigits && version.front() != '0' ? number : 0;
}

std::string shown(const definition::Change& change) {
  std::string out = fmt::format("  {} {}: ", change.section, printable(change.name));
  switch (change.kind) {
    case definition::ChangeKind::kAdded:
      return out + "only in the new one: " + printable(change.after);
    case definition::ChangeKind::kRemoved:
      return out + "only in the registered one: " + printable(change.before);
    default:
      return out + printable(change.before) + " -> " + printable(change.after);
  }
}

Error conflict(const VersionRow& existing, const std::vector<definition::Change>& changes) {
  Error error =
      make_error(ErrorKind::kConflict,
                 "{}:{} is registered with another definition, and a version never changes",
                 existing.name, existing.version);
  for (std::size_t i = 0; i < std::min(changes.size(), kMaxShownChanges); ++i) {
    error.message += "\n" + shown(changes[i]);
  }
  if (changes.size() > kMaxShownChanges) {
    error.message += fmt::format("\n  and {} more", changes.size() - kMaxShownChanges);
  }
  error.hint = "leave the version out, and the next number is given";
  return error;
}

// Sets what is new, keeps the rest. True: something changed.
bool merge(definition::StringMap& into, const definition::StringMap& from) {
  bool changed = false;
  for (const auto& [key, value] : from) {
    auto [entry, is_new] = into.try_emplace(key, value);
    changed = changed || is_new || entry->second != value;
    entry->second = value;
  }
  return changed;
}

// Takes a description, tags and properties that differ into the row.
Result<bool> merge_words(VersionRow& row, const definition::Environment& environment) {
  definition::StringMap tags = TRY(map_from_text(row.tags));
  definition::StringMap properties = TRY(map_from_text(row.properties));
  const bool new_description =
      !environment.description.empty() && environment.description != row.description;
  const bool new_tags = merge(tags, environment.tags);
  const bool new_properties = merge(properties, environment.properties);
  if (new_description) {
    row.description = environment.description;
  }
  row.tags = map_to_text(tags);
  row.properties = map_to_text(properties);
  return new_description || new_tags || new_properties;
}

}  // namespace

Result<Workspace::Registered> Workspace::State::register_version(
    const definition::Environment& environment, const Origin& origin) {
  TRY(check_texts(environment));
  if (!environment.version.empty()) {
    TRY(definition::check_version(environment.version));
  }
  definition::Definition definition = environment.definition;
  // A collection that runs now must see the files as used until the row names them.
  std::optional<blob::Lease> lease;
  if (!read_only && std::holds_alternative<definition::BuildContextBase>(definition.base)) {
    lease.emplace(TRY(blob::Lease::take(blobs.root())));
  }
  TRY(store_context(definition, blobs));
  VersionRow draft{.name = environment.name, .version = environment.version};
  draft.fingerprint = definition::fingerprint(definition);
  draft.kind = definition::to_string(definition::kind_of(environment));
  draft.locations = take_locations(definition).dump();
  draft.definition = definition::to_json(definition).canonical();
  draft.digest = Digest::of(draft.definition).hex();
  if (draft.version.empty() && draft.name == definition::kAnonymousName) {
    // Not the fingerprint: environment variables make another environment, but no other image.
    draft.version = draft.digest.substr(0, kAnonymousDigits);
  }
  draft.description = environment.description;
  draft.tags = map_to_text(environment.tags);
  draft.properties = map_to_text(environment.properties);

  auto existing = TRY(find_same(draft, definition));
  if (existing && !TRY(merge_words(*existing, environment))) {
    return Registered{TRY(entry_of(*existing)), false};
  }
  TRY(check_writable());
  Transaction transaction = TRY(Transaction::begin(database));
  existing = TRY(find_same(draft, definition));  // another process may have been quicker
  const bool created = !existing.has_value();
  const VersionRow row =
      created ? TRY(add(std::move(draft), origin)) : TRY(renew(std::move(*existing), environment));
  Registered out{TRY(entry_of(row)), created};
  TRY(transaction.commit());
  return out;
}

// The version that has this definition already, as the rules of create() say where to look.
Result<std::optional<VersionRow>> Workspace::State::find_same(
    const VersionRow& draft, const definition::Definition& definition) {
  auto existing = draft.version.empty() ? TRY(catalog.find_latest(draft.name))
                                        : TRY(catalog.find_version(draft.name, draft.version));
  if (!existing || existing->digest == draft.digest) {
    return existing;
  }
  const bool may_be_same = existing->fingerprint == draft.fingerprint;
  if (!may_be_same && draft.version.empty()) {
    return std::optional<VersionRow>();
  }
  const definition::Definition registered = TRY(definition_of(*existing));
  if (may_be_same && definition::same_definition(registered, definition)) {
    return existing;
  }
  if (draft.version.empty()) {
    return std::optional<VersionRow>();
  }
  return conflict(*existing, definition::diff(registered, definition));
}

Result<VersionRow> Workspace::State::add(VersionRow draft, const Origin& origin) {
  const auto found = TRY(catalog.find_environment(draft.name));
  const EnvironmentRow environment = found ? *found : TRY(catalog.add_environment(draft.name));
  std::int64_t next = environment.next_number;
  if (draft.version.empty()) {
    draft.version = std::to_string(next++);
  } else {
    next = std::max(next, number_of(draft.version) + 1);
  }
  draft.environment_id = environment.id;
  draft.created_at = clock->now_ms();
  draft.modified_at = draft.created_at;
  draft.created_by = user;
  TRY(catalog.add_version(draft, next));
  TRY(record(origin.action, draft.name, draft.version, origin.detail));
  const auto row = TRY(catalog.find_version(draft.name, draft.version));
  return row ? Result<VersionRow>(*row)
             : fail(ErrorKind::kInternal, "the version that was added is not there");
}

Result<VersionRow> Workspace::State::renew(VersionRow row,
                                           const definition::Environment& environment) {
  if (TRY(merge_words(row, environment))) {
    row.modified_at = clock->now_ms();
    TRY(catalog.update_version(row));
    TRY(record("updated", row.name, row.version, "registered again with other words"));
  }
  return row;
}

}  // namespace cloche::workspace
