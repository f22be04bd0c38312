// `cloche env create`
#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/env/record.h"
#include "cli/messages.h"
#include "cli/table.h"
#include "core/text.h"
#include "definition/asset_reference.h"

namespace cloche::cli {
namespace {

struct CreateOptions {
  std::string file;
  std::string from;
  std::string conda_file;
  std::string pip_file;
  std::vector<std::string> apt;
  std::string image;
  std::string build_context;
  std::string dockerfile_path;
  std::string name;
  std::string version;
  std::optional<std::string> description;
  definition::StringMap tags;
  definition::StringMap environment_variables;
  bool anonymous = false;

  bool says_a_definition() const {
    return !file.empty() || !conda_file.empty() || !pip_file.empty() || !apt.empty() ||
           !image.empty() || !build_context.empty();
  }
};

using Registered = workspace::Workspace::Registered;

Status check(const CreateOptions& options) {
  if (options.from.empty() && !options.says_a_definition()) {
    return fail(ErrorKind::kUsage, "nothing says what the environment is")
        .with_hint(
            "cloche env create -f FILE, or --image, --conda-file, --pip, --apt, "
            "--build-context, --from");
  }
  if (!options.from.empty() &&
      (options.says_a_definition() || !options.environment_variables.empty() ||
       !options.dockerfile_path.empty() || options.anonymous)) {
    return fail(ErrorKind::kUsage, "--from takes the whole definition of another environment")
        .with_hint(
            "only --name, --version, --description and --tag go with it; to edit the "
            "definition, export it, change the files, and create from those");
  }
  if (!options.from.empty() && options.name.empty()) {
    return fail(ErrorKind::kUsage, "--from needs --name NAME for the new environment");
  }
  if (options.anonymous && !(options.name.empty() && options.version.empty())) {
    return fail(ErrorKind::kUsage, "--anonymous gives name and version by itself");
  }
  return {};
}

Result<Registered> create_from(const CreateOptions& options, workspace::Workspace& workspace) {
  const definition::AssetReference from = TRY(parse_environment_reference(options.from));
  Registered made = TRY(workspace.copy(from, options.name, options.version));
  if (options.description || !options.tags.empty()) {
    definition::AssetReference reference;
    reference.name = made.entry.environment.name;
    reference.version = made.entry.environment.version;
    made.entry = TRY(workspace.update(
        reference,
        {.description = options.description, .set_tags = options.tags, .remove_tags = {}}));
  }
  return made;
}

Result<Registered> create_loaded(const CreateOptions& options, Context& context) {
  const definition::Loaded loaded =
      TRY(load_checked({.file = input_path(options.file),
                        .conda_file = options.conda_file,
                        .pip_file = options.pip_file,
                        .apt = options.apt,
                        .image = options.image,
                        .build_context = options.build_context,
                        .dockerfile_path = options.dockerfile_path,
                        .name = options.name,
                        .version = options.version,
                        .description = options.description.value_or(""),
                        .tags = options.tags,
                        .environment_variables = options.environment_variables},
                       context));
  workspace::Workspace& workspace = *TRY(context.workspace());
  if (options.anonymous) {
    return workspace.create_anonymous(loaded.environment);
  }
  if (loaded.environment.name.empty()) {
    return fail(ErrorKind::kUsage, "the environment has no name: {} gives none",
                options.file.empty() ? "the command line" : options.file)
        .with_hint("add --name NAME, or --anonymous");
  }
  return workspace.create(loaded.environment);
}

std::string env_create_text(const Json& data, const Style& style) {
  const std::string name =
      fmt::format("{}:{}", data.string_or_empty("name"), data.string_or_empty("version"));
  Sheet sheet;
  sheet.add(data["created"].as_bool() ? "registered" : "unchanged", name);
  sheet.add("fingerprint", data.string_or_empty("fingerprint"));
  sheet.add("image", data.string_or_empty("image_name"));
  return sheet.render(style);
}

Result<Report> run_create(const CreateOptions& options, Context& context) {
  TRY(check(options));
  const Registered made = options.from.empty()
                              ? TRY(create_loaded(options, context))
                              : TRY(create_from(options, *TRY(context.workspace())));
  Json data = version_record(made.entry);
  data.set("created", made.created);
  return Report{.data = std::move(data), .text = env_create_text};
}

constexpr std::array<Argument, 14> kEnvCreateArguments = {{
    {.name = "file",
     .letter = 'f',
     .value = "FILE",
     .help =
         "What to register: a conda environment.yml, a requirements.txt, an Azure ML v2 YAML, a "
         "Dockerfile, or a directory (an Azure ML v1 one or a build context); - reads standard "
         "input",
     .source = Source::kFiles,
     .field = kField<&CreateOptions::file>},
    {.name = "from",
     .value = "REF",
     .help = "Take the definition of another environment; needs --name",
     .source = Source::kEnvironments,
     .field = kField<&CreateOptions::from>},
    {.name = "conda-file",
     .value = "FILE",
     .help = "Add the packages of a conda environment.yml",
     .source = Source::kFiles,
     .field = kField<&CreateOptions::conda_file>},
    {.name = "pip",
     .value = "FILE",
     .help = "Add the lines of a requirements.txt",
     .source = Source::kFiles,
     .field = kField<&CreateOptions::pip_file>},
    {.name = "apt",
     .value = "PACKAGE",
     .help = "Add a Debian package (git, git=1:2.39.5-0+deb12u1), or a file of them",
     .source = Source::kFiles,
     .field = kField<&CreateOptions::apt>},
    {.name = "image",
     .value = "REFERENCE",
     .help =
         "The base image; without one (and without Dockerfile or build context) the workspace's "
         "default",
     .field = kField<&CreateOptions::image>},
    {.name = "build-context",
     .value = "DIR",
     .help = "A directory with a Dockerfile, whose files the image is built from",
     .source = Source::kDirectories,
     .field = kField<&CreateOptions::build_context>},
    {.name = "dockerfile-path",
     .value = "PATH",
     .help = "The Dockerfile's place in the build context; without it Dockerfile",
     .field = kField<&CreateOptions::dockerfile_path>},
    {.name = "name",
     .letter = 'n',
     .value = "NAME",
     .help = "The environment's name; wins over the file's",
     .field = kField<&CreateOptions::name>},
    {.name = "version",
     .value = "VERSION",
     .help = "The version; wins over the file's. Without one the next number is given",
     .field = kField<&CreateOptions::version>},
    {.name = "description",
     .value = "TEXT",
     .help = "What the environment is for; wins over the file's",
     .field = kField<&CreateOptions::description>},
    {.name = "tag",
     .value = "KEY=VALUE",
     .help = "Add a tag",
     .field = kField<&CreateOptions::tags>},
    {.name = "env",
     .value = "KEY=VALUE",
     .help = "Set an environment variable for what runs in the environment",
     .field = kField<&CreateOptions::environment_variables>},
    {.name = "anonymous",
     .help = "Register without a name: unlisted, found by its version, which its content gives",
     .field = kField<&CreateOptions::anonymous>},
}};

constexpr std::array<Example, 6> kEnvCreateExamples = {{
    {"Register what a conda file says, under the name in the file",
     "cloche env create -f environment.yml"},
    {"A base image with pip and Debian packages on top",
     "cloche env create --image python:3.12-slim --pip requirements.txt --apt git --name train"},
    {"A Dockerfile with the files that it copies",
     "cloche env create --build-context docker --name serve --tag team=vision"},
    {"An Azure ML v1 directory, as the SDK saved it", "cloche env create -f my-env-v1"},
    {"From standard input", "conda env export | cloche env create -f - --name snapshot"},
    {"Create from an existing one", "cloche env create --from train:3 --name train-gpu"},
}};

}  // namespace

const Command kEnvCreate = {
    .path = "env create",
    .summary = "register an environment",
    .description =
        "Reads a definition in any of the formats, checks it, and registers it as a version of a "
        "named environment. Options add to what FILE says, or stand alone.\n\n"
        "A version never changes. Without a version the next number is given; when the latest "
        "version has the same definition already, that one is given back. The same name, version "
        "and definition again is no error. The same name and version with another definition is "
        "refused, with the difference.\n\n"
        "Prints the name and version, the fingerprint (which only the content decides) and the "
        "name "
        "that the image will have. What deserves attention goes to standard error.",
    .arguments = kEnvCreateArguments,
    .examples = kEnvCreateExamples,
    .see_also = "env show, env copy, env lint, env diff",
    .run = run<CreateOptions, run_create>,
};

}  // namespace cloche::cli
