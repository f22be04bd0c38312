// Any bytes: an environment or an error that names the file; what is written parses to the same.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/check.h"
#include "definition/conda_yaml.h"
#include "definition/requirements_txt.h"

namespace {

// No file but the ones that writing named.
class NamedFiles : public cloche::FileSource {
 public:
  explicit NamedFiles(std::map<std::string, std::string> files) : files_(std::move(files)) {}

  cloche::Result<std::string> read(const std::string& path, std::size_t) override {
    const auto found = files_.find(path);
    return found != files_.end() ? cloche::Result<std::string>(found->second) : none(path);
  }
  cloche::Result<std::vector<cloche::FileEntry>> list(const std::string& path) override {
    return none(path);
  }
  cloche::Result<cloche::Digest> digest(const std::string& path) override { return none(path); }
  cloche::Result<cloche::FileKind> kind(const std::string& path) override {
    if (files_.contains(path)) {
      return cloche::FileKind::kFile;
    }
    return none(path);
  }

 private:
  static cloche::Error none(const std::string& path) {
    return cloche::fail(cloche::ErrorKind::kNotFound, "no file {}", path);
  }
  std::map<std::string, std::string> files_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using cloche::definition::parse_conda_yaml;
  using cloche::definition::write_conda_yaml;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  cloche::Diagnostics diagnostics;
  NamedFiles no_files({});
  const auto env = parse_conda_yaml(text, "e.yml", no_files, {}, diagnostics);
  if (!env.has_value()) {
    CHECK(!env.error().message.empty());
    CHECK(env.error().at.file.empty() || env.error().at.file == "e.yml");
    return 0;
  }
  const std::string written = write_conda_yaml(env->conda, env->pip);
  NamedFiles files(env->pip ? cloche::definition::write_constraint_files(*env->pip)
                            : std::map<std::string, std::string>());
  const auto again = parse_conda_yaml(written, "e.yml", files, {}, diagnostics);
  CHECK(again.has_value());
  CHECK(again->conda.dependencies.size() == env->conda.dependencies.size());
  CHECK(write_conda_yaml(again->conda, again->pip) == written);
  return 0;
}
