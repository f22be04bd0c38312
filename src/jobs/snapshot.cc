#include "jobs/snapshot.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/json.h"
#include "core/size.h"
#include "core/text.h"
#include "definition/byte_text.h"
#include "definition/ignore_file.h"
#include "io/directory_tree.h"

namespace cloche::jobs {
namespace {

constexpr std::size_t kMaxListBytes = std::size_t{64} << 20U;
constexpr int kMaxDepth = 100;
constexpr std::int64_t kFormat = 1;

struct Entry {
  std::string path;
  FileKind kind = FileKind::kFile;
  bool executable = false;
  std::uint64_t size_bytes = 0;
  Digest digest;
  std::string target;
};

Result<definition::IgnoreFile> read_ignore_file(const std::string& directory, FileSource& files) {
  for (const char* name : {".amlignore", ".gitignore"}) {
    const std::string path = join_path(directory, name);
    auto text = files.read(path, kMaxTextBytes);
    if (text.has_value()) {
      return definition::IgnoreFile::parse(*text, path);
    }
    if (text.error().kind != ErrorKind::kNotFound) {
      return text.error();
    }
  }
  return definition::IgnoreFile();
}

// Whether a link in the folder `from` (relative to the root, "" for it) stays below the root.
bool stays_inside(std::string_view from, std::string_view target) {
  if (target.empty() || target.front() == '/') {
    return false;
  }
  int depth = from.empty() ? 0 : static_cast<int>(std::ranges::count(from, '/')) + 1;
  for (const std::string_view part : split(target, '/')) {
    depth += part == ".." ? -1 : part.empty() || part == "." ? 0 : 1;
    if (depth < 0) {
      return false;
    }
  }
  return true;
}

class Walk {
 public:
  Walk(std::string directory, FileSource& files, definition::IgnoreFile ignored,
       const SnapshotLimits& limits, const std::stop_token& stop)
      : root_(std::move(directory)),
        files_(files),
        ignored_(std::move(ignored)),
        limits_(limits),
        stop_(stop) {}

  Result<std::vector<Entry>> run() {
    TRY(enter("", 0));
    if (bytes_ > limits_.bytes) {
      return too_large();
    }
    std::ranges::sort(entries_, {}, &Entry::path);
    return std::move(entries_);
  }

 private:
  Status enter(const std::string& folder, int depth) {
    if (stop_.stop_requested()) {
      return fail(ErrorKind::kCancelled, "stopped");
    }
    if (depth > kMaxDepth) {
      return fail(ErrorKind::kInvalid, "{} is nested deeper than {} folders", printable(folder),
                  kMaxDepth);
    }
    for (FileEntry& one : TRY(files_.list(join_path(root_, folder)))) {
      const std::string path = folder.empty() ? one.name : folder + "/" + one.name;
      if (one.kind == FileKind::kDirectory && (one.name == ".git" || one.name == ".cloche")) {
        continue;
      }
      if (one.kind == FileKind::kDirectory) {
        TRY(enter(path, depth + 1));
        continue;
      }
      if (ignored_.ignores(path)) {
        continue;
      }
      TRY(take(folder, path, std::move(one)));
    }
    return {};
  }

  Status take(const std::string& folder, const std::string& path, FileEntry&& found) {
    if (found.kind == FileKind::kOther) {
      return fail(ErrorKind::kInvalid, "{} in the code is neither a file, a folder nor a link",
                  printable(path))
          .with_hint("leave it out with a line in .amlignore");
    }
    if (found.kind == FileKind::kSymlink && !stays_inside(folder, found.link_target)) {
      return fail(ErrorKind::kInvalid, "the link {} in the code leads out of it, to {}",
                  printable(path), printable(found.link_target))
          .with_hint(
              "leave it out with a line in .amlignore, and give what it leads to as an "
              "input of the job");
    }
    bytes_ += found.size_bytes;
    entries_.push_back({.path = path,
                        .kind = found.kind,
                        .executable = (found.mode & 0111U) != 0,
                        .size_bytes = found.size_bytes,
                        .digest = {},
                        .target = std::move(found.link_target)});
    if (entries_.size() > limits_.entries) {
      return over(fmt::format("more than {} files", limits_.entries));
    }
    return {};
  }

