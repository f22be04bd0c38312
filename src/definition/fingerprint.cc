// The input is made only here and never from another format's writer: what is hashed must not
// change because a stored form does.
#include "definition/fingerprint.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "definition/build_context.h"
#include "definition/byte_text.h"
#include "definition/dockerfile_steps.h"

namespace cloche::definition {
namespace {

constexpr std::string_view kFormat = "cloche-fingerprint-1";
constexpr std::size_t kDigits = 32;

Json texts(const std::vector<std::string>& list) {
  Json out = Json::array();
  for (const std::string& one : list) {
    out.push(text_to_json(one));
  }
  return out;
}

Json texts(const std::vector<Line>& list) {
  Json out = Json::array();
  for (const Line& line : list) {
    out.push(text_to_json(line.text));
  }
  return out;
}

std::string_view type_of(FileKind kind) {
  switch (kind) {
    case FileKind::kFile:
      return "file";
    case FileKind::kDirectory:
      return "directory";
    case FileKind::kSymlink:
      return "symlink";
    case FileKind::kOther:
      return "other";
  }
  return "other";
}

// A link's mode means nothing on Linux; a directory's and a file's are what COPY keeps.
Json file_input(const ContextFile& file) {
  Json out = Json::object();
  out.set("path", text_to_json(file.path)).set("type", type_of(file.kind));
  if (file.kind == FileKind::kSymlink) {
    return out.set("target", text_to_json(file.link_target));
  }
  out.set("mode", fmt::format("{:04o}", file.mode));
  if (file.kind == FileKind::kFile) {
    out.set("digest", file.digest.to_string());
  }
  return out;
}

Json files_input(std::vector<const ContextFile*> files) {
  std::ranges::sort(files, {}, &ContextFile::path);
  Json out = Json::array();
  for (const ContextFile* file : files) {
    out.push(file_input(*file));
  }
  return out;
}

Json dockerfile_input(std::string_view text, Json files) {
  Json out = Json::object();
  if (const auto steps = dockerfile_steps(text)) {
    out.set("steps", texts(*steps));
  } else {
    out.set("text", text_to_json(text));
  }
  return out.set("files", std::move(files));
}

Json base_input(const ImageBase& base) {
  return Json::object().set("image", text_to_json(base.reference));
}

Json base_input(const DockerfileBase& base) { return dockerfile_input(base.text, Json::array()); }

Json base_input(const BuildContextBase& base) {
  if (!base.uri.empty()) {
    return Json::object()
        .set("uri", text_to_json(base.uri))
        .set("dockerfile_path", text_to_json(base.dockerfile_path));
  }
  return dockerfile_input(base.dockerfile, files_input(copied_files(base)));
}

Json conda_input(const CondaSection& conda) {
  Json packages = Json::array();
  for (const CondaDependency& one : conda.dependencies) {
    packages.push(Json::object()
                      .set("text", text_to_json(one.text))
                      .set("selector", text_to_json(one.selector)));
  }
  return Json::object()
      .set("channels", texts(conda.channels))
      .set("nodefaults", conda.nodefaults)
      .set("platforms", texts(conda.platforms))
      .set("packages", std::move(packages));
}

std::string_view kind_of_line(PipLine::Kind kind) {
  switch (kind) {
    case PipLine::Kind::kRequirement:
      return "requirement";
    case PipLine::Kind::kConstraint:
      return "constraint";
    case PipLine::Kind::kOption:
      return "option";
  }
  return "option";
}

Json pip_input(const std::optional<PipSection>& pip) {
  Json out = Json::array();
  if (pip) {
    for (const PipLine& line : pip->lines) {
      out.push(
          Json::object().set("kind", kind_of_line(line.kind)).set("text", text_to_json(line.text)));
    }
  }
  return out;
}

bool same_context(const Base& a, const Base& b) {
  const auto* x = std::get_if<BuildContextBase>(&a);
  const auto* y = std::get_if<BuildContextBase>(&b);
  if (x == nullptr || y == nullptr) {
    return x == y && a.index() == b.index();
  }
  return x->dockerfile_path == y->dockerfile_path && x->uri == y->uri &&
         files_input(kept_files(*x)) == files_input(kept_files(*y));
}

StringMap conda_variables(const Definition& definition) {
  return definition.conda ? definition.conda->variables : StringMap();
}

}  // namespace

Json fingerprint_input(const Definition& definition) {
  return Json::object()
      .set("format", kFormat)
      .set("base", std::visit([](const auto& base) { return base_input(base); }, definition.base))
      .set("conda", definition.conda ? conda_input(*definition.conda) : Json())
      .set("pip", pip_input(definition.pip))
      .set("apt", definition.apt ? texts(definition.apt->packages) : Json::array());
}

std::string fingerprint(const Definition& definition) {
  return Digest::of(fingerprint_input(definition).canonical()).hex().substr(0, kDigits);
}

std::string image_name(std::string_view fingerprint) {
  return fmt::format("cloche/cloche_{}", fingerprint);
}

bool same_definition(const Definition& a, const Definition& b) {
  return a.os_type == b.os_type && a.environment_variables == b.environment_variables &&
         a.inference == b.inference && conda_variables(a) == conda_variables(b) &&
         same_context(a.base, b.base) && fingerprint_input(a) == fingerprint_input(b);
}

}  // namespace cloche::definition
