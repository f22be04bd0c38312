#include "core/testing.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace cloche {

MemoryFiles& MemoryFiles::add(const std::string& path, std::string content, std::uint32_t mode) {
  const std::string normal = normal_path(path);
  FileEntry entry;
  entry.name = std::string(base_name(normal));
  entry.mode = mode;
  entry.size_bytes = content.size();
  nodes_[normal] = {entry, std::move(content)};
  return *this;
}

MemoryFiles& MemoryFiles::add_link(const std::string& path, std::string target) {
  const std::string normal = normal_path(path);
  FileEntry entry;
  entry.name = std::string(base_name(normal));
  entry.kind = FileKind::kSymlink;
  entry.mode = 0777;
  entry.link_target = std::move(target);
  nodes_[normal] = {entry, {}};
  return *this;
}

MemoryFiles& MemoryFiles::remove(const std::string& path) {
  nodes_.erase(normal_path(path));
  return *this;
}

Result<std::string> MemoryFiles::read(const std::string& path, std::size_t limit_bytes) {
  const auto found = nodes_.find(normal_path(path));
  if (found == nodes_.end()) {
    if (kind(path).has_value()) {
      return fail(ErrorKind::kInvalid, "{} is a directory", path);
    }
    return fail(ErrorKind::kNotFound, "no file {}", path);
  }
  if (found->second.content.size() > limit_bytes) {
    return fail(ErrorKind::kInvalid, "{} is larger than {} bytes", path, limit_bytes);
  }
  return found->second.content;
}

Result<std::vector<FileEntry>> MemoryFiles::list(const std::string& directory) {
  const std::string normal = normal_path(directory);
  const std::string prefix = normal == "." ? "" : normal == "/" ? "/" : normal + "/";
  std::map<std::string, FileEntry> entries;
  for (const auto& [path, node] : nodes_) {
    if (!path.starts_with(prefix)) {
      continue;
    }
    const std::string rest = path.substr(prefix.size());
    const std::size_t slash = rest.find('/');
    if (slash == std::string::npos) {
      entries[rest] = node.entry;
    } else {
      FileEntry folder;
      folder.name = rest.substr(0, slash);
      folder.kind = FileKind::kDirectory;
      folder.mode = 0755;
      entries.emplace(folder.name, folder);
    }
  }
  if (entries.empty()) {
    return fail(ErrorKind::kNotFound, "no directory {}", directory);
  }
  std::vector<FileEntry> out;
  for (auto& [name, entry] : entries) {
    out.push_back(std::move(entry));
  }
  return out;
}

Result<Digest> MemoryFiles::digest(const std::string& path) {
  return Digest::of(TRY(read(path, SIZE_MAX)));
}

Result<FileKind> MemoryFiles::kind(const std::string& path) {
  const std::string normal = normal_path(path);
  const auto found = nodes_.find(normal);
  if (found != nodes_.end()) {
    if (found->second.entry.kind == FileKind::kSymlink) {
      return kind(join_path(parent_path(normal), found->second.entry.link_target));
    }
    return found->second.entry.kind;
  }
  if (list(path).has_value()) {
    return FileKind::kDirectory;
  }
  return fail(ErrorKind::kNotFound, "no file {}", path);
}

namespace {

std::string slurp(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace

std::string source_dir() { return CLOCHE_SOURCE_PATH; }

void expect_golden(const std::string& testdata, const std::string& name,
                   const std::string& actual) {
  const std::filesystem::path path = std::filesystem::path(testdata) / name;
  if (std::getenv("CLOCHE_ACCEPT") != nullptr) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << actual;
    return;
  }
  EXPECT_TRUE(std::filesystem::exists(path)) << path << " is missing; make it with CLOCHE_ACCEPT=1";
  EXPECT_EQ(slurp(path), actual) << "differs from " << path << "; accept it with CLOCHE_ACCEPT=1";
}

std::string shared_data(const std::string& source_dir, const std::string& path) {
  const auto file = std::filesystem::path(source_dir) / "../shared/data" / path;
  return std::filesystem::exists(file) ? slurp(file) : "";
}

std::optional<std::string> python_output(const std::string& script, const std::string& input) {
  std::string folder = (std::filesystem::temp_directory_path() / "cloche-judge-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    return std::nullopt;
  }
  const std::filesystem::path place(folder);
  std::ofstream(place / "judge.py", std::ios::binary) << script;
  std::ofstream(place / "input", std::ios::binary) << input;
  const std::string command =
      "cd " + folder + " && PYTHONUTF8=1 /usr/bin/python3 judge.py < input > output 2> errors";
  const int status = std::system(command.c_str());
  std::string output = slurp(place / "output");
  std::filesystem::remove_all(place);
  return status == 0 ? std::optional(std::move(output)) : std::nullopt;
}

}  // namespace cloche