  Error too_large() const {
    return over(fmt::format("{}; {} are allowed", shown_size(bytes_), shown_size(limits_.bytes)));
  }

  Error over(const std::string& what) const {
    constexpr std::size_t kShown = 5;
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> tops;  // bytes, files
    for (const Entry& entry : entries_) {
      auto& [bytes, count] = tops[entry.path.substr(0, entry.path.find('/'))];
      bytes += entry.size_bytes;
      ++count;
    }
    std::vector<std::pair<std::string, std::pair<std::uint64_t, std::uint64_t>>> sorted(
        tops.begin(), tops.end());
    std::ranges::stable_sort(sorted, std::greater(), [](const auto& one) { return one.second; });
    std::vector<std::string> details;
    for (const auto& [name, sizes] : sorted) {
      if (details.size() < kShown) {
        details.push_back(fmt::format("  {}: {} in {} {}", printable(name), shown_size(sizes.first),
                                      sizes.second, sizes.second == 1 ? "file" : "files"));
      }
    }
    return fail(ErrorKind::kInvalid, "the code in {} has {}", printable(root_), what)
        .with_details(std::move(details))
        .with_hint(
            "leave out what the job does not need with a .amlignore file; give data as an "
            "input");
  }

  std::string root_;
  FileSource& files_;
  definition::IgnoreFile ignored_;
  const SnapshotLimits& limits_;
  const std::stop_token& stop_;
  std::vector<Entry> entries_;
  std::uint64_t bytes_ = 0;
};

Json list_of(const std::vector<Entry>& entries) {
  Json list = Json::array();
  for (const Entry& entry : entries) {
    Json one;
    one.set("path", definition::text_to_json(entry.path));
    if (entry.kind == FileKind::kSymlink) {
      one.set("link", definition::text_to_json(entry.target));
    } else {
      one.set("digest", entry.digest.to_string())
          .set("size", static_cast<std::int64_t>(entry.size_bytes))
          .set("executable", entry.executable);
    }
    list.push(std::move(one));
  }
  Json out;
  out.set("snapshot", kFormat).set("files", std::move(list));
  return out;
}

// Stored lists may come from another machine or a damaged disk: nothing in them is believed.
Result<Entry> read_entry(const Json& json) {
  Entry out;
  out.path = TRY(definition::text_from_json(json["path"]));
  if (out.path.empty() || normal_path(out.path) != out.path || out.path.front() == '/' ||
      out.path.starts_with("..")) {
    return fail(ErrorKind::kCorrupt, "the path '{}'", printable(out.path));
  }
  if (!json["link"].is_null()) {
    out.kind = FileKind::kSymlink;
    out.target = TRY(definition::text_from_json(json["link"]));
    if (!stays_inside(parent_path(out.path), out.target)) {
      return fail(ErrorKind::kCorrupt, "the link '{}'", printable(out.path));
    }
    return out;
  }
  out.digest = TRY(Digest::parse(json.string_or_empty("digest")));
  if (!json["size"].is_integer() || !json["executable"].is_bool()) {
    return fail(ErrorKind::kCorrupt, "no size");
  }
  out.size_bytes = static_cast<std::uint64_t>(json["size"].as_integer());
  out.executable = json["executable"].as_bool();
  return out;
}

Result<std::vector<Entry>> read_list(const Digest& digest, const blob::BlobStore& store) {
  const std::string text =
      TRY(store.read(digest, kMaxListBytes).context("reading the code {}", digest.hex()));
  const Json json = TRY(parse_json(text));
  if (!json["snapshot"].is_integer() || json["snapshot"].as_integer() != kFormat ||
      !json["files"].is_array()) {
    return fail(ErrorKind::kCorrupt, "{} is no list of a job's code", digest.hex());
  }
  std::vector<Entry> out;
  out.reserve(json["files"].items().size());
  for (const Json& item : json["files"].items()) {
    auto entry = read_entry(item);
    if (!entry) {
      entry.error().kind = ErrorKind::kCorrupt;
      return std::move(entry).error();
    }
    out.push_back(std::move(*entry));
  }
  return out;
}

Status copy_blob(const std::string& from, const io::Descriptor& to, const std::string& path) {
  const io::Descriptor source = TRY(io::open_for_reading(from));
  std::vector<char> buffer(std::size_t{1} << 18U);
  while (const std::size_t count = TRY(io::read_some(source, buffer.data(), buffer.size(), from))) {
    TRY(io::write_all(to, std::string_view(buffer.data(), count), path));
  }
  return {};
}

Status make_parents(const io::DirectoryTree& tree, const std::string& path, std::string& last) {
  const std::string parent = parent_path(path);
  if (parent == last || parent.empty()) {
    return {};
  }
  std::size_t slash = 0;
  while (slash != std::string::npos) {
    slash = parent.find('/', slash + 1);
    TRY(tree.make_directory(parent.substr(0, slash)));
  }
  last = parent;
  return {};
}

}  // namespace

Result<Snapshot> take_snapshot(const std::string& directory, FileSource& files,
                               const blob::BlobStore& store, const SnapshotLimits& limits,
                               const std::stop_token& stop) {
  const FileKind kind = TRY(files.kind(directory));
  if (kind != FileKind::kDirectory) {
    return fail(ErrorKind::kInvalid, "the code {} is not a folder", printable(directory))
        .with_hint("name the folder that the file stands in");
  }
  Walk walk(directory, files, TRY(read_ignore_file(directory, files)), limits, stop);
  std::vector<Entry> entries = TRY(walk.run());
  Snapshot out;
  for (Entry& entry : entries) {
    if (entry.kind != FileKind::kFile) {
      continue;
    }
    if (stop.stop_requested()) {
      return fail(ErrorKind::kCancelled, "stopped");
    }
    const std::string path = join_path(directory, entry.path);
    entry.digest = TRY(files.digest(path));
    ++out.files;
    out.bytes += entry.size_bytes;
    if (store.use(entry.digest)) {
      continue;
    }
    auto put = store.put_file(path, entry.digest);
    if (!put && put.error().kind == ErrorKind::kCorrupt) {
      return fail(ErrorKind::kInvalid, "{} changed while it was read", printable(path))
          .with_hint("submit again when nobody writes to it");
    }
    TRY(std::move(put));
    out.new_bytes += entry.size_bytes;
  }
  out.digest = TRY(store.put(list_of(entries).canonical()));
  TRY(store.sync());
  return out;
}

Status restore_snapshot(const Digest& digest, const blob::BlobStore& store,
                        const std::string& directory) {
  const std::vector<Entry> entries = TRY(read_list(digest, store));
  const io::DirectoryTree tree = TRY(io::DirectoryTree::open(directory));
  std::string last;
  for (const Entry& entry : entries) {
    TRY(make_parents(tree, entry.path, last));
    if (entry.kind == FileKind::kSymlink) {
      TRY(tree.make_symlink(entry.path, entry.target));
      continue;
    }
    const io::Descriptor file = TRY(tree.create_file(entry.path, entry.executable ? 0755 : 0644));
    TRY(copy_blob(TRY(store.path(entry.digest)), file, entry.path));
  }
  return {};
}

Status visit_snapshot(const Digest& digest, const blob::BlobStore& store,
                      const std::function<void(const Digest&)>& visit) {
  for (const Entry& entry : TRY(read_list(digest, store))) {
    if (entry.kind == FileKind::kFile) {
      visit(entry.digest);
    }
  }
  visit(digest);
  return {};
}

}  // namespace cloche::jobs
