#include "cli/job/stream_output.h"

#include <utility>

#include <fmt/format.h>

#include "cli/job/access.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

constexpr std::size_t kLongestLine = 64 << 10;

}  // namespace

Status StreamOutput::event(const workspace::JobEvent& event) {
  if (context_.json()) {
    Json record;
    record.set("event", event.kind).set("at", to_rfc3339(event.at)).set("detail", event.detail);
    context_.terminal().err(record.dump() + "\n");
  } else if (context_.terminal().err_style().width > 0) {
    context_.terminal().err(event.kind == "status"
                                ? fmt::format("-- {}\n", event.detail)
                                : fmt::format("-- {}: {}\n", event.kind, printable(event.detail)));
  }
  return {};
}

Status StreamOutput::output(std::string_view bytes) {
  const bool terminal = context_.terminal().out_style().width > 0;
  if (!terminal && !context_.json()) {
    return context_.terminal().out(bytes);
  }
  while (!bytes.empty()) {
    // A carriage return ends a line as well: progress bars draw over themselves.
    const std::size_t end = bytes.find_first_of("\r\n");
    pending_ += bytes.substr(0, end == std::string_view::npos ? end : end + 1);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    if (end != std::string_view::npos || pending_.size() > kLongestLine) {
      TRY(finish());
    }
  }
  return {};
}

Status StreamOutput::finish() { return write_line(std::exchange(pending_, {})); }

Status StreamOutput::write_line(std::string_view line) {
  if (line.empty()) {
    return {};
  }
  if (context_.json()) {
    Json record;
    record.set("log", line);
    context_.terminal().err(record.dump() + "\n");
    return {};
  }
  const char last = line.back();
  const bool ended = last == '\n' || last == '\r';
  std::string shown = printable(ended ? line.substr(0, line.size() - 1) : line);
  if (ended) {
    shown += last;
  }
  return context_.terminal().out(shown);
}

Result<jobs::Job> stream_job(const std::string& name, jobs::FollowOptions options,
                             JobAccess& access, const std::stop_token& stop, Context& context) {
  StreamOutput output(context);
  options.revive = [&access] { return access.attend(); };
  auto job = jobs::follow(access.book(), name, options, output, stop);
  TRY(output.finish());
  return job;
}

}  // namespace cloche::cli
