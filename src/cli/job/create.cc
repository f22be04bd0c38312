// `cloche job create`, `cloche job rerun`
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/env/locking.h"
#include "cli/interrupt.h"
#include "cli/job/access.h"
#include "cli/job/preparation.h"
#include "cli/job/record.h"
#include "cli/job/stream_output.h"
#include "cli/job/submission.h"
#include "core/files.h"
#include "core/size.h"
#include "core/text.h"
#include "definition/command_job_data.h"

namespace cloche::cli {
namespace {

struct CreateOptions : LockingOptions {
  std::string file;
  std::vector<std::string> command;
  std::string environment;
  std::string image;
  std::string code;
  std::string name;
  std::string display_name;
  std::string experiment;
  std::string description;
  std::string compute;
  std::string limit;
  std::string cpus;
  std::string memory;
  std::string gpus;
  std::map<std::string, std::string> tags;
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> inputs;
  bool stream = false;
};

std::string job_create_text(const Json& data, const Style& /*style*/) {
  const std::string status = data.string_or_empty("status");
  if (status == "Completed" || status == "Failed" || status == "Canceled") {
    return ending_text(data);
  }
  return fmt::format("job {} is {}\n", data.string_or_empty("name"), status);
}

// For a shell: each word stays one word.
std::string quoted(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";
  const bool place = word.find("${{") != std::string_view::npos;
  if (!word.empty() && (place || word.find_first_not_of(kPlain) == std::string_view::npos)) {
    return std::string(word);
  }
  std::string out = "'";
  for (const char c : word) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

Error usage(Error error) {
  error.kind = ErrorKind::kUsage;
  return error;
}

// A number of at least `low` in an option.
Result<int> whole_number(const std::string& text, std::string_view option, int low) {
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || value < low) {
    return fail(ErrorKind::kUsage, "{} is a whole number from {}, not '{}'", option, low,
                printable(text));
  }
  return value;
}

Result<definition::CommandJob> read_file(const CreateOptions& options, Context& context) {
  Diagnostics diagnostics;
  const std::string content =
      TRY(context.files().read(options.file, definition::kMaxCommandJobBytes));
  auto job = definition::parse_command_job(content, options.file, context.files(),
                                           TRY(context.read_options()), diagnostics);
  context.say(diagnostics);
  return job;
}

// What options say in place of the file's.
Status apply(const CreateOptions& options, definition::CommandJob& job, Context& context) {
  const auto replace = [](std::string& target, const std::string& value) {
    target = value.empty() ? target : value;
  };
  replace(job.display_name, options.display_name);
  replace(job.description, options.description);
  replace(job.compute, options.compute);
  replace(job.code, options.code);
  for (const auto& [target, value] : {std::pair(&job.name, &options.name),
                                      std::pair(&job.experiment_name, &options.experiment)}) {
    if (!value->empty()) {
      if (auto good = definition::check_job_name(*value); !good) {
        return usage(std::move(good).error());
      }
      *target = *value;
    }
  }
  if (!options.environment.empty()) {
    job.environment_at = {};
    const std::string& text = options.environment;
    const std::size_t end = std::min(text.find(':'), text.size());
    const bool path = text.substr(0, end).find_first_of("/.") != std::string::npos;
    if (path && !text.starts_with("azureml:")) {
      definition::AssetReference reference;
      reference.file = text;
      job.environment = reference;
    } else {
      auto reference = definition::parse_asset_reference(text);
      if (!reference) {
        return usage(std::move(reference).error());
      }
      job.environment = std::move(*reference);
    }
  }
  if (!options.image.empty()) {
    definition::LoadRequest request;
    request.image = options.image;
    job.environment = TRY(load_checked(request, context)).environment;
  }
  for (const auto& [key, value] : options.tags) {
    job.tags[key] = value;
  }
  for (const auto& [key, value] : options.variables) {
    job.environment_variables[key] = value;
  }
  for (const auto& [key, value] : options.inputs) {
    // A path says so; anything else is the text itself.
    const bool path = value.starts_with("./") || value.starts_with("/") ||
                      value.starts_with("../") || value.starts_with("file:");
    definition::JobInput input{
        .kind = definition::JobInput::Kind::kLiteral, .value = value, .at = {}};
    if (path) {
      input.kind = definition::JobInput::Kind::kAny;
      input.value = TRY(definition::local_data_path(value, ""));
    }
    job.inputs[key] = std::move(input);
  }
  if (!options.limit.empty()) {
    job.timeout_s = TRY(whole_number(options.limit, "--time-limit", 1));
  }
  if (!options.gpus.empty()) {
    job.resources.gpus = TRY(whole_number(options.gpus, "--gpus", 0));
  }
  if (!options.cpus.empty()) {
    job.resources.milli_cpus = TRY(definition::parse_cpus(options.cpus).context("in --cpus"));
  }
  if (!options.memory.empty()) {
    job.resources.memory_bytes = TRY(parse_size(options.memory).context("in --memory"));
  }
  return {};
}

Result<definition::CommandJob> read_job(const CreateOptions& options, Context& context) {
  if (options.file.empty() == options.command.empty()) {
    return fail(ErrorKind::kUsage, "a job is a file or a command: {}",
                options.file.empty() ? "neither is given" : "both are given")
        .with_hint(
            "cloche job create -f job.yml, or cloche job create --environment ENV -- python "
            "train.py");
  }
  definition::CommandJob job;
  if (!options.file.empty()) {
    job = TRY(read_file(options, context));
  } else {
    for (const std::string& word : options.command) {
      job.command += (job.command.empty() ? "" : " ") + quoted(word);
    }
    job.code = ".";
  }
  TRY(apply(options, job, context));
  if (!job.environment) {
    return fail(ErrorKind::kUsage, "which environment does the command run in?")
        .with_hint("--environment NAME, --environment environment.yml, or --image IMAGE");
  }
  if (job.experiment_name.empty()) {
    job.experiment_name = default_experiment();
  }
  TRY(definition::check_command(job));
  return job;
}

Result<Report> finish(jobs::Job job, bool stream, JobAccess& access, const std::stop_token& stop,
                      Context& context) {
  if (stream && !context.json()) {
    context.terminal().err(fmt::format("job {}\n", job.name()));
  }
  job = TRY(follow_preparation(job.name(), access, stop, context));
  if (stream) {
    job = TRY(stream_job(job.name(), {}, access, stop, context));
  } else {
    context.hint(fmt::format("cloche job stream {} shows what it prints", job.name()));
  }
  return Report{.data = job_record(job, access.book().now_ms()),
                .text = job_create_text,
                .exit_code = stream ? job_exit_code(job) : 0};
}

Result<Report> run_create(const CreateOptions& options, Context& context) {
  const Interrupt interrupt;
  definition::CommandJob asked = TRY(read_job(options, context));
  TRY(resolve_job(asked, context));
  JobAccess access = TRY(JobAccess::open(context));
  jobs::Job job = TRY(submit_job(std::move(asked), options, access, interrupt.token(), context));
  return finish(std::move(job), options.stream, access, interrupt.token(), context);
}

struct RerunOptions {
  std::string job;
  std::string name;
  bool stream = false;
};

Result<Report> run_rerun(const RerunOptions& options, Context& context) {
  const Interrupt interrupt;
  if (!options.name.empty()) {
    if (auto good = definition::check_job_name(options.name); !good) {
      return usage(std::move(good).error());
    }
  }
  JobAccess access = TRY(JobAccess::open(context));
  const jobs::Job earlier = TRY(access.book().get(options.job));
  jobs::Job job = TRY(resubmit_job(earlier, options.name, access, context));
  return finish(std::move(job), options.stream, access, interrupt.token(), context);
}

constexpr std::array<Argument, 18> kJobCreateOwnArguments = {{
    {.name = "file",
     .letter = 'f',
     .value = "FILE",
     .help = "The job: Azure ML v2 command-job YAML",
     .source = Source::kFiles,
     .field = kField<&CreateOptions::file>},
    {.name = "COMMAND",
     .help = "Without a file: the command and its arguments, behind --",
     .field = kField<&CreateOptions::command>},
    {.name = "stream",
     .letter = 's',
     .help = "Show what the job prints, and wait for its end",
     .field = kField<&CreateOptions::stream>},
    {.name = "environment",
     .letter = 'e',
     .value = "ENV",
     .help = "A reference, or a file or directory as cloche env create takes them",
     .source = Source::kEnvironmentsAndFiles,
     .field = kField<&CreateOptions::environment>},
    {.name = "image",
     .value = "IMAGE",
     .help = "Run in this image as it is",
     .source = Source::kImages,
     .field = kField<&CreateOptions::image>},
    {.name = "code",
     .value = "FOLDER",
     .help = "What the job finds in its working directory; of a command, by default, the current "
             "directory",
     .source = Source::kDirectories,
     .field = kField<&CreateOptions::code>},
    {.name = "input",
     .value = "NAME=VALUE",
     .help = "An input: text, or a path that begins with / ./ or ../ (may be repeated)",
     .field = kField<&CreateOptions::inputs>},
    {.name = "env",
     .value = "NAME=VALUE",
     .help = "A variable of the job's environment (may be repeated)",
     .field = kField<&CreateOptions::variables>},
    {.name = "name",
     .value = "NAME",
     .help = "The job's name; by default one is made",
     .field = kField<&CreateOptions::name>},
    {.name = "display-name",
     .value = "TEXT",
     .help = "What people call it",
     .field = kField<&CreateOptions::display_name>},
    {.name = "experiment-name",
     .value = "NAME",
     .help = "What it belongs to; by default the current folder's name",
     .field = kField<&CreateOptions::experiment>},
    {.name = "description",
     .value = "TEXT",
     .help = "What it is for",
     .field = kField<&CreateOptions::description>},
    {.name = "tag",
     .value = "KEY=VALUE",
     .help = "A tag (may be repeated)",
     .field = kField<&CreateOptions::tags>},
    {.name = "compute",
     .value = "NAME",
     .help = "Where it runs, whatever the file says: local",
     .field = kField<&CreateOptions::compute>},
    {.name = "cpus",
     .value = "NUMBER",
     .help = "Processors that each instance needs, and may use at most: 2, 0.5",
     .field = kField<&CreateOptions::cpus>},
    {.name = "memory",
     .value = "SIZE",
     .help = "Memory that each instance needs, and may use at most: 4GB",
     .field = kField<&CreateOptions::memory>},
    {.name = "gpus",
     .value = "NUMBER",
     .help = "GPUs that each instance needs",
     .field = kField<&CreateOptions::gpus>},
    {.name = "time-limit",
     .value = "SECONDS",
     .help = "End it after so long, as failed",
     .field = kField<&CreateOptions::limit>},
}};

constexpr auto kCreateArguments = joined(kJobCreateOwnArguments, kLockingArguments<CreateOptions>);

constexpr std::array<Example, 4> kCreateExamples = {{
    {"A job file of Azure ML", "cloche job create -f job.yml"},
    {"See what it prints", "cloche job create -f job.yml --stream"},
    {"A command in a registered environment",
     "cloche job create --environment train -- python train.py --lr 0.1"},
    {"A file written for a cluster", "cloche job create -f job.yml --compute local"},
}};

constexpr std::array<Argument, 3> kRerunArguments = {{
    {.name = "JOB",
     .help = "The job to run again",
     .required = true,
     .field = kField<&RerunOptions::job>},
    {.name = "name",
     .value = "NAME",
     .help = "The new job's name; by default one is made",
     .field = kField<&RerunOptions::name>},
    {.name = "stream",
     .letter = 's',
     .help = "Show what the job prints, and wait for its end",
     .field = kField<&RerunOptions::stream>},
}};

constexpr std::array<Example, 1> kRerunExamples = {{
    {"The same again", "cloche job rerun calm_river_1f0e9a3c --stream"},
}};

}  // namespace

const Command kJobCreate = {
    .path = "job create",
    .summary = "run a command as a job",
    .description =
        "Enters a job, prepares it (its code is stored, its environment locked and built where "
        "that was not done yet), and lets it run on this machine when there is room: at once, or "
        "after the jobs before it. A process of the job's own does all of that and goes on "
        "whatever becomes of this command or the terminal; the command shows how the preparing "
        "goes.\n\n"
        "The code is a copy of the folder as it is now, without what .amlignore (else .gitignore) "
        "leaves out. The command runs in a copy of that copy; what it writes into ./outputs and "
        "./logs is kept with the job.",
    .arguments = kCreateArguments,
    .examples = kCreateExamples,
    .exit_codes = "1  with --stream: the job failed\n8  it was canceled, or no longer followed",
    .see_also = "job stream, job show, job list, env build",
    .run = run<CreateOptions, run_create>,
};

const Command kJobRerun = {
    .path = "job rerun",
    .summary = "run a job again",
    .description =
        "Enters a job with the same command, code and inputs, and the same image, to the byte: "
        "nothing is solved or built, whatever became of the environment meanwhile.",
    .arguments = kRerunArguments,
    .examples = kRerunExamples,
    .exit_codes = "1  with --stream: the job failed\n8  with --stream: the job was canceled",
    .see_also = "job create, job compare",
    .run = run<RerunOptions, run_rerun>,
};

}  // namespace cloche::cli
