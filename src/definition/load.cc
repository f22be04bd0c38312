#include "definition/load.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"
#include "definition/apt_list.h"
#include "definition/asset_reference.h"
#include "definition/azureml_v1.h"
#include "definition/azureml_v2.h"
#include "definition/base_text.h"
#include "definition/build_context.h"
#include "definition/conda_yaml.h"
#include "definition/dockerfile.h"
#include "definition/requirements_txt.h"

namespace cloche::definition {
namespace {

bool needs_context(const Instruction& instruction) {
  if (instruction.kind == InstructionKind::kRun) {
    return std::ranges::any_of(instruction.flags, [](const InstructionFlag& flag) {
      const std::string value = flag.value.value_or("");
      return flag.name == "mount" && value.find("type=bind") != std::string::npos &&
             value.find("from=") == std::string::npos;
    });
  }
  const bool copies =
      instruction.kind == InstructionKind::kCopy || instruction.kind == InstructionKind::kAdd;
  return copies && instruction.flag("from") == nullptr && instruction.heredocs.empty();
}

// A folder that holds `path`, as a path that can be listed.
std::string folder_of(const std::string& path) {
  std::string out = parent_path(path);
  return out.empty() ? "." : out;
}

bool is_default(const Base& base) {
  const auto* image = std::get_if<ImageBase>(&base);
  return image != nullptr && image->at.empty();
}

class Loader {
 public:
  Loader(const LoadRequest& request, FileSource& files, const ReadOptions& options)
      : request_(request), files_(files), options_(options) {
    environment().definition.base = ImageBase{options.default_image, {}};
  }

  Result<Loaded> load() {
    if (!request_.file.empty()) {
      TRY(read_main());
    }
    TRY(add_base());
    TRY(add_packages());
    TRY(check_combination());
    name_it();
    return std::move(out_);
  }

 private:
  using Handler = Status (Loader::*)();
  struct Entry {
    Format format;
    Handler handler;
  };
  static const std::array<Entry, 6> kHandlers;

  Environment& environment() { return out_.environment; }
  Definition& definition() { return out_.environment.definition; }

  Status read_main() {
    out_.format = TRY(detect_format(request_.file, files_));
    const auto* entry = std::ranges::find(kHandlers, out_.format, &Entry::format);
    return (this->*entry->handler)();
  }

  Result<std::string> text() { return files_.read(request_.file, kMaxTextBytes); }

  Status read_conda() { return add_conda(request_.file); }
  Status read_requirements() { return add_pip(request_.file); }

  Status read_v2() {
    environment() =
        TRY(parse_azureml_v2(TRY(text()), request_.file, files_, options_, out_.diagnostics));
    return {};
  }

  Status read_v1() {
    const bool is_directory = TRY(files_.kind(request_.file)) == FileKind::kDirectory;
    const std::string directory = is_directory ? request_.file : folder_of(request_.file);
    environment() = TRY(load_azureml_v1(directory, files_, options_, out_.diagnostics));
    return {};
  }

  // A Dockerfile that copies nothing stands alone; another one brings its folder.
  Status read_dockerfile() {
    std::string content = TRY(text());
    const Dockerfile parsed = TRY(parse_dockerfile(content, request_.file, out_.diagnostics));
    if (std::ranges::any_of(parsed.instructions, needs_context)) {
      return read_context(folder_of(request_.file), std::string(base_name(request_.file)));
    }
    definition().base = DockerfileBase{std::move(content), {request_.file, 1, 1}};
    return {};
  }

  Status read_directory() {
    return read_context(request_.file,
                        request_.dockerfile_path.empty() ? "Dockerfile" : request_.dockerfile_path);
  }

  Status read_context(const std::string& directory, const std::string& dockerfile_path) {
    auto context = TRY(read_build_context(directory, dockerfile_path, files_, out_.diagnostics));
    if (context.at.empty()) {
      context.at = {join_path(directory, dockerfile_path), 1, 1};
    }
    definition().base = std::move(context);
    return {};
  }

  // --image, --build-context: one base in all.
  Status add_base() {
    const int given = (is_default(definition().base) ? 0 : 1) + (request_.image.empty() ? 0 : 1) +
                      (request_.build_context.empty() ? 0 : 1);
    if (given > 1) {
      return fail(ErrorKind::kInvalid,
                  "exactly one of image, Dockerfile and build context can be given")
          .with_hint(request_.file.empty() ? "leave out --image or --build-context"
                                           : request_.file + " brings one already");
    }
    if (!request_.build_context.empty()) {
      out_.format = request_.file.empty() ? Format::kBuildContext : out_.format;
      return add_context();
    }
    if (!request_.dockerfile_path.empty() && out_.format != Format::kBuildContext) {
      return fail(ErrorKind::kInvalid, "--dockerfile-path belongs to a build context")
          .with_hint("name the context with --build-context");
    }
    if (!request_.image.empty()) {
      out_.format = request_.file.empty() ? Format::kImage : out_.format;
      definition().base = TRY(read_image_text(request_.image, {}));
    }
    return {};
  }

