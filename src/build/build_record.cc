#include "build/build_record.h"

#include <algorithm>
#include <utility>

#include "blob/segment_store.h"
#include "build/debian_configure.h"
#include "core/files.h"
#include "image/manifest.h"
#include "io/disk_files.h"
#include "io/file.h"

namespace cloche::build {
namespace {

constexpr int kBuildFormat = 3;  // a change of what the same inputs give is a new one
constexpr std::size_t kMaxRecordBytes = std::size_t{1} << 20U;

std::string record_path(const image::Layout& layout, const Digest& key) {
  return join_path(layout.root(), "builds/" + key.hex() + ".json");
}

bool whole(const image::Layout& layout, const Digest& digest) {
  const auto manifest = image::read_manifest(layout.blobs(), digest);
  return manifest.has_value() && layout.blobs().use(manifest->config.digest) &&
         std::ranges::all_of(manifest->layers, [&](const image::Descriptor& layer) {
           return layout.blobs().use(layer.digest);
         });
}

std::string text_of(const Json& value) {
  return value.is_null() ? "" : value.is_string() ? value.as_string() : value.dump();
}

std::vector<ChangedInput> changed_inputs(const Json& before, const Json& now) {
  std::vector<ChangedInput> out;
  for (const auto& [name, value] : now.members()) {
    const std::string old = text_of(before[name]);
    if (old != text_of(value)) {
      out.push_back({name, old, text_of(value)});
    }
  }
  return out;
}

}  // namespace

Json build_inputs(const BuildRequest& request) {
  Json variables = Json::object();
  for (const auto& [name, value] : variables_of(request.definition)) {
    variables.set(name, value);
  }
  Json out;
  out.set("format", std::to_string(kBuildFormat))
      .set("contents", lock::contents_digest_of(request.lock).to_string())
      .set("base",
           request.base.digest.empty() ? request.base.reference : request.base.digest.to_string())
      .set("platform", request.lock.platform)
      .set("prefix", image::kEnvironmentPrefix)
      .set("compression", blob::compression_identity(request.compression))
      .set("variables", std::move(variables));
  if (compiles_bytecode(request)) {
    out.set("bytecode", "checked-hash");
  }
  if (!request.scripts) {
    out.set("scripts", "left out");
  }
  if (!request.lock.debian.packages.empty()) {
    out.set("configure_format", std::to_string(kConfigureFormat));
  }
  return out;
}

Result<std::optional<image::Descriptor>> find_build(const BuildRequest& request) {
  const Digest key = Digest::of(build_inputs(request).canonical());
  const auto text = io::DiskFiles().read(record_path(request.layout, key), kMaxRecordBytes);
  if (!text) {
    return std::optional<image::Descriptor>();
  }
  const auto record = parse_json(*text);
  if (!record || !record->is_object()) {
    return std::optional<image::Descriptor>();
  }
  auto manifest = image::read_descriptor((*record)["manifest"], "the build's manifest");
  if (!manifest || !whole(request.layout, manifest->digest)) {
    return std::optional<image::Descriptor>();
  }
  return std::optional(std::move(*manifest));
}

Result<std::optional<Relative>> nearest_build(const BuildRequest& request) {
  const std::string directory = join_path(request.layout.root(), "builds");
  io::DiskFiles files;
  const auto entries = files.list(directory);
  if (!entries) {
    return std::optional<Relative>();
  }
  const Json now = build_inputs(request);
  std::optional<Relative> best;
  for (const FileEntry& entry : *entries) {
    const auto text = files.read(join_path(directory, entry.name), kMaxRecordBytes);
    const auto record = text ? parse_json(*text) : Result<Json>(text.error());
    if (!record || !record->is_object() || !(*record)["inputs"].is_object()) {
      continue;
    }
    const auto manifest = image::read_descriptor((*record)["manifest"], "the build's manifest");
    if (!manifest) {
      continue;
    }
    Relative relative{manifest->digest, changed_inputs((*record)["inputs"], now)};
    if (!best || relative.changed.size() < best->changed.size()) {
      best = std::move(relative);
    }
  }
  return best;
}

Status remember_build(const BuildRequest& request, const Digest& key,
                      const image::Descriptor& manifest) {
  Json record;
  record.set("manifest", image::to_json(manifest)).set("inputs", build_inputs(request));
  return io::write_file_atomically(record_path(request.layout, key), record.dump(2) + "\n");
}

}  // namespace cloche::build
