// `cloche env lock`
#include "lock/lock.h"

#include <array>

#include <fmt/format.h>

#include "cli/command_table.h"
#include "cli/env/lock_output.h"
#include "cli/env/locking.h"
#include "cli/interrupt.h"
#include "cli/messages.h"
#include "core/text.h"
#include "io/file.h"
#include "lock/check.h"
#include "lock/diff.h"
#include "lock/formats.h"

namespace cloche::cli {
namespace {

struct LockOptions : LockingOptions {
  std::string subject;
  bool check = false;
  std::string format;
  std::string path = "-";
  std::string import;
};

std::string env_lock_text(const Json& data, const Style& style) {
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

Result<Report> run_check(const Subject& subject, const build::LockRequest& request,
                         Context& context) {
  const auto stored = TRY(TRY(context.workspace())->find_lock(lock_key(subject, request)));
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

// What another tool locked becomes the definition's lock when it satisfies the definition. Where it
// says less than a lock must (explicit files are URLs only), the channels are asked for the rest.
Result<Locked> import(const Subject& subject, build::LockRequest& request,
                      const LockOptions& options, ChannelAccess& access,
                      const std::stop_token& stop, Context& context) {
  const std::string text = TRY(context.files().read(options.import, lock::kMaxLockBytes));
  Diagnostics diagnostics;
  auto read = lock::import_lock(text, options.import, {.platform = options.platform}, diagnostics);
  context.say(diagnostics);
  lock::Lock imported = TRY(std::move(read));
  lock::bind(imported, subject.entry.environment.definition);
  imported.virtual_packages = request.virtual_packages;
  const std::vector<lock::Finding> findings =
      lock::check(imported, subject.entry.environment.definition);
  if (!findings.empty()) {
    return fail(ErrorKind::kConflict, "{} does not satisfy the definition: {}",
                printable(options.import), printable(findings.front().message))
        .with_location(findings.front().at)
        .with_hint(findings.front().hint);
  }
  return keep_imported(subject, request, std::move(imported), access, stop, context);
}

Result<Report> write_out(const lock::Lock& lock, const LockOptions& options, Context& context) {
  Diagnostics diagnostics;
  const lock::Format* const format = TRY(lock::find_format(options.format));
  auto content = format->write(lock, {}, diagnostics);
  context.say(diagnostics);
  Json data;
  data.set("format", options.format);
  if (options.path == "-") {
    data.set("path", Json()).set("content", TRY(std::move(content)));
    return Report{.data = std::move(data), .text = content_text};
  }
  TRY(io::write_file_atomically(options.path, TRY(std::move(content))));
  data.set("path", options.path);
  return Report{.data = std::move(data), .text = written_text};
}

Result<Report> run_lock(const LockOptions& options, Context& context) {
  const Interrupt interrupt;
  const Subject subject = TRY(find_subject(options.subject, context));
  const std::unique_ptr<ChannelAccess> access = TRY(ChannelAccess::open(context));
  build::LockRequest request =
      TRY(locking_request(subject, options, *access, interrupt.token(), context));
  if (options.check) {
    return run_check(subject, request, context);
  }
  const Locked locked =
      options.import.empty()
          ? TRY(find_or_make_lock(subject, request, options, *access, interrupt.token(), context))
          : TRY(import(subject, request, options, *access, interrupt.token(), context));
  if (!options.format.empty()) {
    return write_out(locked.entry.lock, options, context);
  }
  Json data;
  data.set("name", text_or_null(subject.entry.environment.name))
      .set("version", text_or_null(subject.entry.environment.version))
      .set("state", locked.state)
      .set("created_at", text_or_null(locked.entry.created_at))
      .set("created_by", text_or_null(locked.entry.created_by))
      .set("lock", lock_record(locked.entry.lock))
      .set("changes", lock_diff_record(locked.changes));
  return Report{.data = std::move(data), .text = env_lock_text};
}

constexpr std::array<Argument, 7> kEnvLockOwnArguments = {{
    {.name = "REF",
     .help = "The environment: a reference, or a file or directory",
     .required = true,
     .source = Source::kEnvironmentsAndFiles,
     .field = kField<&LockOptions::subject>},
    {.name = "upgrade",
     .value = "NAME",
     .help = "Take the best of this package; what else is locked stays where it can (repeatable)",
     .field = kInheritedField<LockOptions, &LockingOptions::upgrade>},
    {.name = "update-all",
     .help = "Lock again as if for the first time",
     .field = kInheritedField<LockOptions, &LockingOptions::update_all>},
    {.name = "check",
     .help = "Only say whether the lock satisfies the definition",
     .field = kField<&LockOptions::check>},
    {.name = "import",
     .value = "FILE",
     .help = "Take another tool's lock: cloche.lock, explicit, conda-lock.yml, pixi.lock",
     .source = Source::kFiles,
     .field = kField<&LockOptions::import>},
    {.name = "format",
     .value = "FORMAT",
     .help = "Print the lock in this format (cyclonedx and spdx are bills of materials)",
     .choices = "cloche|explicit|conda-lock|pixi|cyclonedx|spdx",
     .field = kField<&LockOptions::format>},
    {.name = "output-path",
     .letter = 'o',
     .value = "FILE",
     .help = "Write what --format gives to a file",
     .source = Source::kFiles,
     .field = kField<&LockOptions::path>},
}};

constexpr auto kEnvLockArguments = joined(kEnvLockOwnArguments, kLockingArguments<LockOptions>);

constexpr std::array<Example, 6> kEnvLockExamples = {{
    {"Lock a registered environment, or see its lock", "cloche env lock train"},
    {"Lock a file without registering it", "cloche env lock ./environment.yml"},
    {"A newer numpy, everything else as it is", "cloche env lock train --upgrade numpy"},
    {"For machines with a GPU whose driver knows CUDA 12.4",
     "cloche env lock train --virtual-package __cuda=12.4"},
    {"For conda and mamba, exactly these packages",
     "cloche env lock train --format explicit -o explicit.txt"},
    {"Keep what pixi locked", "cloche env lock train --import pixi.lock"},
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
    .arguments = kEnvLockArguments,
    .examples = kEnvLockExamples,
    .exit_codes =
        "1  --check found something\n5  the requirements collide\n7  a channel does not "
        "answer, or --timeout passed",
    .see_also = "env install, env show, env explain, env history",
    .run = run<LockOptions, run_lock>,
};

}  // namespace cloche::cli
