#include "workspace/run_history.h"

#include <gtest/gtest.h>

#include "workspace/testing.h"

namespace cloche::workspace {
namespace {

JobRow job(const std::string& name, const std::string& experiment = "digits") {
  return {.name = name,
          .experiment = experiment,
          .status = "Queued",
          .created_by = "ada",
          .definition = "{}",
          .run = "{}"};
}

class RunHistoryTest : public testing::Test {
 protected:
  Status add(JobRow row) {
    RunHistory history = workspace_->run_history();
    return history.together([&] { return history.add(row); });
  }
  TestWorkspace workspace_;
};

TEST_F(RunHistoryTest, KeepsJobsAndWhatHappenedToThem) {
  ASSERT_TRUE(add(job("one")).has_value());
  RunHistory history = workspace_->run_history();
  ASSERT_VALUE(row, history.get("one"));
  ASSERT_TRUE(history
                  .together([&]() -> Status {
                    row.status = "Running";
                    row.run = R"({"x":1})";
                    row.claimed = true;
                    TRY(history.update(row));
                    return history.add_event(row, "status", "Running");
                  })
                  .has_value());
  workspace_.reopen();
  RunHistory again = workspace_->run_history();
  ASSERT_VALUE(found, again.get("one"));
  EXPECT_EQ(found.status, "Running");
  EXPECT_TRUE(found.claimed);
  EXPECT_EQ(found.run, R"({"x":1})");
  const auto events = value_of(again.events(found));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].detail, "Running");
  EXPECT_TRUE(value_of(again.events(found, events[0].id)).empty());
}

TEST_F(RunHistoryTest, AnErrorUndoesAllOfIt) {
  RunHistory history = workspace_->run_history();
  JobRow row = job("one");
  EXPECT_FALSE(history
                   .together([&]() -> Status {
                     TRY(history.add(row));
                     return fail(ErrorKind::kInternal, "no");
                   })
                   .has_value());
  EXPECT_FALSE(history.find("one").value().has_value());
}

TEST_F(RunHistoryTest, RefusesANameTwiceAndKnowsTheNearest) {
  ASSERT_TRUE(add(job("train-1")).has_value());
  EXPECT_EQ(add(job("train-1")).error().kind, ErrorKind::kConflict);
  const auto missing = workspace_->run_history().get("trian-1");
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(missing.error().hint, "did you mean train-1?");
}

TEST_F(RunHistoryTest, ListsWhatIsAskedFor) {
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_TRUE(add(job(name, std::string(name) == "b" ? "other" : "digits")).has_value());
  }
  RunHistory history = workspace_->run_history();
  ASSERT_VALUE(a, history.get("a"));
  a.archived = true;
  a.finished = true;
  ASSERT_TRUE(history.together([&] { return history.update(a); }).has_value());
  const auto names = [&](const JobQuery& query) {
    std::string out;
    for (const JobRow& row : value_of(history.list(query))) {
      out += row.name;
    }
    return out;
  };
  EXPECT_EQ(names({}), "cb");
  EXPECT_EQ(names({.include_archived = true, .oldest_first = true}), "abc");
  EXPECT_EQ(names({.experiment = "other"}), "b");
  EXPECT_EQ(names({.status = "Running"}), "");
  EXPECT_EQ(names({.include_archived = true, .only_unfinished = true}), "cb");
  EXPECT_EQ(names({.limit = 1}), "c");
}

}  // namespace
}  // namespace cloche::workspace
