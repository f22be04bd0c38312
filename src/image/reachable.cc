#include "image/reachable.h"

#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/json.h"
#include "core/text.h"

namespace cloche::image {
namespace {

constexpr std::size_t kMaxDocumentBytes = std::size_t{4} << 20U;  // as registries allow

class Visit {
 public:
  Visit(const blob::BlobStore& blobs, const blob::Keep& keep, std::string why)
      : blobs_(blobs), keep_(keep), why_(std::move(why)) {}

  // A manifest or an index, and all that it leads to.
  Status document(const Digest& first) {
    std::vector<Digest> open = {first};
    while (!open.empty()) {
      const Digest digest = open.back();
      open.pop_back();
      if (!documents_.insert(digest).second) {
        continue;
      }
      name(digest);
      if (!blobs_.contains(digest)) {
        continue;  // of a platform that was not pulled
      }
      const std::string text =
          TRY(blobs_.read(digest, kMaxDocumentBytes).context("reading what {} needs", why_));
      auto json = parse_json(text, digest.to_string());
      if (!json) {
        return fail(ErrorKind::kCorrupt, "{} is no manifest of {}: {}", digest.to_string(), why_,
                    json.error().message)
            .with_hint("delete that image, and collect again");
      }
      for (const Json* child : {&(*json)["manifests"], &(*json)["subject"]}) {
        collect(*child, open);
      }
      std::vector<Digest> plain;
      collect(*json, plain);
      for (const Digest& one : plain) {
        name(one);
      }
    }
    return {};
  }

 private:
  void name(const Digest& digest) {
    if (named_.insert(digest).second) {
      keep_(digest, why_);
    }
  }

  // Every "digest" in it; parse_json() has bounded the depth.
  static void collect(const Json& json, std::vector<Digest>& out) {
    if (json.is_array()) {
      for (const Json& item : json.items()) {
        collect(item, out);
      }
    } else if (json.is_object()) {
      for (const auto& [key, value] : json.members()) {
        if (key != "digest" || !value.is_string()) {
          collect(value, out);
        } else if (auto digest = Digest::parse(value.as_string())) {
          out.push_back(std::move(*digest));
        }
      }
    }
  }

  const blob::BlobStore& blobs_;
  const blob::Keep& keep_;
  std::string why_;
  std::set<Digest> documents_;
  std::set<Digest> named_;
};

}  // namespace

Status visit_images(const Layout& layout, const blob::Keep& keep) {
  for (const StoredImage& image : TRY(layout.list())) {
    const std::string name =
        image.name.empty() ? image.manifest.digest.to_string() : printable(image.name);
    TRY(Visit(layout.blobs(), keep, "image " + name).document(image.manifest.digest));
  }
  return {};
}

}  // namespace cloche::image
