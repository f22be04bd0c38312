#include "jobs/input_digest.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "core/json.h"
#include "definition/byte_text.h"

namespace cloche::jobs {
namespace {

using definition::JobInput;

constexpr int kMaxDepth = 100;

// A folder's files and links, in their order.
class Listing {
 public:
  Listing(std::string root, FileSource& files, const InputLimits& limits,
          const std::stop_token& stop)
      : root_(std::move(root)), files_(files), limits_(limits), stop_(stop) {}

  Result<InputRecord> record() {
    TRY(enter("", 0));
    InputRecord out;
    out.files = entries_.size();
    out.bytes = bytes_;
    if (whole_ && bytes_ <= limits_.bytes) {
      out.digest = TRY(digest());
    }
    return out;
  }

 private:
  struct Entry {
    std::string path;
    bool link = false;
    std::string target;
  };

  Status check_stop() const {
    return stop_.stop_requested() ? Status(fail(ErrorKind::kCancelled, "stopped")) : Status();
  }

  Status enter(const std::string& folder, int depth) {
    TRY(check_stop());
    auto found = files_.list(join_path(root_, folder));
    if (!found) {
      whole_ = false;  // unreadable, or gone meanwhile
      return {};
    }
    for (FileEntry& one : *found) {
      std::string path = folder.empty() ? one.name : folder + "/" + one.name;
      if (one.kind == FileKind::kDirectory && depth < kMaxDepth) {
        TRY(enter(path, depth + 1));
        continue;
      }
      if (entries_.size() >= limits_.entries) {
        whole_ = false;
        return {};
      }
      bytes_ += one.size_bytes;
      entries_.push_back({.path = std::move(path),
                          .link = one.kind != FileKind::kFile,
                          .target = std::move(one.link_target)});
    }
    return {};
  }

  // "" where a file cannot be read.
  Result<std::string> digest() {
    Json list = Json::array();
    for (const Entry& entry : entries_) {
      TRY(check_stop());
      Json one;
      one.set("path", definition::text_to_json(entry.path));
      if (entry.link) {
        one.set("link", definition::text_to_json(entry.target));
      } else {
        const auto content = files_.digest(join_path(root_, entry.path));
        if (!content) {
          return std::string();
        }
        one.set("digest", content->to_string());
      }
      list.push(std::move(one));
    }
    return Digest::of(Json::object().set("files", std::move(list)).canonical()).to_string();
  }

  std::string root_;
  FileSource& files_;
  const InputLimits& limits_;
  const std::stop_token& stop_;
  std::vector<Entry> entries_;
  std::uint64_t bytes_ = 0;
  bool whole_ = true;
};

InputRecord file_record(const std::string& path, FileSource& files, const InputLimits& limits) {
  InputRecord out;
  out.files = 1;
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  out.bytes = error ? 0 : size;
  if (out.bytes <= limits.bytes) {
    const auto digest = files.digest(path);
    out.digest = digest ? digest->to_string() : "";
  }
  return out;
}

}  // namespace

Result<std::vector<InputRecord>> digest_inputs(const definition::CommandJob& job, FileSource& files,
                                               const InputLimits& limits,
                                               const std::stop_token& stop) {
  std::vector<InputRecord> out;
  for (const auto& [name, input] : job.inputs) {
    if (input.kind == JobInput::Kind::kLiteral) {
      continue;
    }
    const FileKind kind = TRY(files.kind(input.value).context("looking for the input {}", name));
    InputRecord one = kind == FileKind::kDirectory
                          ? TRY(Listing(input.value, files, limits, stop).record())
                          : file_record(input.value, files, limits);
    one.name = name;
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace cloche::jobs
