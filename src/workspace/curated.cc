#include "workspace/curated.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "core/check.h"
#include "core/files.h"
#include "definition/azureml_v2.h"
#include "workspace/embedded_files.h"

namespace cloche::workspace {
namespace {

// Curated definitions name no other files.
class NoFiles : public FileSource {
 public:
  Result<std::string> read(const std::string& path, std::size_t /*limit*/) override {
    return none(path);
  }
  Result<std::vector<FileEntry>> list(const std::string& path) override { return none(path); }
  Result<Digest> digest(const std::string& path) override { return none(path); }
  Result<FileKind> kind(const std::string& path) override { return none(path); }

 private:
  static Error none(const std::string& path) {
    return fail(ErrorKind::kNotFound, "no file {}", path);
  }
};

int number_of(const definition::Environment& environment) {
  int number = 0;
  const std::string& text = environment.version;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::vector<definition::Environment> read_all() {
  std::vector<definition::Environment> out;
  NoFiles files;
  for (const EmbeddedFile& file : embedded_files()) {
    if (!file.path.starts_with("curated/")) {
      continue;
    }
    Diagnostics diagnostics;
    auto parsed =
        definition::parse_azureml_v2(file.content, std::string(file.path), files, {}, diagnostics);
    CHECK(parsed.has_value());  // curated_test.cc
    out.push_back(std::move(*parsed));
  }
  std::ranges::sort(out, {}, [](const auto& one) { return std::tuple(one.name, number_of(one)); });
  return out;
}

}  // namespace

const std::vector<definition::Environment>& curated_environments() {
  static const std::vector<definition::Environment> kAll = read_all();
  return kAll;
}

std::vector<const definition::Environment*> curated_versions(std::string_view name) {
  std::vector<const definition::Environment*> out;
  for (const definition::Environment& one : curated_environments()) {
    if (one.name == name) {
      out.insert(out.begin(), &one);
    }
  }
  return out;
}

const definition::Environment* find_curated(std::string_view name, std::string_view version) {
  for (const definition::Environment* one : curated_versions(name)) {
    if (version.empty() || one->version == version) {
      return one;
    }
  }
  return nullptr;
}

}  // namespace cloche::workspace
