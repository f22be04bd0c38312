#include "jobs/copy_outputs.h"

#include <cerrno>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>

#include "core/files.h"
#include "core/text.h"
#include "io/descriptor.h"
#include "io/directory_tree.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/system_error.h"

namespace cloche::jobs {
namespace {

constexpr int kMaxDepth = 100;

class Copy {
 public:
  Copy(io::DirectoryTree from, io::DirectoryTree to) : from_(std::move(from)), to_(std::move(to)) {}

  Status folder(const std::string& path, int depth) {
    if (depth > kMaxDepth) {
      return fail(ErrorKind::kInvalid, "{} is nested deeper than {} folders", printable(path),
                  kMaxDepth);
    }
    auto entries = files_.list(join_path(from_.root(), path));
    if (!entries) {
      return entries.error().kind == ErrorKind::kNotFound ? Status() : Status(entries.error());
    }
    TRY(to_.make_directory(path));
    for (const FileEntry& entry : *entries) {
      const std::string inner = path + "/" + entry.name;
      switch (entry.kind) {
        case FileKind::kDirectory:
          TRY(folder(inner, depth + 1));
          break;
        case FileKind::kSymlink:
          TRY(to_.make_symlink(inner, entry.link_target));
          break;
        case FileKind::kFile:
          TRY(file(inner, entry));
          break;
        case FileKind::kOther:
          break;  // pipes and sockets have no content
      }
    }
    return {};
  }

  const CopiedOutputs& copied() const { return copied_; }

 private:
  Status file(const std::string& path, const FileEntry& entry) {
    const io::Descriptor source = TRY(from_.open_file(path));
    const io::Descriptor target =
        TRY(to_.create_file(path, (entry.mode & 0111U) != 0 ? 0755 : 0644));
    std::vector<char> buffer(std::size_t{1} << 18U);
    while (const std::size_t count =
               TRY(io::read_some(source, buffer.data(), buffer.size(), path))) {
      TRY(io::write_all(target, std::string_view(buffer.data(), count), path));
      copied_.bytes += count;
    }
    ++copied_.files;
    return {};
  }

  io::DirectoryTree from_;
  io::DirectoryTree to_;
  io::DiskFiles files_;
  CopiedOutputs copied_;
};

}  // namespace

Result<CopiedOutputs> copy_outputs(const Job& job, const RunDirectory& directory,
                                   const CopyChoice& choice, const std::string& target) {
  if (!choice.output.empty() && !job.submission.job.outputs.contains(choice.output)) {
    std::vector<std::string_view> names;
    names.reserve(job.submission.job.outputs.size());
    for (const auto& [name, unused] : job.submission.job.outputs) {
      names.push_back(name);
    }
    const std::string_view near = nearest(choice.output, names);
    return fail(ErrorKind::kNotFound, "job {} has no output {}", job.name(),
                printable(choice.output))
        .with_hint(!near.empty()   ? fmt::format("did you mean {}?", near)
                   : names.empty() ? std::string("it names none; its ./outputs are copied without "
                                                 "--output-name")
                                   : fmt::format("its outputs are {}", fmt::join(names, ", ")));
  }
  const std::string parent = parent_path(target);
  TRY(io::make_directories(parent.empty() ? "." : parent));
  if (::mkdir(target.c_str(), 0777) != 0) {
    return io::system_error(errno, "make", target);
  }
  Copy copy(TRY(io::DirectoryTree::open(directory.path())), TRY(io::DirectoryTree::open(target)));
  if (!choice.output.empty()) {
    const io::DirectoryTree into = TRY(io::DirectoryTree::open(target));
    TRY(into.make_directory("named"));
    TRY(copy.folder("named/" + choice.output, 0));
    return copy.copied();
  }
  for (const char* one : {"outputs", "named"}) {
    TRY(copy.folder(one, 0));
  }
  if (choice.all) {
    for (const char* one : {"logs", "user_logs", "system_logs"}) {
      TRY(copy.folder(one, 0));
    }
  }
  return copy.copied();
}

}  // namespace cloche::jobs
