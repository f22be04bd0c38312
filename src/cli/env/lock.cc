// `cloche env lock`
#include "lock/lock.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <map>

#include <fmt/format.h>

#include "build/lock_environment.h"
#include "cli/channels.h"
#include "cli/command_table.h"
#include "cli/env/lock_output.h"
#include "cli/env/record.h"
#include "cli/interrupt.h"
#include "cli/messages.h"
#include "cli/progress_display.h"
#include "core/text.h"
#include "io/file.h"
#include "lock/check.h"
#include "lock/cloche_lock.h"
#include "lock/diff.h"

namespace cloche::cli {
namespace {

struct LockOptions {
  std::string subject;
  std::string platform = "linux-64";
  std::map<std::string, std::string> virtual_packages;
  std::vector<std::string> upgrade;
  bool update_all = false;
  bool check = false;
  std::string format;
  std::string path = "-";
  bool force = false;
  bool offline = false;
  bool refresh = false;
  std::string timeout = "300";
};

std::string text(const Json& data, const Style& style) {
  const std::string state = data.string_or_empty("state");
  std::string out;
  if (state == "upgraded") {
    out += lock_diff_text(data["changes"], style) + "\n";
  }
  return out + lock_text(data["lock"], style);
}

std::string check_text(const Json& data, const Style& style) {
  const std::string findings = findings_text(data["findings"], style);
  return findings.empty() ? "the lock satisfies the definition\n" : findings;
}

std::string content_text(const Json& data, const Style& style) {
  const std::string content = data.string_or_empty("content");
  return style.width > 0 ? printable_lines(content) : content;
}

std::string written_text(const Json& data, const Style& /*style*/) {
  return fmt::format("wrote {}\n", printable(data.string_or_empty("path")));
}

Result<std::chrono::steady_clock::time_point> deadline(const LockOptions& options) {
  int seconds = 0;
  const std::string& text = options.timeout;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds <= 0) {
    return fail(ErrorKind::kUsage, "--timeout is a number of seconds, not '{}'", printable(text));
  }
  return std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
}

workspace::LockKey key_of(const Subject& subject, const build::LockRequest& request) {
  return {subject.entry.fingerprint, request.platform, request.virtual_packages};
}

// The lock that is there, or the one that is made now and kept.
struct Locked {
  workspace::StoredLock entry;
  std::string state;  // "kept", "locked", "upgraded", "unchanged"
  lock::Difference changes;
};

Result<Locked> make(const Subject& subject, const build::LockRequest& request,
                    const std::optional<workspace::StoredLock>& before, ChannelAccess& access,
                    Context& context) {
  const Interrupt interrupt;
  ProgressDisplay progress(context.terminal(), access.clock(), progress_form(context));
  Diagnostics diagnostics;
  auto outcome =
      build::lock_environment(request, access.channels(), interrupt.token(), progress, diagnostics);
  progress.clear();
  context.say(diagnostics);
  const build::LockOutcome made = TRY(std::move(outcome));

  Locked out;
  workspace::Workspace::LockChange change;
  change.name = subject.from_file ? "" : subject.entry.environment.name;
  change.version = subject.from_file ? "" : subject.entry.environment.version;
  out.state = "locked";
  if (before) {
    out.changes = lock::diff(before->lock, made.lock);
    change.replaces = before->digest;
    change.action = "upgraded";
    change.detail = lock::summary(out.changes);
    out.state = out.changes.empty() ? "unchanged" : "upgraded";
  }
  auto put = TRY(TRY(context.workspace())->put_lock(made.lock, change));
  out.entry = std::move(put.entry);
  if (!put.stored && out.state == "locked") {
    out.state = "kept";  // somebody else was faster
  }
  return out;
}

Result<Locked> find_or_make(const Subject& subject, build::LockRequest& request,
                            const LockOptions& options, ChannelAccess& access, Context& context) {
  workspace::Workspace* const workspace = TRY(context.workspace());
  std::optional<workspace::StoredLock> before = TRY(workspace->find_lock(key_of(subject, request)));
  const bool changing = options.update_all || !options.upgrade.empty();
  if (before && !changing) {
    return Locked{std::move(*before), "kept", {}};
  }
  for (const std::string& name : options.upgrade) {
    const auto is_it = [&](const lock::CondaPackage& one) { return one.record.name == name; };
    if (before && std::ranges::none_of(before->lock.conda.packages, is_it)) {
      return fail(ErrorKind::kNotFound, "the lock has no package '{}' to upgrade", printable(name))
          .with_hint("see what it has with cloche env lock " + options.subject);
    }
  }
  request.previous = before && !options.update_all ? &before->lock : nullptr;
  request.upgrade = options.upgrade;
  return make(subject, request, before, access, context);
}

Result<Report> run_check(const Subject& subject, const build::LockRequest& request,
                         Context& context) {
  const auto stored = TRY(TRY(context.workspace())->find_lock(key_of(subject, request)));
  if (!stored) {
    return fail(ErrorKind::kNotFound, "{} is not locked for {} and this target",
                printable(shown_name(subject.entry)), request.platform)
        .with_hint("lock it first: cloche env lock " + shown_name(subject.entry));
  }
  const std::vector<lock::Finding> findings =
      lock::check(stored->lock, subject.entry.environment.definition);
  Json data;
  data.set("digest", stored->digest.to_string()).set("findings", findings_record(findings));
  return Report{.data = std::move(data), .text = check_text, .exit_code = findings.empty() ? 0 : 1};
}

Result<Report> write_out(const std::string& content, const LockOptions& options) {
  Json data;
  data.set("format", options.format);
  if (options.path == "-") {
    data.set("path", Json()).set("content", content);
    return Report{.data = std::move(data), .text = content_text};
  }
  TRY(io::write_file_atomically(options.path, content));
  data.set("path", options.path).set("content", content);
  return Report{.data = std::move(data), .text = written_text};
}

Result<Report> run_lock(const LockOptions& options, Context& context) {
  const Subject subject = TRY(find_subject(options.subject, context));
  const std::unique_ptr<ChannelAccess> access = TRY(ChannelAccess::open(context));
  build::LockRequest request{.definition = subject.entry.environment.definition};
  request.platform = options.platform;
  request.virtual_packages =
      TRY(access->virtual_packages(options.platform, options.virtual_packages));
  request.repodata.offline = options.offline;
  request.repodata.refresh = options.refresh;
  request.deadline = TRY(deadline(options));
  if (options.check) {
    return run_check(subject, request, context);
  }
  const Locked locked = TRY(find_or_make(subject, request, options, *access, context));
  if (!options.format.empty()) {
    return write_out(lock::write_cloche_lock(locked.entry.lock), options);
  }
  Json data;
  data.set("name", text_or_null(subject.entry.environment.name))
      .set("version", text_or_null(subject.entry.environment.version))
      .set("state", locked.state)
      .set("created_at", text_or_null(locked.entry.created_at))
      .set("created_by", text_or_null(locked.entry.created_by))
      .set("lock", lock_record(locked.entry.lock))
      .set("changes", lock_diff_record(locked.changes));
  return Report{.data = std::move(data), .text = text};
}

constexpr std::array<Argument, 11> kArguments = {{
    {.name = "REF",
     .help = "The environment: a reference, or a file or directory",
     .required = true,
     .source = Source::kEnvironmentsAndFiles,
     .field = kField<&LockOptions::subject>},
    {.name = "platform",
     .value = "SUBDIR",
     .help = "What it is to run on",
     .choices = "linux-64|linux-aarch64",
     .field = kField<&LockOptions::platform>},
    {.name = "virtual-package",
     .value = "NAME=VERSION",
     .help = "What the target has: __cuda=12.4, __glibc=2.31; an empty version takes one away",
     .field = kField<&LockOptions::virtual_packages>},
    {.name = "upgrade",
     .value = "NAME",
     .help = "Take the best of this package; what else is locked stays where it can (repeatable)",
     .field = kField<&LockOptions::upgrade>},
    {.name = "update-all",
     .help = "Lock again as if for the first time",
     .field = kField<&LockOptions::update_all>},
    {.name = "check",
     .help = "Only say whether the lock satisfies the definition",
     .field = kField<&LockOptions::check>},
    {.name = "format",
     .value = "FORMAT",
     .help = "Print the lock in this format",
     .choices = "cloche",
     .field = kField<&LockOptions::format>},
    {.name = "output-path",
     .letter = 'o',
     .value = "FILE",
     .help = "Write what --format gives to a file",
     .source = Source::kFiles,
     .field = kField<&LockOptions::path>},
    {.name = "offline",
     .help = "Ask no channel; use what was fetched before",
     .field = kField<&LockOptions::offline>},
    {.name = "refresh",
     .help = "Ask channels even where a copy is fresh",
     .field = kField<&LockOptions::refresh>},
    {.name = "timeout",
     .value = "SECONDS",
     .help = "Give up solving after so long (default: 300)",
     .field = kField<&LockOptions::timeout>},
}};

constexpr std::array<Example, 4> kExamples = {{
    {"Lock a registered environment, or see its lock", "cloche env lock train"},
    {"Lock a file without registering it", "cloche env lock ./environment.yml"},
    {"A newer numpy, everything else as it is", "cloche env lock train --upgrade numpy"},
    {"For machines with a GPU whose driver knows CUDA 12.4",
     "cloche env lock train --virtual-package __cuda=12.4"},
}};

}  // namespace

const Command kEnvLock = {
    .path = "env lock",
    .summary = "show an environment's lock, made at the first call",
    .description =
        "A lock says exactly which packages a definition becomes: version, build, URL, size and "
        "hash of each, and why it is there. It is made once and kept in the workspace under the "
        "definition's fingerprint, so the same definition gives the same packages for good, on "
        "this platform and target; --upgrade and --update-all change it, and say what changed.\n\n"
        "When requirements collide, the error says which, in which lines, why, and which changes "
        "were found to work.\n\n"
        "Channels, credentials and proxies are those of .condarc and the environment. What was "
        "fetched is kept in $CLOCHE_CACHE, or in ~/.cache/cloche.",
    .arguments = kArguments,
    .examples = kExamples,
    .exit_codes =
        "1  --check found something\n5  the requirements collide\n7  a channel does not "
        "answer, or --timeout passed",
    .see_also = "env show, env explain, env history",
    .run = run<LockOptions, run_lock>,
};

}  // namespace cloche::cli
