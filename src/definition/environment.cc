#include "definition/environment.h"

#include <algorithm>
#include <array>

namespace cloche::definition {

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::kCurated:
      return "curated";
    case Kind::kUserManaged:
      return "user-managed";
    case Kind::kSystemManaged:
      return "system-managed";
    case Kind::kAnonymous:
      return "anonymous";
  }
  return "user-managed";
}

Kind kind_of(const Environment& environment) {
  static constexpr std::array<std::string_view, 3> kReserved = {"AzureML-", "Microsoft", "Cloche-"};
  if (environment.name == kAnonymousName) {
    return Kind::kAnonymous;
  }
  if (std::ranges::any_of(kReserved,
                          [&](auto prefix) { return environment.name.starts_with(prefix); })) {
    return Kind::kCurated;
  }
  return environment.definition.user_managed() ? Kind::kUserManaged : Kind::kSystemManaged;
}

std::string_view image_reference(const Definition& definition) {
  const auto* image = std::get_if<ImageBase>(&definition.base);
  return image != nullptr ? std::string_view(image->reference) : std::string_view();
}

const std::string* dockerfile_text(const Definition& definition) {
  if (const auto* file = std::get_if<DockerfileBase>(&definition.base)) {
    return &file->text;
  }
  if (const auto* context = std::get_if<BuildContextBase>(&definition.base)) {
    return context->uri.empty() ? &context->dockerfile : nullptr;
  }
  return nullptr;
}

}  // namespace cloche::definition
