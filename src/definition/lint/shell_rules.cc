// RUN in general: what a shell line does in an image.
#include <algorithm>
#include <array>
#include <string>

#include "core/text.h"
#include "definition/lint/commands.h"
#include "definition/lint/rules.h"

namespace cloche::definition {
namespace {

void check_sudo(const DockerfileView& view, Report& report) {
  each_run(view, [&](const InstructionView& run) {
    for (const Call& call : run.calls) {
      if (call.sudo) {
        report.add(call.command->words.front().begin, "sudo in a RUN", "use USER root and back");
      }
    }
  });
}

bool is_recursive_change(const Call& call) {
  return (call.program == "chown" || call.program == "chmod" || call.program == "chgrp") &&
         call.has({"-R", "--recursive"});
}

// Commands that make no files whose owner one would change after.
bool makes_nothing(const Call& call) {
  static constexpr std::array<std::string_view, 7> kQuiet = {
      "cd", "echo", "set", "useradd", "groupadd", "adduser", "addgroup"};
  return is_recursive_change(call) || std::ranges::find(kQuiet, call.program) != kQuiet.end();
}

// What the RUN itself made before is no copy of an earlier layer.
void check_recursive_change(const DockerfileView& view, Report& report) {
  each_run(view, [&](const InstructionView& run) {
    for (const Call& call : run.calls) {
      if (!makes_nothing(call)) {
        return;
      }
      if (is_recursive_change(call)) {
        report.add(call.word->begin,
                   call.program + " -R copies every file it changes into another layer",
                   "use COPY --chown= or --chmod=, or change them in the RUN that makes them");
      }
    }
  });
}

bool sets_pipefail(const InstructionView& run) {
  const bool by_shell =
      run.shell != nullptr && std::ranges::any_of(*run.shell, [](const std::string& arg) {
        return arg == "pipefail" || arg.find("pipefail") != std::string::npos;
      });
  return by_shell || run.text.text.find("pipefail") != std::string::npos ||
         (!run.instruction->heredocs.empty() &&
          run.instruction->heredocs.front().body.find("pipefail") != std::string::npos);
}

// Commands that cannot fail in a way that matters.
bool cannot_fail(const Call& call) {
  static constexpr std::array<std::string_view, 5> kSafe = {"echo", "printf", "yes", "true", ":"};
  return std::ranges::find(kSafe, call.program) != kSafe.end();
}

void check_pipefail(const DockerfileView& view, Report& report) {
  each_run(view, [&](const InstructionView& run) {
    if (sets_pipefail(run)) {
      return;
    }
    const auto piped = std::ranges::find_if(run.calls, [](const Call& call) {
      return call.command->next == ShellOperator::kPipe && !cannot_fail(call);
    });
    if (piped != run.calls.end()) {
      report.add(piped->command->words.empty() ? run.begin : piped->command->words.front().begin,
                 "a failure of " + (piped->program.empty() ? "this command" : piped->program) +
                     " goes unseen in a pipe",
                 R"(put SHELL ["/bin/bash", "-o", "pipefail", "-c"] before it)");
    }
  });
}

bool checks_download(const Call& call) {
  static constexpr std::array<std::string_view, 10> kCheckers = {
      "sha256sum", "sha512sum", "sha1sum", "md5sum",   "shasum",
      "gpg",       "gpgv",      "cosign",  "minisign", "openssl"};
  return std::ranges::find(kCheckers, call.program) != kCheckers.end() || call.has({"--checksum"});
}

bool is_interpreter(const Call& call) {
  return call.program == "sh" || call.program == "bash" || call.program == "python" ||
         call.program == "zsh" || call.program == "dash";
}

void check_download(const DockerfileView& view, Report& report) {
  each_run(view, [&](const InstructionView& run) {
    const auto download = std::ranges::find_if(run.calls, is_download);
    if (download == run.calls.end() || std::ranges::any_of(run.calls, checks_download)) {
      return;
    }
    const bool executed = download->command->next == ShellOperator::kPipe &&
                          download + 1 != run.calls.end() && is_interpreter(*(download + 1));
    report.add(download->word->begin,
               executed ? "what is downloaded runs without a check"
                        : "the download is not checked against a known sum",
               "use ADD --checksum=sha256:..., or sha256sum -c in the same RUN");
  });
}

constexpr std::array<Rule, 4> kRules = {{
    {.info =
         {"sudo-in-run", Severity::kWarning, "sudo in a RUN",
          "RUN is root unless USER says otherwise, so sudo does nothing; where it is needed, it "
          "leaves a way to become root in the image.",
          "FROM debian:12\nRUN sudo mkdir /data\n", "FROM debian:12\nRUN mkdir /data\n"},
     .dockerfile = check_sudo},
    {.info =
         {"recursive-chown", Severity::kNote, "chown -R or chmod -R of files from earlier layers",
          "Layers hold whole files: each one whose owner or mode changes is stored a second time.",
          "FROM debian:12\nCOPY data /data\nRUN chown -R nobody /data\n",
          "FROM debian:12\nCOPY --chown=nobody data /data\n"},
     .dockerfile = check_recursive_change},
    {.info =
         {"pipe-without-pipefail", Severity::kWarning, "a pipe whose failures go unseen",
          "A shell takes the last command's result for that of the pipe: when the download fails, "
          "the RUN succeeds with an empty result. The default /bin/sh of Debian's images has no "
          "pipefail, so it takes SHELL to set it.",
          "FROM debian:12\nRUN curl -fsS https://example.org/list | sort > /list\n",
          "FROM debian:12\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN curl -fsS "
          "https://example.org/list | sort > /list\n"},
     .dockerfile = check_pipefail},
    {.info = {"download-without-checksum", Severity::kNote, "a download that nothing checks",
              "What a server sends tomorrow is not what it sent today; a sum makes the build stop "
              "instead of taking it.",
              "FROM debian:12\nRUN curl -fsSLO https://example.org/tool.tar.gz\n",
              "FROM debian:12\nADD --checksum=sha256:"
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 "
              "https://example.org/tool.tar.gz /tmp/\n"},
     .dockerfile = check_download},
}};

}  // namespace

std::span<const Rule> shell_rules() { return kRules; }

}  // namespace cloche::definition
