#include "io/testing.h"

#include <algorithm>

#include "core/check.h"
#include "core/files.h"
#include "io/disk_files.h"
#include "workspace/testing.h"

namespace cloche::workspace {

definition::Environment conda_environment(const std::string& name,
                                          const std::vector<std::string>& packages) {
  definition::CondaSection conda;
  conda.channels = {{"conda-forge", {"environment.yml", 2, 5}}};
  int line = 4;
  for (const std::string& package : packages) {
    conda.dependencies.push_back({package, "", {"environment.yml", line++, 5}});
  }
  definition::Environment out;
  out.name = name;
  out.definition.base = definition::ImageBase{"debian:12-slim", {}};
  out.definition.conda = std::move(conda);
  return out;
}

definition::Environment context_environment(const std::string& name, const std::string& directory,
                                            const std::vector<std::string>& paths) {
  definition::BuildContextBase context;
  context.root = directory;
  io::DiskFiles files;
  for (const std::string& path : paths) {
    definition::ContextFile file;
    file.path = path;
    file.mode = 0644;
    const std::string content = files.read(join_path(directory, path), kMaxTextBytes).value();
    file.size_bytes = content.size();
    file.digest = Digest::of(content);
    if (path == "Dockerfile") {
      context.dockerfile = content;
    }
    context.files.push_back(file);
  }
  std::ranges::sort(context.files, {}, &definition::ContextFile::path);
  definition::Environment out;
  out.name = name;
  out.definition.base = std::move(context);
  return out;
}

definition::AssetReference ref(const std::string& text) {
  return definition::parse_asset_reference(text).value();
}

TestWorkspace::TestWorkspace() : directory_(io::test_directory()) { reopen(); }

void TestWorkspace::reopen() {
  workspace_.reset();
  auto opened = Workspace::open({.directory = directory_.path(), .user = "ada", .clock = &clock_});
  CHECK(opened.has_value());
  workspace_ = std::move(*opened);
}

Result<Workspace> TestWorkspace::open_again(const std::string& user) {
  return Workspace::open({.directory = directory_.path(), .user = user, .clock = &clock_});
}

}  // namespace cloche::workspace
