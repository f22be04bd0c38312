#include "jobs/job.h"

#include <algorithm>
#include <utility>

namespace cloche::jobs {
namespace {

struct StatusWord {
  JobStatus status;
  std::string_view word;
};
constexpr std::array<StatusWord, 9> kStatusWords = {{
    {JobStatus::kNotStarted, "NotStarted"},
    {JobStatus::kPreparing, "Preparing"},
    {JobStatus::kQueued, "Queued"},
    {JobStatus::kRunning, "Running"},
    {JobStatus::kCancelRequested, "CancelRequested"},
    {JobStatus::kFinalizing, "Finalizing"},
    {JobStatus::kCompleted, "Completed"},
    {JobStatus::kFailed, "Failed"},
    {JobStatus::kCanceled, "Canceled"},
}};

}  // namespace

std::string_view to_string(JobStatus status) {
  return std::ranges::find(kStatusWords, status, &StatusWord::status)->word;
}

Result<JobStatus> parse_status(std::string_view text) {
  const auto* found = std::ranges::find(kStatusWords, text, &StatusWord::word);
  if (found == kStatusWords.end()) {
    return fail(ErrorKind::kCorrupt, "'{}' is no status of a job", text);
  }
  return found->status;
}

std::string_view to_string(Stage stage) {
  static constexpr std::array<std::string_view, 4> kWords = {"Preparing", "Queued", "Running",
                                                             "Finalizing"};
  return kWords.at(static_cast<std::size_t>(stage));
}

std::optional<std::int64_t> duration_ms(const Run& run, Stage stage, std::int64_t now) {
  const auto place = static_cast<std::size_t>(stage);
  if (run.began.at(place) == 0) {
    return std::nullopt;
  }
  std::int64_t end = run.ended != 0 ? run.ended : now;
  for (std::size_t later = place + 1; later < run.began.size(); ++later) {
    if (run.began.at(later) != 0) {
      end = run.began.at(later);
      break;
    }
  }
  return std::max<std::int64_t>(0, end - run.began.at(place));
}

}  // namespace cloche::jobs
