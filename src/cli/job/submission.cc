#include "cli/job/submission.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "blob/lease.h"
#include "cli/env/record.h"
#include "cli/job/preparation.h"
#include "core/files.h"
#include "core/text.h"
#include "image/layout.h"
#include "io/system.h"
#include "jobs/snapshot.h"

namespace cloche::cli {
namespace {

using definition::CommandJob;
using definition::JobInput;

Error at(Error error, const Location& place) {
  if (error.at.empty()) {
    error.at = place;
  }
  return error;
}

Status check_compute(const CommandJob& job) {
  std::string_view name = job.compute;
  if (name.starts_with("azureml:")) {
    name.remove_prefix(std::string_view("azureml:").size());
  }
  if (name.empty() || name == definition::kLocalCompute) {
    return {};
  }
  return fail(ErrorKind::kNotFound, "there is no compute {}", printable(job.compute))
      .with_location(job.compute_at)
      .with_hint("jobs run on this machine: leave compute out, or say --compute local");
}

std::string absolute(const std::string& path) {
  return normal_path(join_path(io::current_directory(), path));
}

Status resolve_input(const std::string& name, JobInput& input, Context& context) {
  if (input.kind == JobInput::Kind::kLiteral) {
    return {};
  }
  input.value = absolute(input.value);
  auto kind = context.files().kind(input.value);
  if (!kind) {
    Error error =
        at(std::move(kind).error().with_hint("paths are relative to the job file"), input.at);
    error.context.push_back("looking for the input " + name);
    return error;
  }
  if (*kind != FileKind::kFile && *kind != FileKind::kDirectory) {
    return fail(ErrorKind::kInvalid, "the input {} is neither a file nor a folder: {}", name,
                printable(input.value))
        .with_location(input.at);
  }
  const bool folder = *kind == FileKind::kDirectory;
  if (folder && input.kind == JobInput::Kind::kFile) {
    return fail(ErrorKind::kInvalid, "the input {} is a folder, not a file: {}", name,
                printable(input.value))
        .with_location(input.at)
        .with_hint("type: uri_folder");
  }
  if (!folder && input.kind == JobInput::Kind::kFolder) {
    return fail(ErrorKind::kInvalid, "the input {} is a file, not a folder: {}", name,
                printable(input.value))
        .with_location(input.at)
        .with_hint("type: uri_file");
  }
  input.kind = folder ? JobInput::Kind::kFolder : JobInput::Kind::kFile;
  return {};
}

// The environment that the job uses, registered.
Result<workspace::EnvironmentVersion> find_environment(const CommandJob& job, Context& context) {
  const auto& use = *job.environment;
  workspace::Workspace& workspace = *TRY(context.workspace());
  definition::Environment environment;
  if (const auto* inner = std::get_if<definition::Environment>(&use)) {
    environment = *inner;
  } else {
    const auto& reference = std::get<definition::AssetReference>(use);
    if (reference.file.empty()) {
      auto entry = workspace.get(reference);
      return entry ? std::move(entry) : at(std::move(entry).error(), job.environment_at);
    }
    definition::LoadRequest request;
    request.file = reference.file;
    environment = TRY(load_checked(request, context)).environment;
  }
  environment.name.clear();
  environment.version.clear();
  return TRY(workspace.create_anonymous(environment)).entry;
}

// The environment is registered; from then on any process can prepare the job.
Status hand_over(jobs::Job& job, jobs::JobBook& book, Context& context) {
  auto found = find_environment(job.submission.job, context);
  if (!found) {
    TRY(record_failure(job.name(), found.error(), book));
    return std::move(found).error();
  }
  job = TRY(book.change(job.name(), [&](jobs::Job& one) -> Status {
    one.run.environment = {.name = found->environment.name,
                           .version = found->environment.version,
                           .fingerprint = found->fingerprint,
                           .lock = {},
                           .image = {},
                           .variables = found->environment.definition.environment_variables};
    return {};
  }));
  return {};
}

std::string shown_environment(const CommandJob& job) {
  const auto* reference = std::get_if<definition::AssetReference>(&*job.environment);
  return reference == nullptr ? "inline" : reference->short_form();
}

Status take_code(jobs::Job& job, const std::stop_token& stop, Context& context) {
  const std::string& folder = job.submission.job.code;
  if (folder.empty()) {
    return {};
  }
  const jobs::Snapshot snapshot = TRY(
      jobs::take_snapshot(folder, context.files(), TRY(context.workspace())->blobs(), {}, stop));
  job.submission.code = snapshot.digest;
  job.submission.code_files = snapshot.files;
  job.submission.code_bytes = snapshot.bytes;
  return {};
}

}  // namespace

std::string default_experiment() {
  std::string out(base_name(io::current_directory()));
  std::ranges::replace_if(
      out,
      [](char c) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool good = letter || (c >= '0' && c <= '9') || c == '_' || c == '-';
        return !good;
      },
      '_');
  const std::size_t begin = out.find_first_not_of("_-");
  out = begin == std::string::npos ? "Default" : out.substr(begin, 200);
  return out;
}

