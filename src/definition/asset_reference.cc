#include "definition/asset_reference.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "core/ascii.h"
#include "core/text.h"
#include "definition/placeholder.h"

namespace cloche::definition {
namespace {

constexpr std::size_t kMaxNameLength = 255;
constexpr std::size_t kMaxReferenceLength = 4096;

constexpr std::string_view kForms =
    "write NAME:VERSION, NAME@latest, azureml:NAME:VERSION, "
    "azureml://registries/R/environments/NAME/versions/VERSION (or /labels/latest) or file:PATH";

// A letter or digit, then letters, digits and `others`: the form of every name in Azure ML's API.
Status check_word(std::string_view what, std::string_view word, std::string_view others) {
  if (word.empty()) {
    return fail(ErrorKind::kInvalid, "the {} is empty", what);
  }
  if (word.size() > kMaxNameLength) {
    return fail(ErrorKind::kInvalid, "the {} has {} characters; {} are allowed", what, word.size(),
                kMaxNameLength);
  }
  const auto* const wrong = std::ranges::find_if_not(
      word, [&](char c) { return is_alnum(c) || others.find(c) != std::string_view::npos; });
  const bool bad_start = wrong != word.begin() && !is_alnum(word.front());
  if (wrong == word.end() && !bad_start) {
    return {};
  }
  std::string hint = placeholder_hint(word);
  if (hint.empty()) {
    hint = fmt::format("letters, digits and {} are allowed, and a letter or digit comes first",
                       others);
  }
  const std::size_t at = bad_start ? 0 : static_cast<std::size_t>(wrong - word.begin());
  return fail(ErrorKind::kInvalid, "'{}' is not allowed {} the {} '{}'",
              printable(word.substr(at, 1)), bad_start ? "at the start of" : "in", what,
              printable(word))
      .with_hint(std::move(hint));
}

// Azure's curated environments have points in their names ("sklearn-1.5"), where its rule for new
// names has none.
Status check_known_name(std::string_view name) { return check_word("name", name, "-_."); }

// NAME, NAME:VERSION, NAME@LABEL.
Result<AssetReference> parse_short(std::string_view text) {
  AssetReference out;
  const std::size_t mark = text.find_first_of(":@");
  out.name = std::string(text.substr(0, mark));
  TRY(check_known_name(out.name));
  if (mark == std::string_view::npos) {
    return out;
  }
  const std::string rest(text.substr(mark + 1));
  if (text[mark] == ':') {
    TRY(check_version(rest));
    out.version = rest;
  } else {
    TRY(check_label(rest));
    out.label = rest;
  }
  return out;
}

// What follows "azureml://": registries/R/environments/N/versions/V.
Result<AssetReference> parse_registry(std::string_view path) {
  const std::vector<std::string_view> parts = split(path, '/');
  if (parts.size() >= 3 && parts[0] == "registries" && parts[2] != "environments") {
    return fail(ErrorKind::kInvalid, "this refers to {} in a registry, not to an environment",
                printable(parts[2]));
  }
  const bool versioned = parts.size() == 6 && parts[4] == "versions";
  const bool labelled = parts.size() == 6 && parts[4] == "labels";
  if ((!versioned && !labelled) || parts[0] != "registries") {
    return fail(ErrorKind::kInvalid, "not a registry's environment");
  }
  AssetReference out;
  TRY(check_word("registry's name", parts[1], "-_"));
  TRY(check_known_name(parts[3]));
  TRY(versioned ? check_version(parts[5]) : check_label(parts[5]));
  out.registry = std::string(parts[1]);
  out.name = std::string(parts[3]);
  (versioned ? out.version : out.label) = std::string(parts[5]);
  return out;
}

// /subscriptions/S/resourceGroups/G/.../workspaces/W/environments/N/versions/V
Error refuse_resource_id(std::string_view id) {
  const std::vector<std::string_view> parts = split(id, '/');
  const auto at = std::ranges::find(parts, std::string_view("environments"));
  std::string hint = "name the environment of this workspace: NAME:VERSION";
  if (parts.end() - at == 4) {
    hint = fmt::format("register it here, then write {}{}{}", printable(at[1]),
                       at[2] == "labels" ? "@" : ":", printable(at[3]));
  }
  return fail(ErrorKind::kUnsupported, "an Azure resource id names an environment in Azure")
      .with_hint(std::move(hint));
}

Result<AssetReference> parse_file(std::string_view path) {
  if (path.starts_with("///")) {
    path.remove_prefix(2);  // file:///absolute
  }
  if (path.empty() || path.starts_with("//") || path.find('\0') != std::string_view::npos) {
    return fail(ErrorKind::kInvalid, "'file:' is not followed by a path");
  }
  AssetReference out;
  out.file = std::string(path);
  return out;
}

Result<AssetReference> parse_any(std::string_view text) {
  if (text.size() > kMaxReferenceLength) {
    return fail(ErrorKind::kInvalid, "a reference of {} characters; {} are allowed", text.size(),
                kMaxReferenceLength);
  }
  if (text.starts_with("file:")) {
    return parse_file(text.substr(5));
  }
  const bool azureml = text.starts_with("azureml:");
  const std::string_view rest = azureml ? text.substr(8) : text;
  const std::size_t slashes = std::min(rest.find_first_not_of('/'), rest.size());
  if (rest.substr(slashes).starts_with("subscriptions/")) {
    return refuse_resource_id(rest);
  }
  if (azureml && slashes == 2) {
    return parse_registry(rest.substr(2));
  }
  return parse_short(rest);
}

}  // namespace

std::string AssetReference::to_string() const {
  if (!file.empty()) {
    return "file:" + file;
  }
  if (!registry.empty()) {
    return fmt::format("azureml://registries/{}/environments/{}/{}/{}", registry, name,
                       version.empty() ? "labels" : "versions",
                       !version.empty() ? version
                       : !label.empty() ? label
                                        : "latest");
  }
  return "azureml:" + short_form();
}

std::string AssetReference::short_form() const {
  if (!file.empty() || !registry.empty()) {
    return to_string();
  }
  if (!version.empty()) {
    return name + ":" + version;
  }
  return label.empty() ? name : name + "@" + label;
}

Result<AssetReference> parse_asset_reference(std::string_view text) {
  Result<AssetReference> out = parse_any(trim(text));
  if (!out.has_value() && out.error().hint.empty()) {
    std::string hint = placeholder_hint(text);
    out.error().hint = hint.empty() ? std::string(kForms) : std::move(hint);
  }
  return std::move(out).context("reading the reference '{}'", printable(text.substr(0, 200)));
}

Status check_environment_name(std::string_view name) { return check_word("name", name, "-_"); }

bool has_reserved_prefix(std::string_view name) {
  static constexpr std::array<std::string_view, 3> kReserved = {"azureml-", "microsoft", "cloche-"};
  const std::string lower = to_lower(name.substr(0, 16));
  return std::ranges::any_of(kReserved, [&](auto prefix) { return lower.starts_with(prefix); });
}

Status check_custom_name(std::string_view name) {
  TRY(check_environment_name(name));
  if (has_reserved_prefix(name)) {
    return fail(ErrorKind::kInvalid, "the name '{}' begins with a reserved prefix", name)
        .with_hint(
            "AzureML-, Microsoft and Cloche- are kept for curated environments; take another name");
  }
  return {};
}

Status check_version(std::string_view version) { return check_word("version", version, "-_.+"); }

Status check_label(std::string_view label) { return check_word("label", label, "-_.+"); }

}  // namespace cloche::definition
