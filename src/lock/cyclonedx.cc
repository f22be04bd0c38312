#include "lock/cyclonedx.h"

#include <utility>

#include "core/json.h"
#include "core/text.h"
#include "lock/foreign.h"
#include "lock/sbom.h"
#include "lock/spdx_license.h"

namespace cloche::lock {
namespace {

constexpr std::string_view kRoot = "environment";
constexpr std::string_view kBaseImage = "base-image";

Json property(std::string_view name, std::string_view value) {
  return Json::object().set("name", name).set("value", value);
}

Json hashes_of(const SbomPart& part) {
  Json out = Json::array();
  const auto add = [&](std::string_view algorithm, const std::string& content) {
    if (!content.empty()) {
      out.push(Json::object().set("alg", algorithm).set("content", content));
    }
  };
  add("MD5", part.md5);
  add("SHA-256", part.sha256);
  return out;
}

Json licenses_of(const SbomPart& part) {
  const std::string license(trim(part.license));
  Json out = Json::array();
  switch (license_kind(license)) {
    case LicenseKind::kNone:
      break;
    case LicenseKind::kId:
      out.push(Json::object().set("license", Json::object().set("id", license)));
      break;
    case LicenseKind::kExpression:
      out.push(Json::object().set("expression", license));
      break;
    case LicenseKind::kName:
      out.push(Json::object().set("license", Json::object().set("name", license)));
      break;
  }
  return out;
}

void set_unless_empty(Json& record, std::string_view key, Json list) {
  if (!list.items().empty()) {
    record.set(key, std::move(list));
  }
}

Json component_of(const SbomPart& part) {
  Json out;
  out.set("type", "library")
      .set("bom-ref", part.purl)
      .set("name", part.name)
      .set("version", part.version);
  set_unless_empty(out, "hashes", hashes_of(part));
  set_unless_empty(out, "licenses", licenses_of(part));
  out.set("purl", part.purl);
  if (!part.url.empty()) {
    out.set("externalReferences",
            Json::array().push(Json::object().set("type", "distribution").set("url", part.url)));
  }
  return out;
}

Json image_component(const BaseImage& image) {
  Json out;
  out.set("type", "container").set("bom-ref", kBaseImage).set("name", image.reference);
  if (!image.digest.empty()) {
    out.set("version", image.digest).set("purl", purl_of(image));
  }
  return out;
}

Json dependency(std::string_view ref, Json depends_on) {
  Json out = Json::object().set("ref", ref);
  set_unless_empty(out, "dependsOn", std::move(depends_on));
  return out;
}

Json refs(const std::vector<std::size_t>& places, const std::vector<SbomPart>& parts) {
  Json out = Json::array();
  for (const std::size_t place : places) {
    out.push(parts[place].purl);
  }
  return out;
}

Json dependencies_of(const Lock& lock, const std::vector<SbomPart>& parts) {
  Json root = refs(roots_of(parts), parts);
  Json out = Json::array();
  if (lock.base_image) {
    root.push(kBaseImage);
    out.push(dependency(kBaseImage, Json::array()));
  }
  for (const SbomPart& part : parts) {
    out.push(dependency(part.purl, refs(part.depends_on, parts)));
  }
  out.items().insert(out.items().begin(), dependency(kRoot, std::move(root)));
  return out;
}

Json metadata_of(const Lock& lock) {
  Json properties = Json::array();
  if (!lock.fingerprint.empty()) {
    properties.push(property("cloche:fingerprint", lock.fingerprint));
  }
  properties.push(property("cloche:lock", digest_of(lock).to_string()))
      .push(property("cloche:platform", lock.platform));
  for (const VirtualPackage& one : lock.virtual_packages) {
    properties.push(property("cloche:virtual-package", one.to_string()));
  }
  const Json tool = Json::object().set("type", "application").set("name", "cloche");
  Json out;
  out.set("tools", Json::object().set("components", Json::array().push(tool)))
      .set("component",
           Json::object().set("type", "container").set("bom-ref", kRoot).set("name", name_of(lock)))
      .set("properties", std::move(properties));
  return out;
}

}  // namespace

Result<std::string> write_cyclonedx(const Lock& lock, const ExportOptions& /*options*/,
                                    Diagnostics& diagnostics) {
  const std::vector<SbomPart> parts = parts_of(lock);
  Json components = Json::array();
  if (lock.base_image) {
    components.push(image_component(*lock.base_image));
  }
  for (const SbomPart& part : parts) {
    components.push(component_of(part));
  }
  warn_of_loss(lock, {.format = "a bill of materials"}, diagnostics);
  Json out;
  out.set("$schema", "http://cyclonedx.org/schema/bom-1.5.schema.json")
      .set("bomFormat", "CycloneDX")
      .set("specVersion", "1.5")
      .set("serialNumber", "urn:uuid:" + uuid_of(lock))
      .set("version", 1)
      .set("metadata", metadata_of(lock))
      .set("components", std::move(components))
      .set("dependencies", dependencies_of(lock, parts));
  return out.dump(2) + "\n";
}

}  // namespace cloche::lock