Status resolve_job(CommandJob& job, Context& context) {
  TRY(check_compute(job));
  for (auto& [name, input] : job.inputs) {
    TRY(resolve_input(name, input, context));
  }
  if (!job.code.empty()) {
    job.code = absolute(job.code);
    const auto kind = context.files().kind(job.code);
    if (!kind || *kind != FileKind::kDirectory) {
      return fail(kind ? ErrorKind::kInvalid : ErrorKind::kNotFound, "the code {} is {}",
                  printable(job.code), kind ? "not a folder" : "not there")
          .with_hint("code: FOLDER, relative to the job file");
    }
  }
  if (job.resources.instance_count > 1 && ::geteuid() != 0) {
    return fail(ErrorKind::kUnsupported,
                "several instances need a network of their own, which only root can make")
        .with_hint("one instance with more processes: distribution.process_count_per_instance");
  }
  return {};
}

Result<jobs::Job> submit_job(CommandJob asked, const LockingOptions& locking, JobAccess& access,
                             const std::stop_token& stop, Context& context) {
  jobs::JobBook& book = access.book();
  jobs::Job job;
  job.submission.job = std::move(asked);
  job.submission.folder = io::current_directory();
  job.submission.environment = shown_environment(job.submission.job);
  job.submission.preparing = kept_options(locking);
  TRY(jobs::weigh(job, access.machine()));
  // What is stored stays until the job, which refers to it, is entered.
  const blob::Lease lease = TRY(blob::Lease::take(book.workspace()));
  TRY(take_code(job, stop, context));
  {
    const io::FileLock charge = TRY(book.add(job));
    TRY(hand_over(job, book, context));
  }
  TRY(access.attend());
  return job;
}

Result<jobs::Job> resubmit_job(const jobs::Job& earlier, const std::string& name, JobAccess& access,
                               Context& context) {
  jobs::JobBook& book = access.book();
  if (earlier.run.environment.image.empty()) {
    return fail(ErrorKind::kInvalid, "job {} never had an image: it failed while it was prepared",
                earlier.name())
        .with_hint("submit it anew with cloche job create");
  }
  const image::Layout layout(book.workspace());
  const Digest image = TRY(Digest::parse(earlier.run.environment.image));
  if (!layout.blobs().use(image)) {
    return fail(ErrorKind::kNotFound, "the image of job {}, {}, is no longer there", earlier.name(),
                image.to_string())
        .with_hint("submit it anew: cloche job create builds the image from its lock");
  }
  jobs::Job job;
  job.submission = earlier.submission;
  job.submission.job.name = name;
  job.submission.rerun_of = earlier.name();
  job.run.environment = earlier.run.environment;
  for (auto& [input_name, input] : job.submission.job.inputs) {
    TRY(resolve_input(input_name, input, context));
  }
  TRY(jobs::weigh(job, access.machine()));
  {
    const io::FileLock charge = TRY(book.add(job));
  }
  TRY(access.attend());
  return job;
}

}  // namespace cloche::cli
