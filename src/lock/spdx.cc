#include "lock/spdx.h"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "core/json.h"
#include "core/text.h"
#include "lock/foreign.h"
#include "lock/sbom.h"
#include "lock/spdx_license.h"

namespace cloche::lock {
namespace {

constexpr std::string_view kDocument = "SPDXRef-DOCUMENT";
constexpr std::string_view kRoot = "SPDXRef-Environment";
constexpr std::string_view kBaseImage = "SPDXRef-BaseImage";
constexpr std::string_view kNoAssertion = "NOASSERTION";
constexpr std::string_view kLicenseRef = "LicenseRef-";
constexpr std::size_t kTellingDigits = 8;

bool fits_id(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-';
}

// SPDX identifiers have letters, digits, '.' and '-' only; what had others gets a bit of its hash,
// so that two texts never share one.
std::string as_id(std::string_view text) {
  std::string out(text);
  bool changed = text.empty();
  for (char& c : out) {
    if (!fits_id(c)) {
      c = '-';
      changed = true;
    }
  }
  return changed ? out + "-" + Digest::of(text).hex().substr(0, kTellingDigits) : out;
}

std::string id_of(const SbomPart& part) {
  return fmt::format("SPDXRef-Package-{}-{}", part.ecosystem, as_id(part.name));
}

// Licences that are on no list, with the text that the channel has for them.
class ExtractedLicenses {
 public:
  // The expression for a part.
  std::string expression(const std::string& license) {
    std::string text(trim(license));
    switch (license_kind(text)) {
      case LicenseKind::kNone:
        return std::string(kNoAssertion);
      case LicenseKind::kId:
        return text;
      case LicenseKind::kExpression:
        return with_references(text);
      case LicenseKind::kName:
        break;
    }
    const std::string id = std::string(kLicenseRef) + as_id(text);
    texts_.emplace(id, text);
    return id;
  }

  Json to_json() const {
    Json out = Json::array();
    for (const auto& [id, text] : texts_) {
      out.push(
          Json::object()
              .set("licenseId", id)
              .set("extractedText", "The channel names this licence and has no text of it: " + text)
              .set("name", text));
    }
    return out;
  }

 private:
  std::string with_references(const std::string& expression) {
    for (std::size_t at = expression.find(kLicenseRef); at != std::string::npos;
         at = expression.find(kLicenseRef, at + 1)) {
      const std::size_t end = expression.find_first_of(" )+", at);
      const std::string id = expression.substr(at, end - at);
      texts_.emplace(id, id.substr(kLicenseRef.size()));
    }
    return expression;
  }

  std::map<std::string, std::string> texts_;
};

Json checksums_of(const SbomPart& part) {
  Json out = Json::array();
  const auto add = [&](std::string_view algorithm, const std::string& value) {
    if (!value.empty()) {
      out.push(Json::object().set("algorithm", algorithm).set("checksumValue", value));
    }
  };
  add("MD5", part.md5);
  add("SHA256", part.sha256);
  return out;
}

Json package_record(std::string_view id, const std::string& name, const std::string& version) {
  Json out;
  out.set("SPDXID", id).set("name", name);
  if (!version.empty()) {
    out.set("versionInfo", version);
  }
  return out;
}

// The fields that every package has; `license` is what the channel declares.
void add_terms(Json& record, std::string_view location, std::string_view license) {
  record.set("downloadLocation", location.empty() ? kNoAssertion : location)
      .set("filesAnalyzed", false)
      .set("licenseConcluded", kNoAssertion)
      .set("licenseDeclared", license)
      .set("copyrightText", kNoAssertion);
}

void add_purl(Json& record, const std::string& purl) {
  record.set("externalRefs", Json::array().push(Json::object()
                                                    .set("referenceCategory", "PACKAGE-MANAGER")
                                                    .set("referenceType", "purl")
                                                    .set("referenceLocator", purl)));
}

Json package_of(const SbomPart& part, ExtractedLicenses& licenses) {
  Json out = package_record(id_of(part), part.name, part.version);
  if (!part.file_name.empty()) {
    out.set("packageFileName", part.file_name);
  }
  add_terms(out, part.url, licenses.expression(part.license));
  if (Json checksums = checksums_of(part); !checksums.items().empty()) {
    out.set("checksums", std::move(checksums));
  }
  add_purl(out, part.purl);
  return out;
}

Json environment_package(const Lock& lock) {
  Json out = package_record(kRoot, name_of(lock), lock.fingerprint);
  add_terms(out, "", kNoAssertion);
  return out.set("primaryPackagePurpose", "CONTAINER");
}

Json image_package(const BaseImage& image) {
  Json out = package_record(kBaseImage, image.reference, image.digest);
  add_terms(out, "", kNoAssertion);
  if (!image.digest.empty()) {
    add_purl(out, purl_of(image));
  }
  return out.set("primaryPackagePurpose", "CONTAINER");
}

Json relationship(std::string_view from, std::string_view type, std::string_view to) {
  return Json::object()
      .set("spdxElementId", from)
      .set("relationshipType", type)
      .set("relatedSpdxElement", to);
}

Json relationships_of(const Lock& lock, const std::vector<SbomPart>& parts) {
  Json out = Json::array();
  out.push(relationship(kDocument, "DESCRIBES", kRoot));
  if (lock.base_image) {
    out.push(relationship(kRoot, "DESCENDANT_OF", kBaseImage));
  }
  for (const SbomPart& part : parts) {
    out.push(relationship(kRoot, "CONTAINS", id_of(part)));
  }
  for (const std::size_t place : roots_of(parts)) {
    out.push(relationship(kRoot, "DEPENDS_ON", id_of(parts[place])));
  }
  for (const SbomPart& part : parts) {
    for (const std::size_t place : part.depends_on) {
      out.push(relationship(id_of(part), "DEPENDS_ON", id_of(parts[place])));
    }
  }
  return out;
}

}  // namespace

Result<std::string> write_spdx(const Lock& lock, const ExportOptions& /*options*/,
                               Diagnostics& diagnostics) {
  const std::vector<SbomPart> parts = parts_of(lock);
  ExtractedLicenses licenses;
  Json packages = Json::array();
  packages.push(environment_package(lock));
  if (lock.base_image) {
    packages.push(image_package(*lock.base_image));
  }
  for (const SbomPart& part : parts) {
    packages.push(package_of(part, licenses));
  }
  warn_of_loss(lock, {.format = "a bill of materials"}, diagnostics);
  Json out;
  out.set("spdxVersion", "SPDX-2.3")
      .set("dataLicense", "CC0-1.0")
      .set("SPDXID", kDocument)
      .set("name", name_of(lock))
      .set("documentNamespace",
           fmt::format("https://spdx.org/spdxdocs/{}-{}", name_of(lock), uuid_of(lock)))
      .set("creationInfo", Json::object()
                               .set("created", created_of(lock))
                               .set("creators", Json::array().push("Tool: cloche")))
      .set("documentDescribes", Json::array().push(kRoot))
      .set("packages", std::move(packages));
  if (Json extracted = licenses.to_json(); !extracted.items().empty()) {
    out.set("hasExtractedLicensingInfos", std::move(extracted));
  }
  out.set("relationships", relationships_of(lock, parts));
  return out.dump(2) + "\n";
}

}  // namespace cloche::lock
