#include "definition/build_context.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"
#include "definition/dockerfile.h"
#include "definition/dockerignore.h"

namespace cloche::definition {
namespace {

constexpr std::size_t kMaxFiles = 1'000'000;
constexpr std::size_t kMaxDirectoryDepth = 100;
constexpr std::size_t kMaxIgnoreBytes = std::size_t{1} << 20U;

class Walker {
 public:
  Walker(const std::string& root, FileSource& files, Dockerignore ignored,
         std::vector<std::string> always, Diagnostics& diagnostics)
      : root_(root),
        files_(files),
        ignored_(std::move(ignored)),
        always_(std::move(always)),
        diagnostics_(diagnostics) {}

  Result<std::vector<ContextFile>> walk() {
    std::vector<std::string> open = {""};
    while (!open.empty()) {
      const std::string directory = std::move(open.back());
      open.pop_back();
      for (const FileEntry& entry : TRY(files_.list(path_of(directory)))) {
        TRY(visit(join_path(directory, entry.name), entry, open));
      }
    }
    std::ranges::sort(found_, {}, &ContextFile::path);
    return std::move(found_);
  }

 private:
  std::string path_of(const std::string& path) const {
    return path.empty() ? root_ : join_path(root_, path);
  }

  Status visit(std::string path, const FileEntry& entry, std::vector<std::string>& open) {
    if (entry.kind == FileKind::kDirectory) {
      return enter(std::move(path), open);
    }
    if (ignored_.ignores(path) && std::ranges::find(always_, path) == always_.end()) {
      return {};
    }
    if (entry.kind == FileKind::kOther) {
      diagnostics_.warn("context-special-file", {path_of(path), 0, 0},
                        "a socket, pipe or device cannot be copied; it is left out");
      return {};
    }
    if (found_.size() == kMaxFiles) {
      return fail(ErrorKind::kInvalid, "the build context {} has over {} files", root_, kMaxFiles)
          .with_hint("leave data out with a .dockerignore file");
    }
    ContextFile file;
    file.path = std::move(path);
    file.kind = entry.kind;
    if (entry.kind == FileKind::kSymlink) {
      file.link_target = entry.link_target;
      file.mode = 0777;  // what Linux says of every link
    } else {
      constexpr std::uint32_t kOwnerMayExecute = 0100;
      file.mode = (entry.mode & kOwnerMayExecute) != 0 ? 0755 : 0644;
      file.size_bytes = entry.size_bytes;
      file.digest = TRY(files_.digest(path_of(file.path)));
    }
    found_.push_back(std::move(file));
    return {};
  }

  Status enter(std::string path, std::vector<std::string>& open) {
    const std::string below = path + '/';
    const bool holds_always = std::ranges::any_of(
        always_, [&](const std::string& one) { return one.starts_with(below); });
    if (!holds_always && ignored_.can_skip_directory(path)) {
      return {};
    }
    if (std::ranges::count(path, '/') > static_cast<std::ptrdiff_t>(kMaxDirectoryDepth)) {
      return fail(ErrorKind::kInvalid, "the build context {} is nested deeper than {}", root_,
                  kMaxDirectoryDepth);
    }
    open.push_back(std::move(path));
    return {};
  }

  const std::string& root_;
  FileSource& files_;
  Dockerignore ignored_;
  std::vector<std::string> always_;
  Diagnostics& diagnostics_;
  std::vector<ContextFile> found_;
};

// BuildKit's order: the Dockerfile's own ignore file stands before the context's.
Result<Dockerignore> read_ignore_file(const std::string& directory,
                                      const std::vector<std::string>& candidates,
                                      FileSource& files) {
  for (const std::string& name : candidates) {
    const std::string path = join_path(directory, name);
    auto text = files.read(path, kMaxIgnoreBytes);
    if (text.has_value()) {
      return Dockerignore::parse(*text, path);
    }
    if (text.error().kind != ErrorKind::kNotFound) {
      return std::move(text).error();
    }
  }
  return Dockerignore();
}

}  // namespace

Result<BuildContextBase> read_build_context(const std::string& directory,
                                            const std::string& dockerfile_path, FileSource& files,
                                            Diagnostics& diagnostics) {
  BuildContextBase context;
  context.root = directory;
  context.dockerfile_path = normal_path(dockerfile_path);
  const bool outside = context.dockerfile_path.starts_with("..") &&
                       (context.dockerfile_path.size() == 2 || context.dockerfile_path[2] == '/');
  if (outside || dockerfile_path.starts_with('/')) {
    return fail(ErrorKind::kInvalid, "the Dockerfile {} stands outside of the build context",
                dockerfile_path)
        .with_hint("give its path relative to the context's directory");
  }
  if (TRY(files.kind(directory)) != FileKind::kDirectory) {
    return fail(ErrorKind::kInvalid, "the build context {} is no directory", directory);
  }
  const std::string path = join_path(directory, context.dockerfile_path);
  auto text = files.read(path, kMaxTextBytes);
  if (!text.has_value() && text.error().kind == ErrorKind::kNotFound) {
    return fail(ErrorKind::kNotFound, "the build context {} has no {}", directory,
                context.dockerfile_path)
        .with_hint("name it with dockerfile_path, or --dockerfile-path, relative to the context");
  }
  context.dockerfile = TRY(std::move(text));
  TRY(parse_dockerfile(context.dockerfile, path, diagnostics));
  const std::string own = context.dockerfile_path + ".dockerignore";
  const std::vector<std::string> ignore_files = {own, ".dockerignore"};
  Dockerignore ignored = TRY(read_ignore_file(directory, ignore_files, files));
  context.files = TRY(Walker(directory, files, std::move(ignored),
                             {context.dockerfile_path, own, ".dockerignore"}, diagnostics)
                          .walk());
  return context;
}

}  // namespace cloche::definition
