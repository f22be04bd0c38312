#include "cli/job/preparation.h"

#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "blob/lease.h"
#include "cli/env/building.h"
#include "cli/job/preparation_output.h"
#include "cli/messages.h"
#include "core/text.h"
#include "definition/json_record.h"
#include "io/system.h"
#include "jobs/cancel_watch.h"
#include "jobs/follower.h"
#include "jobs/input_digest.h"

namespace cloche::cli {
namespace {

constexpr std::string_view kVirtual = "virtual-package ";

// What preparing finds out.
struct Prepared {
  std::vector<jobs::InputRecord> inputs;
  std::string lock;
  std::string image;
};

Result<Prepared> prepare(const jobs::Job& job, JobAccess& access, const std::stop_token& stop,
                         Context& context) {
  Prepared out;
  out.inputs = TRY(jobs::digest_inputs(job.submission.job, context.files(), {}, stop));
  const jobs::JobEnvironment& known = job.run.environment;
  if (!known.image.empty()) {  // of a job that is run again
    out.lock = known.lock;
    out.image = known.image;
    return out;
  }
  const LockingOptions locking = TRY(options_from(job.submission.preparing));
  definition::AssetReference reference;
  reference.name = known.name;
  reference.version = known.version;
  const Subject subject{.entry = TRY(access.workspace().get(reference)), .from_file = false};
  const std::unique_ptr<ChannelAccess> channels = TRY(ChannelAccess::open(context));
  const EnvironmentImage image =
      TRY(find_or_build_image(subject, locking, *channels, stop, context));
  out.lock = image.lock.to_string();
  out.image = image.manifest.digest.to_string();
  return out;
}

Status record_attempt(const std::string& name, JobAccess& access) {
  jobs::JobBook& book = access.book();
  TRY(book.change(name, [&](jobs::Job& job) -> Status {
    job.run.preparers.push_back({.pid = ::getpid(),
                                 .host = access.machine().host,
                                 .boot_id = access.machine().boot_id,
                                 .at = book.now_ms()});
    return {};
  }));
  return {};
}

// Into the queue; Canceled when that was asked for meanwhile.
Result<bool> enqueue(const std::string& name, Prepared prepared, jobs::JobBook& book) {
  const jobs::Job job = TRY(book.change(name, [&](jobs::Job& one) -> Status {
    if (one.status == jobs::JobStatus::kCancelRequested) {
      jobs::enter(one, jobs::JobStatus::kCanceled, book.now_ms());
    }
    if (one.status != jobs::JobStatus::kPreparing) {
      return {};
    }
    one.run.inputs = std::move(prepared.inputs);
    one.run.environment.lock = prepared.lock;
    one.run.environment.image = prepared.image;
    jobs::enter(one, jobs::JobStatus::kQueued, book.now_ms());
    return {};
  }));
  return job.status == jobs::JobStatus::kQueued;
}

Error preparation_error(const jobs::Job& job, std::optional<Error> told) {
  if (job.status == jobs::JobStatus::kCanceled) {
    return fail(ErrorKind::kCancelled, "job {} was canceled while it was prepared", job.name());
  }
  if (told) {
    return std::move(*told);
  }
  return fail(ErrorKind::kUnavailable, "{}", job.run.reason).with_hint(job.run.diagnosis);
}

}  // namespace

definition::StringMap kept_options(const LockingOptions& options) {
  definition::StringMap out = {{"platform", options.platform}, {"timeout", options.timeout}};
  for (const auto& [name, version] : options.virtual_packages) {
    out[std::string(kVirtual) + name] = version;
  }
  if (options.offline) {
    out["offline"] = "true";
  }
  if (options.refresh) {
    out["refresh"] = "true";
  }
  if (!options.apt_sources.empty()) {
    out["apt-sources"] = join_path(io::current_directory(), options.apt_sources);
  }
  return out;
}

Result<LockingOptions> options_from(const definition::StringMap& kept) {
  LockingOptions out;
  for (const auto& [name, value] : kept) {
    if (name.starts_with(kVirtual)) {
      out.virtual_packages[name.substr(kVirtual.size())] = value;
    } else if (name == "platform") {
      out.platform = value;
    } else if (name == "timeout") {
      out.timeout = value;
    } else if (name == "offline") {
      out.offline = true;
    } else if (name == "refresh") {
      out.refresh = true;
    } else if (name == "apt-sources") {
      out.apt_sources = value;
    } else {
      return definition::damaged("an unknown option \"{}\" for preparing", printable(name));
    }
  }
  return out;
}

Status record_failure(const std::string& name, const Error& error, jobs::JobBook& book) {
  TRY(book.change(name, [&](jobs::Job& job) -> Status {
    const bool goes_on = error.kind == ErrorKind::kCancelled && job.handed_over();
    if (job.status == jobs::JobStatus::kCancelRequested) {
      jobs::enter(job, jobs::JobStatus::kCanceled, book.now_ms());
    } else if (!is_final(job.status) && !goes_on) {
      jobs::fail_job(job, error.message, book.now_ms());
      job.run.diagnosis = error.hint;
    }
    return {};
  }));
  return {};
}

Result<bool> prepare_job(const std::string& name, JobAccess& access, const std::stop_token& stop,
                         Context& context) {
  jobs::JobBook& book = access.book();
  const auto charge = TRY(book.directory(name).take_charge());
  const jobs::Job job = TRY(book.get(name));
  if (!charge || job.status != jobs::JobStatus::kPreparing || !job.handed_over()) {
    return false;
  }
  TRY(record_attempt(name, access));
  const jobs::CancelWatch watch = TRY(jobs::CancelWatch::start(book, name, stop));
  // What is built stays until the job refers to it.
  const blob::Lease lease = TRY(blob::Lease::take(book.workspace()));
  auto prepared = prepare(job, access, watch.token(), context);
  if (!prepared) {
    context.terminal().err(error_record(prepared.error()).dump() + "\n");
    TRY(record_failure(name, prepared.error(), book));
    return false;
  }
  return enqueue(name, std::move(*prepared), book);
}

Result<jobs::Job> follow_preparation(const std::string& name, JobAccess& access,
                                     const std::stop_token& stop, Context& context) {
  PreparationOutput output(context);
  jobs::FollowOptions options{.preparation = true};
  options.revive = [&access] { return access.attend(); };
  auto followed = jobs::follow(access.book(), name, options, output, stop);
  output.finish();
  jobs::Job job = TRY(std::move(followed));
  if (is_final(job.status) && job.status != jobs::JobStatus::kCompleted &&
      job.run.attempts.empty()) {
    return preparation_error(job, output.take_error());
  }
  return job;
}

}  // namespace cloche::cli
