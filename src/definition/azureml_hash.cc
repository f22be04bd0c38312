#include "definition/azureml_hash.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/digest.h"
#include "core/text.h"
#include "core/yaml.h"
#include "definition/ignore_file.h"
#include "definition/pyyaml_dump.h"

namespace cloche::definition {
namespace {

constexpr std::string_view kSeed = "Initialize for october 2021 AML CLI version";
constexpr std::size_t kMaxEntries = 1'000'000;
constexpr int kMaxDepth = 100;
constexpr std::size_t kMaxIgnoreBytes = std::size_t{1} << 20U;

class DirectoryHasher {
 public:
  DirectoryHasher(const std::string& root, FileSource& files)
      : root_(normal_path(root)), files_(files), hash_(Hasher::Algorithm::kMd5) {}

  Result<std::string> run() {
    TRY(read_ignore_file());
    hash_.update(kSeed);
    TRY(add_directory(root_, 0));
    return hash_.finish_hex();
  }

 private:
  Status read_ignore_file() {
    for (const char* name : {".amlignore", ".gitignore"}) {
      const std::string path = join_path(root_, name);
      auto text = files_.read(path, kMaxIgnoreBytes);
      if (text.has_value()) {
        ignore_ = TRY(IgnoreFile::parse(*text, path));
        return {};
      }
      if (text.error().kind != ErrorKind::kNotFound) {
        return std::move(text).error();
      }
    }
    return {};
  }

  Status add_directory(const std::string& path, int depth) {
    if (depth > kMaxDepth) {
      return fail(ErrorKind::kInvalid, "folders are nested deeper than {} levels", kMaxDepth)
          .with_hint("perhaps a link leads back: " + printable(path));
    }
    std::vector<FileEntry> entries = TRY(files_.list(path));
    std::ranges::sort(entries, {}, [](const FileEntry& one) {
      return std::pair(to_lower(one.name), std::string_view(one.name));
    });
    for (const FileEntry& entry : entries) {
      TRY(add_entry(join_path(path, entry.name), entry, depth));
    }
    return {};
  }

  Status add_entry(const std::string& path, const FileEntry& entry, int depth) {
    if (!ignore_.empty() && ignore_.ignores(relative(path))) {
      return {};
    }
    if (++entries_ > kMaxEntries) {
      return fail(ErrorKind::kInvalid, "more than {} files in {}", kMaxEntries, printable(root_));
    }
    hash_.update(entry.name);
    return entry.kind == FileKind::kSymlink ? add_link(path, entry, depth)
                                            : add_content(path, entry.kind, depth);
  }

  Status add_content(const std::string& path, FileKind kind, int depth) {
    if (kind == FileKind::kDirectory) {
      return add_directory(path, depth + 1);
    }
    if (kind == FileKind::kFile) {
      return files_.read_parts(path, [this](std::string_view bytes) { hash_.update(bytes); });
    }
    return {};
  }

  // Of a broken link only the name counts. Below a linked directory, paths are the target's.
  Status add_link(const std::string& path, const FileEntry& entry, int depth) {
    const std::string target = normal_path(join_path(parent_path(path), entry.link_target));
    const auto kind = files_.kind(target);
    return kind.has_value() ? add_content(target, *kind, depth) : Status();
  }

  // As os.path.relpath(path, root) gives it, as far as the two share a beginning.
  std::string_view relative(std::string_view path) const {
    if (root_ == ".") {
      return path.starts_with("./") ? path.substr(2) : path;
    }
    if (path.starts_with(root_) && path.substr(root_.size()).starts_with('/')) {
      return path.substr(root_.size() + 1);
    }
    return path.starts_with('/') ? path.substr(1) : path;
  }

  std::string root_;
  FileSource& files_;
  IgnoreFile ignore_;
  Hasher hash_;
  std::size_t entries_ = 0;
};

std::string md5(std::string_view text) {
  Hasher hasher(Hasher::Algorithm::kMd5);
  hasher.update(text);
  return hasher.finish_hex();
}

// Python's separator.join(text): the client joins with what it has so far, where it means to
// append.
std::string joined(std::string_view separator, std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out.append(i == 0 ? std::string_view() : separator) += text[i];
  }
  return out;
}

Error no_version(std::string_view why) {
  return fail(ErrorKind::kUnsupported, "Azure's client gives no version to this: {}", why);
}

Result<std::string> version_of_image(const std::string& image, const std::string& conda_text) {
  std::string hash = md5(image);
  const YamlNode conda = TRY(parse_yaml(conda_text, "conda file"));
  if (conda.is_mapping() && !conda.members.empty()) {
    hash = joined(hash, md5(TRY(pyyaml_dump(conda))));
  } else if (!conda.is_null() && !conda.is_mapping()) {
    return fail(ErrorKind::kInvalid, "the conda file is {}, not a mapping", conda.kind_name())
        .with_location(conda.at);
  }
  return md5(hash);
}

Result<std::string> version_of_context(const BuildContextBase& context, FileSource& files) {
  if (!context.uri.empty() || context.root.empty()) {
    return no_version("the build context is not a folder here");
  }
  std::string hash = md5(TRY(azureml_directory_hash(context.root, files)));
  if (context.dockerfile_path != "Dockerfile") {
    hash = joined(hash, md5(context.dockerfile_path));
  }
  return md5(hash);
}

}  // namespace

Result<std::string> azureml_directory_hash(const std::string& directory, FileSource& files) {
  return DirectoryHasher(directory, files).run();
}

Result<std::string> azureml_anonymous_version(const Environment& environment,
                                              const std::string& conda_text, FileSource& files) {
  const Definition& definition = environment.definition;
  if (definition.apt || (definition.pip && conda_text.empty())) {
    return no_version("apt and pip_file are additions that it does not know");
  }
  if (const auto* context = std::get_if<BuildContextBase>(&definition.base)) {
    return version_of_context(*context, files);
  }
  if (std::holds_alternative<DockerfileBase>(definition.base)) {
    return no_version("a Dockerfile without a build context");
  }
  if (definition.inference) {
    return no_version("it hashes names of Python classes for an inference configuration");
  }
  return version_of_image(std::get<ImageBase>(definition.base).reference, conda_text);
}

}  // namespace cloche::definition
