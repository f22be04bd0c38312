#include "definition/base_text.h"

#include <algorithm>
#include <array>

#include "core/credentials.h"
#include "core/text.h"
#include "definition/placeholder.h"
#include "package/oci/reference.h"

namespace cloche::definition {

Result<ImageBase> read_image_text(std::string_view text, const Location& at) {
  text = trim(text);
  auto reference = oci::parse_reference(text);
  if (!reference.has_value()) {
    Error error = std::move(reference).error();
    if (std::string hint = placeholder_hint(text); !hint.empty()) {
      error.hint = std::move(hint);
    }
    return std::move(error).with_location(at);
  }
  return ImageBase{std::string(text), at};
}

bool is_remote_context(std::string_view path) {
  return path.find("://") != std::string_view::npos || path.starts_with("git@");
}

Result<BuildContextBase> remote_build_context(std::string_view uri,
                                              const std::string& dockerfile_path) {
  static constexpr std::array<std::string_view, 5> kSchemes = {"https://", "http://", "git://",
                                                               "ssh://", "git@"};
  const bool odd = std::ranges::any_of(
      uri, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; });
  if (odd) {
    return fail(ErrorKind::kInvalid, "blanks and control characters do not belong into a URL");
  }
  if (has_password(uri)) {  // it would be stored with the definition, and shown to everyone
    return fail(ErrorKind::kInvalid, "the build context's URL holds a password: {}",
                printable(hide_passwords(uri)))
        .with_hint("take it out of the URL; git and curl find it in ~/.netrc");
  }
  if (std::ranges::none_of(kSchemes, [&](auto scheme) { return uri.starts_with(scheme); })) {
    return fail(ErrorKind::kUnsupported, "a build context at '{}' cannot be reached",
                printable(uri))
        .with_hint("a folder, a git URL or an https URL of an archive is possible");
  }
  const std::string normal = normal_path(dockerfile_path);
  if (normal.starts_with('/') || normal.starts_with("..") || normal == ".") {
    return fail(ErrorKind::kInvalid, "the Dockerfile '{}' is not inside the build context",
                printable(dockerfile_path));
  }
  BuildContextBase out;
  out.dockerfile_path = normal;
  out.uri = std::string(uri);
  return out;
}

}  // namespace cloche::definition
