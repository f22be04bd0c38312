// `cloche env export`
#include "definition/export.h"

#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/env/record.h"
#include "core/text.h"
#include "io/file.h"

namespace cloche::cli {
namespace {

using definition::Format;

struct ExportOptions {
  std::string subject;
  std::string format;
  std::string path = "-";
  bool force = false;
};

struct FormatRow {
  std::string_view name;
  Format format;
};

constexpr std::array<FormatRow, 5> kFormats = {{
    {"conda", Format::kCondaYaml},
    {"requirements", Format::kRequirementsTxt},
    {"azureml-v2", Format::kAzuremlV2},
    {"azureml-v1", Format::kAzuremlV1},
    {"dockerfile", Format::kDockerfile},
}};

Format format_named(std::string_view name) {
  for (const FormatRow& row : kFormats) {
    if (row.name == name) {
      return row.format;
    }
  }
  return Format::kAzuremlV2;
}

Status check_absent(const definition::WrittenFiles& files, const std::string& directory,
                    Context& context) {
  for (const auto& [name, content] : files) {
    const std::string path = join_path(directory, name);
    const auto there = context.files().read(path, kMaxTextBytes);
    const bool same = there.has_value() && *there == content;
    if (!same && (there.has_value() || there.error().kind != ErrorKind::kNotFound)) {
      return fail(ErrorKind::kConflict, "{} is there already, with another content", path)
          .with_hint("choose another directory, or add --force to replace it");
    }
  }
  return {};
}

Status write_files(const definition::WrittenFiles& files, const std::string& directory) {
  for (const auto& [name, content] : files) {
    TRY(io::write_file_atomically(join_path(directory, name), content));
  }
  return {};
}

// A registered context is in the workspace's store; one that was just read stands where it is.
Status write_context(const Subject& subject, Format format, const std::string& directory,
                     Context& context) {
  const auto folder = definition::context_folder(subject.entry.environment, format);
  if (!folder) {
    return {};
  }
  if (subject.from_file) {
    return fail(ErrorKind::kUnsupported,
                "the files of a build context that is not registered are "
                "not copied")
        .with_hint("register it first, or use its directory itself");
  }
  return TRY(context.workspace())
      ->restore_context(subject.entry, normal_path(join_path(directory, *folder)));
}

std::string written_text(const Json& data, const Style& /*style*/) {
  std::string out;
  const std::string directory = data.string_or_empty("directory");
  for (const auto& [name, content] : data["files"].members()) {
    out += fmt::format("wrote {}\n", printable(join_path(directory, name)));
  }
  return out;
}

// One file as it is; several each below a line with its name, as head(1) shows them.
std::string content_text(const Json& data, const Style& style) {
  const Json::Object& files = data["files"].members();
  std::string out;
  for (const auto& [name, content] : files) {
    if (files.size() > 1) {
      out += fmt::format("{}==> {} <==\n", out.empty() ? "" : "\n", printable(name));
    }
    // A terminal gets it harmless; a pipe or a file gets the bytes.
    out += style.width > 0 ? printable_lines(content.as_string()) : content.as_string();
  }
  return out;
}

Result<Report> run_export(const ExportOptions& options, Context& context) {
  const Format format = format_named(options.format);
  const Subject subject = TRY(find_subject(options.subject, context));
  Diagnostics diagnostics;
  auto files = definition::export_environment(subject.entry.environment, format, diagnostics);
  context.say(diagnostics);
  const definition::WrittenFiles written = TRY(std::move(files));
  const bool to_directory = options.path != "-";
  if (to_directory) {
    if (!options.force) {
      TRY(check_absent(written, options.path, context));
    }
    TRY(write_context(subject, format, options.path, context));
    TRY(write_files(written, options.path));
  }
  Json contents = Json::object();
  for (const auto& [name, content] : written) {
    contents.set(name, content);
  }
  Json data;
  data.set("format", options.format)
      .set("directory", to_directory ? Json(options.path) : Json())
      .set("files", std::move(contents));
  return Report{.data = std::move(data), .text = to_directory ? written_text : content_text};
}

constexpr std::array<Argument, 4> kEnvExportArguments = {{
    {.name = "REF",
     .help = "The environment: a reference, or a file or directory to convert",
     .required = true,
     .source = Source::kEnvironmentsAndFiles,
     .field = kField<&ExportOptions::subject>},
    {.name = "format",
     .value = "FORMAT",
     .help = "What to write",
     .required = true,
     .choices = "conda|requirements|azureml-v2|azureml-v1|dockerfile",
     .field = kField<&ExportOptions::format>},
    {.name = "output-path",
     .letter = 'o',
     .value = "DIR",
     .help = "The directory to write into; - (and no -o) prints the files",
     .source = Source::kDirectories,
     .field = kField<&ExportOptions::path>},
    {.name = "force",
     .help = "Replace files that are there with another content",
     .field = kField<&ExportOptions::force>},
}};

constexpr std::array<Example, 4> kEnvExportExamples = {{
    {"A Dockerfile that builds the same thing elsewhere",
     "cloche env export train:3 --format dockerfile -o train-docker"},
    {"For conda", "cloche env export train --format conda > environment.yml"},
    {"For Azure ML, v2 and v1", "cloche env export train --format azureml-v2 -o train-azure"},
    {"Convert a file without registering it",
     "cloche env export ./environment.yml --format requirements"},
}};

}  // namespace

const Command kEnvExport = {
    .path = "env export",
    .summary = "write an environment in another format",
    .description =
        "Writes a definition as a conda environment.yml, a requirements.txt, Azure ML v2 YAML, an "
        "Azure ML v1 directory, or a Dockerfile that builds the same thing with public tools. What "
        "a format cannot say is named on standard error; a format that cannot say it at all is an "
        "error. Passwords are never written.\n\n"
        "The files of a build context are written with -o DIR only.",
    .arguments = kEnvExportArguments,
    .examples = kEnvExportExamples,
    .exit_codes = "10  the format cannot say it",
    .see_also = "env create, env save, env copy",
    .run = run<ExportOptions, run_export>,
};

}  // namespace cloche::cli
