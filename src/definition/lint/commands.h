// What the package managers' command lines mean, for rules about RUN.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "definition/lint/dockerfile_view.h"

namespace cloche::definition {

// `pip install ...`, also as `python -m pip` and `uv pip install`.
struct PipInstall {
  const Call* call = nullptr;
  std::vector<const ShellWord*> requirements;  // names, URLs and paths, as far as no expansion
  bool has_files = false;                      // -r or -c
};
std::optional<PipInstall> pip_install(const Call& call);

// The project's name in a requirement ("torch" of "torch[x]>=2"), in normal form; "" for a URL or a
// path.
std::string requirement_name(std::string_view requirement);

// apt-get or apt with this verb.
bool is_apt(const Call& call, std::string_view verb);

// conda, mamba or micromamba that brings packages: install, create, update, env create, env update.
bool is_conda_install(const Call& call);
// Of those, the ones that make or fill an environment other than base: its name or path, else "".
std::string conda_environment(const Call& call);

bool is_conda(const Call& call);

// curl or wget that fetches something.
bool is_download(const Call& call);

// The RUN has a cache mount on a directory whose path holds `part`.
bool has_cache_mount(const InstructionView& view, std::string_view part);

// An absolute path for what the instruction names, by the WORKDIRs of the stage before it; "" when
// that cannot be known.
std::string absolute_path(const DockerfileView& view, const InstructionView& at,
                          std::string_view path);

}  // namespace cloche::definition
