#include "jobs/outputs.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "core/files.h"
#include "io/descriptor.h"
#include "io/directory_tree.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/system_error.h"

namespace cloche::jobs {
namespace {

constexpr int kMaxDepth = 100;

Result<std::string> digest_of(const io::DirectoryTree& tree, const std::string& path) {
  const io::Descriptor file = TRY(tree.open_file(path));
  Hasher hasher;
  std::vector<char> buffer(std::size_t{1} << 18U);
  while (const std::size_t count = TRY(io::read_some(file, buffer.data(), buffer.size(), path))) {
    hasher.update(std::string_view(buffer.data(), count));
  }
  return hasher.finish().to_string();
}

Status walk(const io::DirectoryTree& tree, const std::string& folder, int depth,
            RecordedOutputs& out) {
  io::DiskFiles files;
  auto entries = files.list(join_path(tree.root(), folder));
  if (!entries) {
    return entries.error().kind == ErrorKind::kNotFound ? Status() : Status(entries.error());
  }
  for (const FileEntry& entry : *entries) {
    const std::string path = folder + "/" + entry.name;
    if (entry.kind == FileKind::kDirectory && depth < kMaxDepth) {
      TRY(walk(tree, path, depth + 1, out));
      continue;
    }
    if (entry.kind != FileKind::kFile && entry.kind != FileKind::kSymlink) {
      continue;
    }
    if (out.files.size() >= kMaxRecordedOutputs) {
      out.cut = true;
      return {};
    }
    const bool link = entry.kind == FileKind::kSymlink;
    auto digest = link ? Result<std::string>("link:" + entry.link_target) : digest_of(tree, path);
    if (!digest) {
      continue;  // gone or unreadable: another process of the job's still has it in hand
    }
    out.files.push_back(
        {.path = path, .size_bytes = link ? 0 : entry.size_bytes, .digest = std::move(*digest)});
  }
  return {};
}

}  // namespace

Result<RecordedOutputs> record_outputs(const RunDirectory& directory) {
  const io::DirectoryTree tree = TRY(io::DirectoryTree::open(directory.path()));
  RecordedOutputs out;
  for (const char* folder : {"logs", "named", "outputs"}) {
    TRY(walk(tree, folder, 0, out));
  }
  std::ranges::sort(out.files, {}, &OutputFile::path);
  return out;
}

Status take_in_outputs(const std::string& work, const RunDirectory& directory, bool first) {
  for (const auto& [name, kept] :
       {std::pair<const char*, std::string>("outputs", directory.outputs()),
        std::pair<const char*, std::string>("logs", directory.logs())}) {
    const std::string brought = work + "/" + name;
    struct stat found{};
    if (::lstat(brought.c_str(), &found) == 0) {
      if (!S_ISDIR(found.st_mode)) {
        return fail(ErrorKind::kInvalid, "the code has a file '{}' where the job's {} folder goes",
                    name, name)
            .with_hint("rename it, or leave it out with a line in .amlignore");
      }
      if (first) {
        ::rmdir(kept.c_str());
        if (::rename(brought.c_str(), kept.c_str()) != 0) {
          return io::system_error(errno, "move", brought);
        }
      }
    }
    TRY(io::make_directories(brought));
  }
  return {};
}

}  // namespace cloche::jobs
