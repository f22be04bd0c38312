// References to environments, in Azure's forms and our short one.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace cloche::definition {

// NAME, NAME:VERSION, NAME@LABEL, each also with "azureml:" in front;
// azureml://registries/R/environments/N/versions/V and .../labels/L; file:PATH. A name may hold
// points here, as those of Azure's curated environments do.
struct AssetReference {
  std::string registry;  // "" means the workspace
  std::string name;
  std::string version;  // at most one of version and label; neither means the label "latest"
  std::string label;
  std::string file;  // for file:PATH; then the rest is empty

  // The form that Azure's job files take: "azureml:NAME:VERSION", "azureml:NAME@latest", ...
  std::string to_string() const;

  // For people: "NAME:VERSION", "NAME@LABEL", "NAME"; with a registry or a file as to_string().
  std::string short_form() const;

  bool operator==(const AssetReference&) const = default;
};

// kInvalid, with the forms that there are as the hint. kUnsupported: an Azure resource id of
// somebody's workspace (/subscriptions/...), with our form of it as the hint.
Result<AssetReference> parse_asset_reference(std::string_view text);

// ^[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}$ : kInvalid says which character is wrong.
Status check_environment_name(std::string_view name);

// Whether the name begins with a prefix kept for curated environments (AzureML-, Microsoft,
// Cloche-; any case).
bool has_reserved_prefix(std::string_view name);

// As check_environment_name, and no reserved prefix.
Status check_custom_name(std::string_view name);

// Versions: ^[a-zA-Z0-9][a-zA-Z0-9\-_.+]{0,254}$
Status check_version(std::string_view version);

// Labels: the same form as versions.
Status check_label(std::string_view label);

}  // namespace cloche::definition
