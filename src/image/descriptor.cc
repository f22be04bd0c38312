#include "image/descriptor.h"

#include "core/text.h"
#include "image/json_fields.h"

namespace cloche::image {
namespace {

constexpr std::int64_t kMaxBytes = std::int64_t{1} << 40U;

Result<Digest> read_digest(const Json& json, std::string_view what) {
  const std::string text = TRY(text_field(json, "digest", what));
  if (text.starts_with("sha512:") || text.starts_with("sha384:")) {
    return fail(ErrorKind::kUnsupported, "{}: {} digests are not supported, only sha256", what,
                text.substr(0, text.find(':')));
  }
  return Digest::parse(text).context("in {}", what);
}

Result<std::uint64_t> read_size(const Json& json, std::string_view what) {
  const Json& size = json["size"];
  if (!size.is_integer() || size.as_integer() < 0 || size.as_integer() > kMaxBytes) {
    return fail(ErrorKind::kInvalid, "{}: \"size\" is not a number of bytes up to {}", what,
                kMaxBytes);
  }
  return static_cast<std::uint64_t>(size.as_integer());
}

// null and [] say nothing.
Status refuse_urls(const Json& json, std::string_view what) {
  const Json& urls = json["urls"];
  if (urls.is_null() || (urls.is_array() && urls.items().empty())) {
    return {};
  }
  return fail(ErrorKind::kUnsupported, "{} is to be fetched from another place (\"urls\")", what)
      .with_hint("take another base image: one whose registry has all its layers");
}

}  // namespace

Result<Descriptor> read_descriptor(const Json& json, std::string_view what) {
  if (!json.is_object()) {
    return fail(ErrorKind::kInvalid, "{} is not an object", what);
  }
  TRY(refuse_urls(json, what));
  Descriptor descriptor;
  descriptor.media_type = TRY(text_field(json, "mediaType", what));
  if (descriptor.media_type.empty()) {
    return fail(ErrorKind::kInvalid, "{} has no \"mediaType\"", what);
  }
  descriptor.digest = TRY(read_digest(json, what));
  descriptor.size_bytes = TRY(read_size(json, what));
  descriptor.annotations = TRY(text_map_field(json, "annotations", what));
  descriptor.artifact_type = TRY(text_field(json, "artifactType", what));
  if (const Json& platform = json["platform"]; platform.is_object()) {
    descriptor.platform = TRY(read_platform(platform, what));
  } else if (!platform.is_null()) {
    return fail(ErrorKind::kInvalid, "{}: \"platform\" is not an object", what);
  }
  return descriptor;
}

Json to_json(const Descriptor& descriptor) {
  Json json = Json::object();
  json.set("mediaType", descriptor.media_type);
  json.set("digest", descriptor.digest.to_string());
  json.set("size", static_cast<std::int64_t>(descriptor.size_bytes));
  if (!descriptor.annotations.empty()) {
    json.set("annotations", to_json(descriptor.annotations));
  }
  if (descriptor.platform) {
    Json platform = Json::object();
    write_platform(platform, *descriptor.platform);
    json.set("platform", std::move(platform));
  }
  if (!descriptor.artifact_type.empty()) {
    json.set("artifactType", descriptor.artifact_type);
  }
  return json;
}

}  // namespace cloche::image
