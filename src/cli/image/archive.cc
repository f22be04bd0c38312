// `cloche image import` and `cloche image export`
#include "image/archive.h"

#include <array>

#include <fmt/format.h>

#include "blob/lease.h"
#include "cli/command_table.h"
#include "cli/image/record.h"
#include "cli/interrupt.h"
#include "core/files.h"
#include "core/text.h"
#include "io/temporary.h"

namespace cloche::cli {
namespace {

struct ImportOptions {
  std::string path;
  std::string name;
};

struct ExportOptions {
  std::string name;
  std::string path;
  std::string format = "oci";
};

std::string imported_text(const Json& data, const Style& /*style*/) {
  std::string out;
  for (const Json& one : data["images"].items()) {
    out += fmt::format("imported {}@{}\n", printable(one.string_or_empty("name")),
                       one.string_or_empty("digest"));
  }
  return out;
}

// Names that an archive brings by itself take nobody's place: its maker would decide what the next
// environment stands on (CVE-2026-50195).
Status check_names_are_free(const image::ImportedArchive& archive, const image::Layout& layout,
                            const std::string& path) {
  for (const image::ImportedImage& one : archive.images) {
    for (const std::string& name : one.names) {
      const auto there = layout.find(name);
      if (there && there->digest != one.manifest.digest) {
        return fail(ErrorKind::kConflict,
                    "{} calls its image {}, and there is another one of that "
                    "name",
                    printable(path), printable(name))
            .with_hint(
                fmt::format("say what to call it: cloche image import FILE NAME; or free the "
                            "name: cloche image delete {}",
                            printable(name)));
      }
    }
  }
  return {};
}

Result<Report> run_import(const ImportOptions& options, Context& context) {
  const Interrupt interrupt;
  TRY(context.workspace());
  const image::Layout layout = layout_of(context);
  TRY(layout.create());
  const blob::Lease lease = TRY(blob::Lease::take(layout.root()));
  const image::ImportedArchive archive =
      TRY(image::import_archive(options.path, layout.blobs(), {}, interrupt.token()));
  if (!options.name.empty() && archive.images.size() != 1) {
    return fail(ErrorKind::kInvalid, "{} has {} images; one name is not enough",
                printable(options.path), archive.images.size())
        .with_hint("leave NAME out: each has a name of its own");
  }
  if (options.name.empty()) {
    TRY(check_names_are_free(archive, layout, options.path));
  }
  Json images = Json::array();
  for (const image::ImportedImage& one : archive.images) {
    const std::vector<std::string> names =
        options.name.empty() ? one.names : std::vector<std::string>{options.name};
    if (names.empty()) {
      return fail(ErrorKind::kUsage, "{} does not say its name", printable(options.path))
          .with_hint("give one: cloche image import FILE NAME");
    }
    for (const std::string& name : names) {
      TRY(layout.set(name, one.manifest));
      Json record;
      record.set("name", name).set("digest", one.manifest.digest.to_string());
      images.push(std::move(record));
    }
  }
  Json data;
  data.set("images", std::move(images));
  return Report{.data = std::move(data), .text = imported_text};
}

std::string exported_text(const Json& data, const Style& /*style*/) {
  return fmt::format("wrote {}\n", printable(data.string_or_empty("path")));
}

// docker load takes nothing without a tag.
std::string archive_name(const std::string& name) {
  return name.find(':') == std::string::npos ? name + ":latest" : name;
}

Result<Report> run_export(const ExportOptions& options, Context& context) {
  const Interrupt interrupt;
  const image::Layout layout = layout_of(context);
  const image::Descriptor manifest = TRY(layout.find(options.name));
  const bool docker = options.format == "docker";
  const std::string directory = parent_path(options.path);
  io::TemporaryFile file = TRY(io::TemporaryFile::create(directory.empty() ? "." : directory));
  TRY(image::export_archive(
      docker ? image::ArchiveKind::kDocker : image::ArchiveKind::kOci,
      {{.name = archive_name(options.name), .manifest = manifest}}, layout.blobs(),
      [&](std::string_view bytes) { return file.write(bytes); }, interrupt.token()));
  TRY(std::move(file).rename_to(options.path));
  Json data;
  data.set("name", options.name)
      .set("path", options.path)
      .set("format", options.format)
      .set("digest", manifest.digest.to_string());
  return Report{.data = std::move(data), .text = exported_text};
}

constexpr std::array<Argument, 2> kImportArguments = {{
    {.name = "FILE",
     .help = "A docker-archive, an OCI archive, or a tar of a root file system",
     .required = true,
     .source = Source::kFiles,
     .field = kField<&ImportOptions::path>},
    {.name = "NAME",
     .help = "What to call it; a docker-archive or OCI archive may say so itself",
     .field = kField<&ImportOptions::name>},
}};

constexpr std::array<Argument, 3> kExportArguments = {{
    {.name = "NAME",
     .help = "The image's name, as image list has it",
     .required = true,
     .source = Source::kImages,
     .field = kField<&ExportOptions::name>},
    {.name = "FILE",
     .help = "The file to write",
     .required = true,
     .source = Source::kFiles,
     .field = kField<&ExportOptions::path>},
    {.name = "format",
     .value = "FORMAT",
     .help = "oci, or docker for docker load of any version (default: oci)",
     .choices = "oci|docker",
     .field = kField<&ExportOptions::format>},
}};

constexpr std::array<Example, 2> kImportExamples = {{
    {"A root file system becomes a base image",
     "cloche image import bookworm.tar.gz debian:bookworm"},
    {"What docker saved", "cloche image import saved.tar"},
}};

constexpr std::array<Example, 1> kExportExamples = {{
    {"For a machine without a network", "cloche image export train:3 train.tar --format docker"},
}};

}  // namespace

const Command kImageImport = {
    .path = "image import",
    .summary = "take an image from a file",
    .description =
        "Reads what docker save, skopeo copy or podman save wrote, or a tar of a root file system, "
        "which becomes a base image of one layer; plain or compressed. A name that the archive "
        "gives its image itself takes no other image's place; NAME does.",
    .arguments = kImportArguments,
    .examples = kImportExamples,
    .exit_codes = "5  the archive's own name is another image's here",
    .see_also = "image export, image pull",
    .run = run<ImportOptions, run_import>,
};

const Command kImageExport = {
    .path = "image export",
    .summary = "write an image into a file",
    .description =
        "Writes an OCI archive, or a docker-archive with uncompressed layers. The same image gives "
        "the same bytes.",
    .arguments = kExportArguments,
    .examples = kExportExamples,
    .see_also = "image import, image push",
    .run = run<ExportOptions, run_export>,
};

}  // namespace cloche::cli
