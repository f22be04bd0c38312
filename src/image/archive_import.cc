#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include <sys/stat.h>

#include "core/files.h"
#include "core/json.h"
#include "core/text.h"
#include "image/archive.h"
#include "image/archive_layer.h"
#include "image/complete.h"
#include "image/config.h"
#include "image/image_index.h"
#include "image/json_fields.h"
#include "image/layout.h"
#include "image/media_type.h"
#include "io/decompress.h"
#include "io/tar_reader.h"

namespace cloche::image {
namespace {

constexpr std::size_t kHexDigits = 64;
constexpr std::size_t kMaxDocuments = std::size_t{64} << 20U;  // of one archive, together
constexpr std::size_t kMaxImages = 1000;
constexpr int kMaxLinks = 8;
constexpr std::string_view kBlobs = "blobs/sha256/";

bool is_hex(std::string_view text) {
  return text.size() == kHexDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// Whether a first entry of that name begins an archive of an image, rather than a root file system.
bool begins_archive(std::string_view path) {
  const std::string_view first = path.substr(0, path.find('/'));
  for (const std::string_view name :
       {"oci-layout", "index.json", "manifest.json", "repositories", "blobs"}) {
    if (first == name) {
      return true;
    }
  }
  return is_hex(first.substr(0, first.find('.')));
}

// The archive's file, decompressed, within its limits.
class Source {
 public:
  static Result<std::unique_ptr<Source>> open(const std::string& path, const ImportOptions& options,
                                              const std::stop_token& stop) {
    struct stat info{};
    const bool known = ::stat(path.c_str(), &info) == 0;
    auto source = std::unique_ptr<Source>(new Source(TRY(io::FileReader::open(path))));
    source->expanded_ = TRY(io::decompress_any(source->file_));
    const std::uint64_t bytes = known ? static_cast<std::uint64_t>(info.st_size) : 0;
    source->bounded_ = std::make_unique<BoundedReader>(
        *source->expanded_, expanded_limit(bytes, options.limit_bytes), stop);
    return source;
  }

  io::Reader& reader() { return *bounded_; }

 private:
  explicit Source(io::FileReader file) : file_(std::move(file)) {}

  io::FileReader file_;
  std::unique_ptr<io::Reader> expanded_;
  std::unique_ptr<BoundedReader> bounded_;
};

// The content of a tar's current entry.
class EntryReader : public io::Reader {
 public:
  explicit EntryReader(io::TarReader& tar) : tar_(tar) {}
  Result<std::size_t> read(std::span<char> buffer) override {
    if (piece_.empty()) {
      piece_ = TRY(tar_.content());
    }
    const std::size_t count = piece_.copy(buffer.data(), buffer.size());
    piece_.remove_prefix(count);
    return count;
  }

 private:
  io::TarReader& tar_;
  std::string_view piece_;
};

// kInvalid: an entry that leads out of the archive.
Result<std::string> inner_path(std::string_view path) {
  std::string plain = normal_path(path);
  if (plain.starts_with('/') || plain == ".." || plain.starts_with("../")) {
    return fail(ErrorKind::kInvalid, "the entry {} leads out of the archive",
                printable(path.substr(0, 200)));
  }
  return plain == "." ? "" : plain;
}

// An archive of images being read, whichever of the two it is.
class ImageArchive {
 public:
  ImageArchive(const blob::BlobStore& store, const ImportOptions& options, std::stop_token stop)
      : store_(store), options_(options), stop_(std::move(stop)) {}

  Status take(io::TarReader& tar, const io::TarEntry& entry) {
    const std::string path = TRY(inner_path(entry.path));
    switch (entry.kind) {
      case io::TarKind::kDirectory:
        return {};
      case io::TarKind::kSymlink:
        links_[path] = TRY(inner_path(join_path(parent_path(path), entry.link_target)));
        return {};
      case io::TarKind::kHardlink:
        links_[path] = TRY(inner_path(entry.link_target));
        return {};
      case io::TarKind::kFile:
        return take_file(tar, entry, path);
      default:
        return fail(ErrorKind::kInvalid, "the entry {} is no file", printable(path));
    }
  }

  Result<ImportedArchive> finish() {
    ImportedArchive archive;
    if (documents_.contains("oci-layout") || documents_.contains("index.json")) {
      archive.kind = ArchiveKind::kOci;
      archive.images = TRY(finish_oci());
    } else {
      archive.kind = ArchiveKind::kDocker;
      archive.images = TRY(finish_docker());
    }
    if (archive.images.empty()) {
      return fail(ErrorKind::kInvalid, "the archive holds no image");
    }
    return archive;
  }

 private:
  Status take_file(io::TarReader& tar, const io::TarEntry& entry, const std::string& path) {
    EntryReader content(tar);
    if (path.starts_with(kBlobs)) {
      return take_blob(content, path);
    }
    if (path.ends_with(".tar") || path.ends_with(".tar.gz")) {
      // A layer of docker's; the ratio is held by the archive's own limit if it is compressed, and
      // by the entry's size where the layer is.
      layers_[path] = TRY(store_layer(
          content, expanded_limit(entry.size_bytes, options_.limit_bytes), store_, stop_));
      return {};
    }
    const bool document = !path.contains('/') || path.ends_with(".json");
    if (!document) {
      return {};  // VERSION and the like
    }
    documents_[path] = TRY(io::read_all(content, kMaxConfigBytes).context("reading {}", path));
    document_bytes_ += documents_[path].size() + path.size();
    if (document_bytes_ > kMaxDocuments) {
      return fail(ErrorKind::kInvalid, "the archive has more than {} bytes of documents",
                  kMaxDocuments);
    }
    return {};
  }

  Status take_blob(io::Reader& content, const std::string& path) {
    const Digest digest = TRY(
        Digest::parse("sha256:" + path.substr(kBlobs.size())).context("of {}", printable(path)));
    blob::BlobStore::Writer blob = TRY(store_.writer());
    std::string buffer(std::size_t{128} << 10U, '\0');
    while (const std::size_t count = TRY(content.read(buffer))) {
      TRY(blob.append(std::string_view(buffer).substr(0, count)));
    }
    TRY(std::move(blob).commit(digest).context("in {}", path));
    return {};
  }

  Result<std::vector<ImportedImage>> finish_oci() {
    const auto text = documents_.find("index.json");
    if (text == documents_.end()) {
      return fail(ErrorKind::kInvalid, "the archive has no index.json");
    }
    const ImageIndex index = TRY(parse_image_index(text->second).context("in index.json"));
    std::vector<ImportedImage> images;
    for (const Descriptor& one : index.manifests) {
      TRY(check_complete(store_, one));
      ImportedImage image{.names = {}, .manifest = one};
      // containerd and docker keep the whole name there, and only the tag in OCI's.
      for (const std::string& key :
           {std::string("io.containerd.image.name"), std::string(kRefNameAnnotation)}) {
        const auto name = one.annotations.find(key);
        if (name != one.annotations.end() && image.names.empty()) {
          image.names.push_back(name->second);
        }
      }
      image.manifest.annotations.clear();
      images.push_back(std::move(image));
    }
    return images;
  }

  // What stands at a path, by way of links.
  template <class Value>
  Result<const Value*> find(const std::map<std::string, Value>& there, std::string path) const {
    for (int i = 0; i < kMaxLinks; ++i) {
      if (const auto found = there.find(path); found != there.end()) {
        return &found->second;
      }
      const auto link = links_.find(path);
      if (link == links_.end()) {
        break;
      }
      path = link->second;
    }
    return fail(ErrorKind::kInvalid, "the archive lacks {}", printable(path.substr(0, 200)));
  }

  Result<std::vector<ImportedImage>> finish_docker() {
    const auto text = documents_.find("manifest.json");
    if (text == documents_.end()) {
      return fail(ErrorKind::kInvalid, "the archive has neither index.json nor manifest.json")
          .with_hint("make it with docker save, podman save or skopeo copy");
    }
    const Json list = TRY(parse_json(text->second).context("in manifest.json"));
    if (!list.is_array() || list.items().size() > kMaxImages) {
      return fail(ErrorKind::kInvalid, "manifest.json is not a list of at most {} images",
                  kMaxImages);
    }
    std::vector<ImportedImage> images;
    for (const Json& one : list.items()) {
      images.push_back(TRY(finish_docker_image(one)));
    }
    return images;
  }

  Result<ImportedImage> finish_docker_image(const Json& json) {
    constexpr std::string_view kWhat = "manifest.json";
    if (!json.is_object()) {
      return fail(ErrorKind::kInvalid, "manifest.json: an image is not an object");
    }
    const std::string* text =
        TRY(find(documents_, TRY(inner_path(TRY(text_field(json, "Config", kWhat))))));
    const ImageConfig config = TRY(parse_image_config(*text));
    const std::vector<std::string> paths = TRY(texts_field(json, "Layers", kWhat));
    if (paths.size() > kMaxLayers) {
      return fail(ErrorKind::kInvalid, "manifest.json: more than {} layers", kMaxLayers);
    }
    Manifest manifest;
    for (const std::string& path : paths) {
      const StoredLayer* layer = TRY(find(layers_, TRY(inner_path(path))));
      const std::size_t i = manifest.layers.size();
      if (i < config.diff_ids.size() && config.diff_ids[i] != layer->diff_id) {
        return fail(ErrorKind::kCorrupt, "{} is {}, its config says {}", printable(path),
                    layer->diff_id.to_string(), config.diff_ids[i].to_string());
      }
      manifest.layers.push_back(layer->blob);
    }
    // The config stays to the byte, and with it the image's id.
    manifest.config = {.media_type = std::string(kOciConfig),
                       .digest = TRY(store_.put(*text)),
                       .size_bytes = text->size()};
    TRY(check_layers(manifest, config));
    const std::string document = manifest.to_json();
    return ImportedImage{.names = TRY(texts_field(json, "RepoTags", kWhat)),
                         .manifest = {.media_type = std::string(kOciManifest),
                                      .digest = TRY(store_.put(document)),
                                      .size_bytes = document.size(),
                                      .platform = config.platform}};
  }

  const blob::BlobStore& store_;
  const ImportOptions& options_;
  std::stop_token stop_;
  std::map<std::string, std::string> documents_;
  std::map<std::string, StoredLayer> layers_;
  std::map<std::string, std::string> links_;
  std::size_t document_bytes_ = 0;
};

// e_machine of a 64-bit little-endian ELF file (elf(5)) as OCI's word; "" for anything else.
std::string architecture_of(std::string_view head) {
  constexpr std::size_t kMachine = 18;
  constexpr unsigned kX86 = 62;
  constexpr unsigned kArm = 183;
  if (head.size() < kMachine + 2 || !head.starts_with("\x7f"
                                                      "ELF\x02\x01")) {
    return "";
  }
  const unsigned machine = static_cast<unsigned char>(head[kMachine]) |
                           static_cast<unsigned>(static_cast<unsigned char>(head[kMachine + 1]))
                               << 8U;
  return machine == kX86 ? "amd64" : machine == kArm ? "arm64" : "";
}

// Reads it through: whether it is a tar, and for which machine its programs are.
Result<std::string> look_through(io::TarReader& tar, io::TarEntry entry) {
  std::string architecture;
  std::size_t files = 0;
  bool more = true;
  while (more) {
    files += entry.kind == io::TarKind::kFile ? 1 : 0;
    if (architecture.empty() && entry.kind == io::TarKind::kFile && entry.size_bytes > 0) {
      architecture = architecture_of(TRY(tar.content()));
    }
    more = TRY(tar.next(entry));
  }
  if (files == 0) {
    return fail(ErrorKind::kInvalid, "the archive holds no file");
  }
  return architecture;
}

Result<ImportedArchive> import_rootfs(const std::string& path, Platform platform,
                                      const blob::BlobStore& store, const ImportOptions& options,
                                      const std::stop_token& stop) {
  if (platform.architecture.empty()) {
    return fail(ErrorKind::kInvalid, "no program in {} says for which machine it is",
                printable(path))
        .with_hint("name the platform: --platform linux/amd64");
  }
  io::FileReader file = TRY(io::FileReader::open(path));
  struct stat info{};
  const auto bytes =
      ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
  const StoredLayer layer =
      TRY(store_layer(file, expanded_limit(bytes, options.limit_bytes), store, stop));
  Manifest manifest;
  manifest.layers.push_back(layer.blob);
  ImageConfig config{.platform = std::move(platform)};
  config.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  config.cmd = {"/bin/sh"};
  config.diff_ids = {layer.diff_id};
  config.history = {{.created_by = "cloche image import"}};
  return ImportedArchive{
      .kind = ArchiveKind::kRootfs,
      .images = {{.names = {}, .manifest = TRY(put_image(store, manifest, config))}}};
}

}  // namespace

Result<ImportedArchive> import_archive(const std::string& path, const blob::BlobStore& store,
                                       const ImportOptions& options, const std::stop_token& stop) {
  const std::unique_ptr<Source> source = TRY(Source::open(path, options, stop));
  io::TarReader tar(source->reader());
  io::TarEntry entry;
  bool more = TRY(tar.next(entry).context("in {}", printable(path)));
  while (more && normal_path(entry.path) == ".") {
    more = TRY(tar.next(entry));
  }
  if (!more) {
    return fail(ErrorKind::kInvalid, "{} is no archive, or an empty one", printable(path));
  }
  if (!begins_archive(normal_path(entry.path))) {
    Platform platform = options.rootfs_platform;
    const std::string found = TRY(look_through(tar, entry).context("in {}", printable(path)));
    if (platform.architecture.empty()) {
      platform.architecture = found;
    }
    return import_rootfs(path, std::move(platform), store, options, stop);
  }
  ImageArchive archive(store, options, stop);
  while (more) {
    TRY(archive.take(tar, entry).context("in {}", printable(path)));
    more = TRY(tar.next(entry).context("in {}", printable(path)));
  }
  return archive.finish().context("in {}", printable(path));
}

}  // namespace cloche::image
