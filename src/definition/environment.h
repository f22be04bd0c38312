// The environment: what a person registers. One entity, whatever file it was written in.
//
// Plain values. The identity of a definition (`same_definition`, the fingerprint) never depends on
// locations, comments, key order, quoting or line ends; locations are kept so that later stages can
// say which line of which file asked for something.
//
// operator== compares everything, locations too (a stored form must give the same back). Whether
// two definitions mean the same is fingerprint.h's to say.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/digest.h"
#include "core/files.h"
#include "core/json.h"
#include "core/location.h"

namespace cloche::definition {

using StringMap = std::map<std::string, std::string>;

// One item as its author wrote it: outer blanks and comments gone, runs of blanks made one space.
struct Line {
  std::string text;
  Location at;

  bool operator==(const Line&) const = default;
};

// A conda dependency: a MatchSpec (package/conda/match_spec.h), perhaps for some platforms only.
struct CondaDependency {
  std::string text;  // "python=3.11"
  std::string
      selector;  // "linux", "osx and arm64", from `# [linux]` or `sel(linux): ...`; "" means always
  Location at;

  bool operator==(const CondaDependency&) const = default;
};

// conda's part. Channels are in order of priority and never empty: where a file names none, the
// configured defaults were put in when it was read, so that the definition means the same on every
// machine.
struct CondaSection {
  std::string name;  // the file's own name; no part of the identity
  std::vector<Line> channels;
  bool nodefaults = false;
  std::vector<CondaDependency> dependencies;  // without the pip section
  std::vector<std::string> platforms;         // "linux-64"; empty: the target's
  StringMap variables;

  bool operator==(const CondaSection&) const = default;
};

// One line of pip's input. The text is canonical (docs/formats/fingerprint.md): continuations
// joined, comments gone, blanks collapsed, options in their long form with '='; ${VARIABLES} stay
// unexpanded, since they hold secrets.
struct PipLine {
  enum class Kind {
    kRequirement,  // "numpy==1.26", "torch @ https://...", "--editable=./src", with its
                   // per-requirement options
    kConstraint,   // a requirement out of a -c file
    kOption,  // "--index-url=https://..."; also "--requirement=URL" of a file that cannot be read
              // here
  };
  Kind kind = Kind::kRequirement;
  std::string text;
  Location at;

  bool operator==(const PipLine&) const = default;
};

// pip's part: lines in order, with the lines of included files (-r, -c) in the include's place.
struct PipSection {
  std::vector<PipLine> lines;

  bool operator==(const PipSection&) const = default;
};

// Debian packages: "git" or "git=1:2.39.5-0+deb12u1".
struct AptSection {
  std::vector<Line> packages;

  bool operator==(const AptSection&) const = default;
};

// A file of a build context, after .dockerignore. Sorted by path (bytes).
struct ContextFile {
  std::string path;  // relative, '/' between parts
  FileKind kind = FileKind::kFile;
  std::uint32_t mode = 0;        // 0644 or 0755 for files: git's rule, so umask does not matter
  std::uint64_t size_bytes = 0;  // files
  Digest digest;                 // files
  std::string link_target;       // symlinks

  bool operator==(const ContextFile&) const = default;
};

struct ImageBase {
  std::string reference;  // "python:3.11-slim", as written
  Location at;

  bool operator==(const ImageBase&) const = default;
};

// A Dockerfile without files around it (Azure v1's baseDockerfile).
struct DockerfileBase {
  std::string text;
  Location at;

  bool operator==(const DockerfileBase&) const = default;
};

// A directory with a Dockerfile in it.
struct BuildContextBase {
  std::string dockerfile_path = "Dockerfile";  // relative to the context
  std::string dockerfile;                      // its text
  std::vector<ContextFile> files;  // everything a COPY can reach, the Dockerfile included
  std::string uri;   // a remote context (git or archive URL) instead of files; Azure allows it
  std::string root;  // where the files were read from; "" once registered. No part of the identity
  Location at;

  bool operator==(const BuildContextBase&) const = default;
};

using Base = std::variant<ImageBase, DockerfileBase, BuildContextBase>;

struct InferenceRoute {
  std::string path;
  int port = 0;
  bool operator==(const InferenceRoute&) const = default;
};

struct InferenceConfig {
  std::optional<InferenceRoute> liveness;
  std::optional<InferenceRoute> readiness;
  std::optional<InferenceRoute> scoring;
  bool operator==(const InferenceConfig&) const = default;
};

enum class OsType { kLinux, kWindows };

struct Definition {
  Base base;
  std::optional<CondaSection> conda;
  std::optional<PipSection> pip;  // conda's pip section first, then pip_file
  std::optional<AptSection> apt;
  StringMap environment_variables;
  std::optional<InferenceConfig> inference;
  OsType os_type = OsType::kLinux;
  // What an Azure v1 file says beyond the above (docker arguments, spark, ...), kept for writing it
  // back. Never holds a password. No part of the identity.
  Json azureml_v1;

  bool user_managed() const { return !conda && !pip && !apt; }

  bool operator==(const Definition&) const = default;
};

struct Environment {
  std::string name;
  std::string version;  // "" until the workspace gives one
  std::string description;
  StringMap tags;
  StringMap properties;
  Definition definition;

  bool operator==(const Environment&) const = default;
};

enum class Kind { kCurated, kUserManaged, kSystemManaged, kAnonymous };

std::string_view to_string(Kind kind);  // "curated", "user-managed", "system-managed", "anonymous"

// By name and definition. The anonymous name is Azure's, "CliV2AnonymousEnvironment".
Kind kind_of(const Environment& environment);

inline constexpr std::string_view kAnonymousName = "CliV2AnonymousEnvironment";

// The base image's reference, or "" where a Dockerfile stands instead.
std::string_view image_reference(const Definition& definition);

// The Dockerfile's text, or nullptr where there is only an image.
const std::string* dockerfile_text(const Definition& definition);

// What reading needs besides the file: settings of the workspace.
struct ReadOptions {
  // Azure's CPU base image, as its default is, with a tag: what nobody chose must not move.
  std::string default_image = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:20260715.v1";
  std::vector<std::string> default_channels = {"defaults"};  // conda's own default
};

}  // namespace cloche::definition