  Status add_context() {
    const std::string path =
        request_.dockerfile_path.empty() ? "Dockerfile" : request_.dockerfile_path;
    if (is_remote_context(request_.build_context)) {
      definition().base = TRY(remote_build_context(request_.build_context, path));
      return {};
    }
    return read_context(request_.build_context, path);
  }

  Status add_packages() {
    if (!request_.conda_file.empty()) {
      if (definition().conda) {
        return fail(ErrorKind::kInvalid, "a conda part is given twice")
            .with_hint(fmt::format("{} brings one already", request_.file));
      }
      TRY(add_conda(request_.conda_file));
      set_format(Format::kCondaYaml);
    }
    if (!request_.pip_file.empty()) {
      TRY(add_pip(request_.pip_file));
      set_format(Format::kRequirementsTxt);
    }
    if (!request_.apt.empty()) {
      TRY(add_apt());
    }
    return {};
  }

  // The format of a request without a main file: its first part's.
  void set_format(Format format) {
    if (request_.file.empty() && request_.image.empty() && request_.build_context.empty() &&
        out_.format == Format::kAzuremlV2) {
      out_.format = format;
    }
  }

  Status add_conda(const std::string& path) {
    const std::string content = TRY(files_.read(path, kMaxTextBytes));
    CondaYaml conda = TRY(parse_conda_yaml(content, path, files_, options_, out_.diagnostics));
    if (environment().name.empty() && check_custom_name(conda.conda.name).has_value()) {
      environment().name = conda.conda.name;
    }
    definition().conda = std::move(conda.conda);
    if (conda.pip) {
      prepend_pip(std::move(*conda.pip));
    }
    return {};
  }

  // conda's pip section stands before the lines of a requirements file.
  void prepend_pip(PipSection first) {
    std::optional<PipSection>& pip = definition().pip;
    if (pip) {
      std::ranges::move(pip->lines, std::back_inserter(first.lines));
    }
    pip = std::move(first);
  }

  Status add_pip(const std::string& path) {
    const std::string content = TRY(files_.read(path, kMaxTextBytes));
    PipSection read = TRY(parse_requirements_txt(content, path, files_, out_.diagnostics));
    std::optional<PipSection>& pip = definition().pip;
    auto& lines = pip ? pip->lines : pip.emplace().lines;
    std::ranges::move(read.lines, std::back_inserter(lines));
    return {};
  }

  // Names, or one file of names.
  Status add_apt() {
    AptSection read;
    const auto kind = files_.kind(request_.apt.front());
    if (request_.apt.size() == 1 && kind.has_value() && *kind == FileKind::kFile) {
      const std::string& path = request_.apt.front();
      read = TRY(parse_apt_list(TRY(files_.read(path, kMaxTextBytes)), path));
    } else {
      std::vector<Line> items;
      items.reserve(request_.apt.size());
      for (const std::string& name : request_.apt) {
        items.push_back({name, {}});
      }
      read = TRY(read_apt_items(items));
    }
    std::optional<AptSection>& apt = definition().apt;
    auto& packages = apt ? apt->packages : apt.emplace().packages;
    std::ranges::move(read.packages, std::back_inserter(packages));
    return {};
  }

  Status check_combination() {
    // What a v1 file says about itself is validate()'s to judge: it must load.
    const bool from_here = !request_.conda_file.empty() || !request_.pip_file.empty() ||
                           !request_.apt.empty() || out_.format != Format::kAzuremlV1;
    if (from_here && !std::holds_alternative<ImageBase>(definition().base) &&
        !definition().user_managed()) {
      return fail(ErrorKind::kInvalid,
                  "packages cannot be added on top of a Dockerfile or a build context")
          .with_hint("install them in the Dockerfile, or give an image instead");
    }
    return {};
  }

  void name_it() {
    const auto take = [](const std::string& given, std::string& into) {
      if (!given.empty()) {
        into = given;
      }
    };
    take(request_.name, environment().name);
    take(request_.version, environment().version);
    take(request_.description, environment().description);
    for (const auto& [key, value] : request_.tags) {
      environment().tags[key] = value;
    }
    for (const auto& [key, value] : request_.environment_variables) {
      definition().environment_variables[key] = value;
    }
  }

  const LoadRequest& request_;
  FileSource& files_;
  const ReadOptions& options_;
  Loaded out_;
};

const std::array<Loader::Entry, 6> Loader::kHandlers = {{
    {Format::kCondaYaml, &Loader::read_conda},
    {Format::kRequirementsTxt, &Loader::read_requirements},
    {Format::kAzuremlV2, &Loader::read_v2},
    {Format::kAzuremlV1, &Loader::read_v1},
    {Format::kDockerfile, &Loader::read_dockerfile},
    {Format::kBuildContext, &Loader::read_directory},
}};

}  // namespace

Result<Loaded> load(const LoadRequest& request, FileSource& files, const ReadOptions& options) {
  return Loader(request, files, options).load();
}

}  // namespace cloche::definition
