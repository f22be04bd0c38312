#include "workspace/run_history.h"

#include <fmt/format.h>

#include "core/text.h"

namespace cloche::workspace {
namespace {

constexpr std::string_view kColumns =
    "id, name, experiment, status, finished, archived, claimed, created_at, created_by, milli_cpus,"
    " memory_bytes, gpus, code_digest, image_digest, definition, run";

JobRow read_row(const Statement& row) {
  int column = 0;
  JobRow out;
  out.id = row.integer(column++);
  out.name = row.text(column++);
  out.experiment = row.text(column++);
  out.status = row.text(column++);
  out.finished = row.integer(column++) != 0;
  out.archived = row.integer(column++) != 0;
  out.claimed = row.integer(column++) != 0;
  out.created_at = row.integer(column++);
  out.created_by = row.text(column++);
  out.milli_cpus = row.integer(column++);
  out.memory_bytes = row.integer(column++);
  out.gpus = row.integer(column++);
  out.code_digest = row.text(column++);
  out.image_digest = row.text(column++);
  out.definition = row.text(column++);
  out.run = row.text(column);
  return out;
}

std::int64_t flag(bool value) { return value ? 1 : 0; }

}  // namespace

Status RunHistory::together(const std::function<Status()>& work) {
  if (read_only_) {
    return fail(ErrorKind::kPermission, "the workspace {} can only be read", printable(directory_))
        .with_hint("see its permissions, or name another one with --workspace");
  }
  Transaction transaction = TRY(Transaction::begin(*database_));
  TRY(work());
  return transaction.commit();
}

Status RunHistory::add(JobRow& row) {
  if (TRY(find(row.name))) {
    return fail(ErrorKind::kConflict, "there is a job {} already", printable(row.name))
        .with_hint("leave the name out, and one is made; or choose another");
  }
  TRY(database_->run(
      "INSERT INTO jobs (name, experiment, status, finished, archived, claimed, created_at,"
      " created_by, milli_cpus, memory_bytes, gpus, code_digest, image_digest, definition, run)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      row.name, row.experiment, row.status, flag(row.finished), flag(row.archived),
      flag(row.claimed), row.created_at, row.created_by, row.milli_cpus, row.memory_bytes, row.gpus,
      row.code_digest, row.image_digest, row.definition, row.run));
  row.id = TRY(get(row.name)).id;
  return {};
}

Status RunHistory::update(const JobRow& row) {
  return database_->run(
      "UPDATE jobs SET status = ?, finished = ?, archived = ?, claimed = ?, image_digest = ?,"
      " run = ? WHERE id = ?",
      row.status, flag(row.finished), flag(row.archived), flag(row.claimed), row.image_digest,
      row.run, row.id);
}

Status RunHistory::add_event(const JobRow& row, std::string_view kind, std::string_view detail) {
  return database_->run("INSERT INTO job_events (job_id, at, kind, detail) VALUES (?, ?, ?, ?)",
                        row.id, clock_->now_ms(), kind, detail);
}

Result<std::optional<JobRow>> RunHistory::find(std::string_view name) {
  Statement statement =
      TRY(database_->prepare(fmt::format("SELECT {} FROM jobs WHERE name = ?", kColumns)));
  statement.bind(name);
  if (!TRY(statement.step())) {
    return std::optional<JobRow>();
  }
  return std::optional<JobRow>(read_row(statement));
}

Result<JobRow> RunHistory::get(std::string_view name) {
  if (auto found = TRY(find(name))) {
    return std::move(*found);
  }
  constexpr std::int64_t kCompared = 2000;
  Statement statement = TRY(database_->prepare("SELECT name FROM jobs ORDER BY id DESC LIMIT ?"));
  statement.bind(kCompared);
  std::vector<std::string> names;
  while (TRY(statement.step())) {
    names.push_back(statement.text(0));
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view near = nearest(name, views);
  return fail(ErrorKind::kNotFound, "there is no job {}", printable(name))
      .with_hint(near.empty() ? std::string("see: cloche job list")
                              : fmt::format("did you mean {}?", near));
}

Result<std::vector<JobRow>> RunHistory::list(const JobQuery& query) {
  const std::string sql = fmt::format(
      "SELECT {} FROM jobs WHERE id > 0{}{}{}{} ORDER BY id {}{}", kColumns,
      query.experiment.empty() ? "" : " AND experiment = ?",
      query.status.empty() ? "" : " AND status = ?",
      query.include_archived ? "" : " AND archived = 0",
      query.only_unfinished ? " AND finished = 0" : "", query.oldest_first ? "ASC" : "DESC",
      query.limit > 0 ? fmt::format(" LIMIT {}", query.limit) : "");
  Statement statement = TRY(database_->prepare(sql));
  for (const std::string& wanted : {query.experiment, query.status}) {
    if (!wanted.empty()) {
      statement.bind(wanted);
    }
  }
  std::vector<JobRow> out;
  while (TRY(statement.step())) {
    out.push_back(read_row(statement));
  }
  return out;
}

Result<std::vector<JobEvent>> RunHistory::events(const JobRow& row, std::int64_t after_id) {
  Statement statement = TRY(database_->prepare(
      "SELECT id, at, kind, detail FROM job_events WHERE job_id = ? AND id > ? ORDER BY id"));
  statement.bind(row.id).bind(after_id);
  std::vector<JobEvent> out;
  while (TRY(statement.step())) {
    out.push_back({.id = statement.integer(0),
                   .at = statement.integer(1),
                   .kind = statement.text(2),
                   .detail = statement.text(3)});
  }
  return out;
}

}  // namespace cloche::workspace
