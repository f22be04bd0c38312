#include "cli/job/preparation_output.h"

#include <utility>

#include "cli/messages.h"

namespace cloche::cli {
namespace {

constexpr std::size_t kLongestLine = std::size_t{1} << 20U;

std::uint64_t amount(const Json& value) {
  return value.is_integer() && value.as_integer() > 0
             ? static_cast<std::uint64_t>(value.as_integer())
             : 0;
}

Progress::Unit unit_of(const Json& record) {
  const std::string unit = record.string_or_empty("unit");
  return unit == "bytes"   ? Progress::Unit::kBytes
         : unit == "items" ? Progress::Unit::kItems
                           : Progress::Unit::kNone;
}

}  // namespace

Status PreparationOutput::event(const workspace::JobEvent& /*event*/) { return {}; }

Status PreparationOutput::output(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    if (pending_.size() < kLongestLine) {
      pending_ += bytes.substr(0, end);
    }
    if (end == std::string_view::npos) {
      return {};
    }
    bytes.remove_prefix(end + 1);
    line(std::exchange(pending_, {}));
  }
  return {};
}

void PreparationOutput::line(std::string_view text) {
  if (text.empty() || text.front() != '{') {
    return;
  }
  const auto parsed = parse_json(text);
  if (!parsed || !parsed->is_object()) {
    return;
  }
  if (auto error = error_from(*parsed)) {
    error_ = std::move(error);
    return;
  }
  if (context_.json()) {
    context_.terminal().err(std::string(text) + "\n");
    return;
  }
  if (!parsed->string_or_empty("progress").empty()) {
    progress(*parsed);
    return;
  }
  if (const auto diagnostic = diagnostic_from(*parsed)) {
    const bool fact = diagnostic->severity == Severity::kNote && diagnostic->rule.empty();
    if (fact) {
      display_.note(diagnostic->message);
      return;
    }
    display_.clear();
    context_.say(*diagnostic);
  }
}

void PreparationOutput::progress(const Json& record) {
  const std::string activity = record.string_or_empty("progress");
  const auto total = amount(record["total"]);
  const auto done = amount(record["done"]);
  display_.begin(activity, total, unit_of(record));
  std::uint64_t& before = done_[activity];
  display_.advance(activity, done > before ? done - before : 0, record.string_or_empty("item"));
  before = done;
  if (record["ended"].is_bool() && record["ended"].as_bool()) {
    display_.end(activity);
    done_.erase(activity);
  }
}

}  // namespace cloche::cli
