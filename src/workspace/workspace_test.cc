#include "workspace/workspace.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "definition/fingerprint.h"
#include "definition/testing.h"
#include "io/file.h"
#include "io/testing.h"
#include "workspace/database.h"
#include "workspace/testing.h"

namespace cloche::workspace {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class WorkspaceTest : public testing::Test {
 protected:
  EnvironmentVersion created(const std::string& name, const std::vector<std::string>& packages,
                             const std::string& version = "") {
    definition::Environment environment = conda_environment(name, packages);
    environment.version = version;
    auto result = workspace_->create(environment);
    EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().to_string());
    return result ? result->entry : EnvironmentVersion{};
  }
  std::string latest(const std::string& name) {
    const auto found = workspace_->get(ref(name));
    return found ? found->environment.version : "(" + found.error().message + ")";
  }
  std::vector<std::string> names(const ListOptions& options = {}) {
    std::vector<std::string> out;
    for (const auto& one : value_of(workspace_->list(options))) {
      out.push_back(one.name);
    }
    return out;
  }
  std::vector<std::string> own_names(bool archived = false) {
    return names(
        {.include_archived = archived, .include_curated = false, .tag = "", .after_name = ""});
  }

  TestWorkspace workspace_;
};

// ---- registering

TEST_F(WorkspaceTest, GivesBackTheWholeEnvironment) {
  definition::Environment environment = conda_environment("train", {"python=3.11", "numpy"});
  environment.description = "for training";
  environment.tags = {{"team", "vision"}};
  environment.properties = {{"p", "1"}};
  environment.definition.environment_variables = {{"OMP_NUM_THREADS", "4"}};
  ASSERT_VALUE(registered, workspace_->create(environment));
  EXPECT_TRUE(registered.created);
  workspace_.reopen();
  ASSERT_VALUE(found, workspace_->get(ref("train:1")));
  environment.version = "1";
  EXPECT_EQ(found.environment, environment) << "locations too";
  EXPECT_EQ(found.fingerprint, definition::fingerprint(environment.definition));
  EXPECT_THAT(found.labels, ElementsAre("latest"));
  EXPECT_EQ(found.created_by, "ada");
  EXPECT_EQ(found.created_at, to_rfc3339(workspace_.clock().now_ms()));
  EXPECT_FALSE(found.archived);
  EXPECT_FALSE(found.curated);
}

RC_GTEST_PROP(Workspace, KeepsEveryDefinitionAsItWas, ()) {
  TestWorkspace workspace;
  definition::Environment environment = conda_environment("any", {});
  environment.definition = *definition::valid_definition();
  if (std::holds_alternative<definition::BuildContextBase>(environment.definition.base)) {
    return;  // its files exist nowhere; context_files_test.cc
  }
  const auto registered = workspace->create(environment);
  RC_ASSERT(registered.has_value());
  const auto found = workspace->get(ref("any"));
  RC_ASSERT(found.has_value());
  RC_ASSERT(found->environment.definition == environment.definition);
  RC_ASSERT(found->fingerprint == definition::fingerprint(environment.definition));
  const auto again = workspace->create(environment);
  RC_ASSERT(again.has_value());
  RC_ASSERT(!again->created);
}

TEST_F(WorkspaceTest, NumbersVersionsFromOne) {
  EXPECT_EQ(created("train", {"a"}).environment.version, "1");
  EXPECT_EQ(created("train", {"b"}).environment.version, "2");
  EXPECT_EQ(created("other", {"a"}).environment.version, "1");
  EXPECT_EQ(created("train", {"c"}).environment.version, "3");
  EXPECT_EQ(latest("train"), "3");
}

TEST_F(WorkspaceTest, GoesOnAfterTheLargestNumberThatWasGivenByHand) {
  EXPECT_EQ(created("train", {"a"}, "7").environment.version, "7");
  EXPECT_EQ(created("train", {"b"}).environment.version, "8");
  EXPECT_EQ(created("train", {"c"}, "3").environment.version, "3");
  EXPECT_EQ(latest("train"), "3") << "latest is what was registered last";
  EXPECT_EQ(created("train", {"d"}).environment.version, "9");
  EXPECT_EQ(created("train", {"e"}, "2024.1-rc1").environment.version, "2024.1-rc1");
  EXPECT_EQ(created("train", {"f"}, "011").environment.version, "011");
  EXPECT_EQ(created("train", {"g"}, "99999999999999999999").environment.version,
            "99999999999999999999");
  EXPECT_EQ(created("train", {"h"}).environment.version, "10");
}

TEST_F(WorkspaceTest, TheSameDefinitionAgainIsTheEntryThatIsThere) {
  created("train", {"a"});
  workspace_.clock().advance_ms(1000);
  definition::Environment again = conda_environment("train", {"a"});
  again.definition.conda->dependencies[0].at = {"another.yml", 9, 9};
  ASSERT_VALUE(result, workspace_->create(again));
  EXPECT_FALSE(result.created);
  EXPECT_EQ(result.entry.environment.version, "1");
  again.version = "1";
  EXPECT_FALSE(workspace_->create(again).value().created);
  EXPECT_EQ(workspace_->history("train").value().size(), 1U);
  EXPECT_EQ(workspace_->get(ref("train")).value().modified_at,
            workspace_->get(ref("train")).value().created_at);
}

TEST_F(WorkspaceTest, AnEarlierDefinitionAgainBecomesTheLatest) {
  created("train", {"a"});
  created("train", {"b"});
  EXPECT_EQ(created("train", {"a"}).environment.version, "3");
  EXPECT_EQ(
      workspace_->get(ref("train")).value().environment.definition.conda->dependencies[0].text,
      "a");
}

TEST_F(WorkspaceTest, TheSameUnderAVersionOfItsOwnIsAnotherVersion) {
  created("train", {"a"});
  EXPECT_EQ(created("train", {"a"}, "stable").environment.version, "stable");
  EXPECT_EQ(workspace_->versions("train", false).value().size(), 2U);
}

TEST_F(WorkspaceTest, AnotherDefinitionUnderAVersionIsRefusedWithTheDifference) {
  created("train", {"python=3.11", "numpy=1.26"}, "1");
  definition::Environment other = conda_environment("train", {"python=3.11", "numpy=2.0"});
  other.version = "1";
  const auto result = workspace_->create(other);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kConflict);
  EXPECT_THAT(result.error().message, HasSubstr("numpy=1.26"));
  EXPECT_THAT(result.error().message, HasSubstr("numpy=2.0"));
  EXPECT_THAT(result.error().hint, HasSubstr("leave the version out"));
  EXPECT_EQ(workspace_->versions("train", true).value().size(), 1U);
}

TEST_F(WorkspaceTest, EnvironmentVariablesArePartOfTheDefinitionButNotOfTheFingerprint) {
  definition::Environment environment = conda_environment("train", {"a"});
  environment.version = "1";
  ASSERT_TRUE(workspace_->create(environment).has_value());
  environment.definition.environment_variables["X"] = "1";
  EXPECT_EQ(workspace_->create(environment).error().kind, ErrorKind::kConflict);
  environment.version = "";
  ASSERT_VALUE(second, workspace_->create(environment));
  EXPECT_TRUE(second.created);
  EXPECT_EQ(second.entry.fingerprint, workspace_->get(ref("train:1")).value().fingerprint);
}

TEST_F(WorkspaceTest, OtherWordsUpdateTheEntryThatIsThere) {
  definition::Environment environment = conda_environment("train", {"a"});
  environment.tags = {{"kept", "1"}, {"changed", "1"}};
  ASSERT_TRUE(workspace_->create(environment).has_value());
  workspace_.clock().advance_ms(1000);
  environment.description = "new";
  environment.tags = {{"changed", "2"}};
  ASSERT_VALUE(result, workspace_->create(environment));
  EXPECT_FALSE(result.created);
  EXPECT_EQ(result.entry.environment.description, "new");
  EXPECT_EQ(result.entry.environment.tags,
            (definition::StringMap{{"kept", "1"}, {"changed", "2"}}));
  EXPECT_NE(result.entry.modified_at, result.entry.created_at);
  environment.description = "";
  EXPECT_EQ(workspace_->create(environment).value().entry.environment.description, "new");
  EXPECT_EQ(workspace_->history("train").value().back().action, "updated");
}

TEST_F(WorkspaceTest, RefusesNamesVersionsAndTextsThatAreNotAllowed) {
  for (const char* name : {"", "a b", "-a", "AzureML-x", "microsoft-x", "Cloche-x",
                           "CliV2AnonymousEnvironment", "a/b", "../a"}) {
    const auto result = workspace_->create(conda_environment(name, {"a"}));
    ASSERT_FALSE(result.has_value()) << name;
    EXPECT_EQ(result.error().kind, ErrorKind::kInvalid) << name;
  }
  EXPECT_THAT(workspace_->create(conda_environment("Cloche-sklearn-1", {"a"})).error().hint,
              HasSubstr("copy"));
  definition::Environment environment = conda_environment("a", {"a"});
  environment.version = "1/2";
  EXPECT_EQ(workspace_->create(environment).error().kind, ErrorKind::kInvalid);
  environment.version = "";
  environment.tags["x"] = "\xff";
  EXPECT_EQ(workspace_->create(environment).error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(own_names(true), ElementsAre());
}

TEST_F(WorkspaceTest, StoresADefinitionOnceForAllNamesAndFiles) {
  created("a", {"python=3.11"});
  definition::Environment elsewhere = conda_environment("b", {"python=3.11"});
  elsewhere.definition.conda->dependencies[0].at = {"/home/grace/conda.yml", 7, 3};
  ASSERT_TRUE(workspace_->create(elsewhere).has_value());
  EXPECT_EQ(workspace_->get(ref("b")).value().environment.definition, elsewhere.definition);
  EXPECT_EQ(workspace_->get(ref("a")).value().environment.definition.conda->dependencies[0].at.file,
            "environment.yml");
}

// ---- looking up

TEST_F(WorkspaceTest, NamesTheNearestAndTheVersionsThatThereAre) {
  created("training", {"a"});
  created("training", {"b"});
  auto result = workspace_->get(ref("trainnig"));
  EXPECT_EQ(result.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(result.error().hint, "did you mean training?");
  result = workspace_->get(ref("Trainin:1"));
  EXPECT_EQ(result.error().hint, "did you mean training?");
  result = workspace_->get(ref("training:7"));
  EXPECT_EQ(result.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(result.error().hint, "there is 2, 1");
  result = workspace_->get(ref("training@stable"));
  EXPECT_EQ(result.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(workspace_->get(ref("cloche-sklern-1")).error().hint, "did you mean Cloche-sklearn-1?");
  EXPECT_EQ(workspace_->get(ref("file:a.yml")).error().kind, ErrorKind::kInvalid);
}

TEST_F(WorkspaceTest, FindsTheNewestWithAFingerprint) {
  const std::string fingerprint = created("a", {"x"}).fingerprint;
  created("b", {"x"});
  created("c", {"y"});
  EXPECT_EQ(workspace_->find_by_fingerprint(fingerprint).value()->environment.name, "b");
  ASSERT_TRUE(workspace_->set_archived("b", "1", true).has_value());
  EXPECT_EQ(workspace_->find_by_fingerprint(fingerprint).value()->environment.name, "a");
  EXPECT_FALSE(workspace_->find_by_fingerprint(std::string(32, '0')).value().has_value());
  const auto curated = workspace_->get(ref("Cloche-sklearn-1")).value();
  EXPECT_TRUE(workspace_->find_by_fingerprint(curated.fingerprint).value()->curated);
}

TEST_F(WorkspaceTest, ListsByNameWithPagesAndTags) {
  definition::Environment tagged = conda_environment("b", {"x"});
  tagged.tags = {{"team", "vision"}, {"gpu", ""}};
  ASSERT_TRUE(workspace_->create(tagged).has_value());
  created("c", {"x"});
  created("a", {"x"});
  created("a", {"y"});
  EXPECT_THAT(own_names(), ElementsAre("a", "b", "c"));
  ListOptions options{.include_curated = false, .tag = "", .after_name = "a", .limit = 1};
  EXPECT_THAT(names(options), ElementsAre("b"));
  options = {.include_curated = false, .tag = "team=vision", .after_name = ""};
  EXPECT_THAT(names(options), ElementsAre("b"));
  options.tag = "gpu";
  EXPECT_THAT(names(options), ElementsAre("b"));
  options.tag = "team=audio";
  EXPECT_THAT(names(options), ElementsAre());
  const auto first = workspace_->list({.tag = "", .after_name = "Z", .limit = 1}).value().at(0);
  EXPECT_EQ(first.name, "a");
  EXPECT_EQ(first.latest_version, "2");
  EXPECT_EQ(first.version_count, 2);
  EXPECT_EQ(first.kind, "system-managed");
  EXPECT_EQ(first.fingerprint, workspace_->get(ref("a")).value().fingerprint);
}

TEST_F(WorkspaceTest, CuratedEnvironmentsAreInEveryListAndReadOnly) {
  created("Zebra", {"x"});
  created("Alpha", {"x"});
  const auto all = names();
  EXPECT_THAT(all, testing::IsSupersetOf({"Alpha", "Cloche-minimal-py311", "Zebra"}));
  EXPECT_TRUE(std::ranges::is_sorted(all));
  ASSERT_VALUE(found, workspace_->get(ref("Cloche-minimal-py311")));
  EXPECT_TRUE(found.curated);
  EXPECT_THAT(found.labels, ElementsAre("latest"));
  EXPECT_EQ(workspace_->get(ref("Cloche-minimal-py311:1")).value().environment.version, "1");
  EXPECT_EQ(workspace_->get(ref("Cloche-minimal-py311:99")).error().hint, "there is version 1");
  EXPECT_EQ(workspace_->versions("Cloche-minimal-py311", false).value().size(), 1U);
  EXPECT_TRUE(workspace_->history("Cloche-minimal-py311").value().empty());

  const auto refused = workspace_->set_archived("Cloche-minimal-py311", "1", true);
  EXPECT_EQ(refused.error().kind, ErrorKind::kPermission);
  EXPECT_THAT(refused.error().hint, HasSubstr("cloche env copy Cloche-minimal-py311"));
  EXPECT_EQ(workspace_->set_label("Cloche-minimal-py311", "x", "1").error().kind,
            ErrorKind::kPermission);
  EXPECT_EQ(workspace_->update(ref("Cloche-minimal-py311"), {}).error().kind,
            ErrorKind::kPermission);
}

// ---- changing what may change

TEST_F(WorkspaceTest, UpdatesDescriptionAndTags) {
  created("train", {"a"});
  workspace_.clock().advance_ms(1000);
  VersionUpdate update;
  update.description = "new";
  update.set_tags = {{"a", "1"}, {"b", "2"}};
  ASSERT_TRUE(workspace_->update(ref("train"), update).has_value());
  VersionUpdate second;
  second.set_tags = {{"b", "3"}};
  second.remove_tags = {"a"};
  ASSERT_VALUE(entry, workspace_->update(ref("train:1"), second));
  EXPECT_EQ(entry.environment.description, "new");
  EXPECT_EQ(entry.environment.tags, (definition::StringMap{{"b", "3"}}));
  EXPECT_EQ(entry.modified_at, to_rfc3339(workspace_.clock().now_ms()));
  EXPECT_EQ(workspace_->update(ref("train"), second).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(workspace_->update(ref("missing"), second).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(workspace_->get(ref("train")).value().environment.tags.size(), 1U);
}

TEST_F(WorkspaceTest, ArchivedVersionsAreHiddenAndNotLatestButStillFound) {
  created("train", {"a"});
  created("train", {"b"});
  ASSERT_TRUE(workspace_->set_archived("train", "2", true).has_value());
  EXPECT_EQ(latest("train"), "1");
  EXPECT_TRUE(workspace_->get(ref("train:2")).value().archived);
  EXPECT_EQ(workspace_->versions("train", false).value().size(), 1U);
  EXPECT_EQ(workspace_->versions("train", true).value().size(), 2U);
  EXPECT_EQ(created("train", {"b"}).environment.version, "3") << "not what is archived";
  ASSERT_TRUE(workspace_->set_archived("train", "3", true).has_value());
  ASSERT_TRUE(workspace_->set_archived("train", "1", true).has_value());
  EXPECT_THAT(own_names(), ElementsAre());
  EXPECT_THAT(own_names(true), ElementsAre("train"));
  EXPECT_EQ(workspace_->get(ref("train")).error().kind, ErrorKind::kNotFound);
  ASSERT_TRUE(workspace_->set_archived("train", "2", false).has_value());
  EXPECT_EQ(latest("train"), "2");
  EXPECT_EQ(workspace_->set_archived("train", "9", true).error().kind, ErrorKind::kNotFound);
}

TEST_F(WorkspaceTest, AnArchivedEnvironmentHidesAllItsVersions) {
  created("train", {"a"});
  ASSERT_TRUE(workspace_->set_archived("train", "", true).has_value());
  ASSERT_TRUE(workspace_->set_archived("train", "", true).has_value());
  EXPECT_THAT(own_names(), ElementsAre());
  EXPECT_THAT(own_names(true), ElementsAre("train"));
  const auto result = workspace_->get(ref("train"));
  EXPECT_EQ(result.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(result.error().hint, HasSubstr("cloche env restore train"));
  EXPECT_TRUE(workspace_->get(ref("train:1")).value().archived);
  EXPECT_TRUE(created("train", {"b"}).archived) << "Azure's rule: later versions too";
  ASSERT_TRUE(workspace_->set_archived("train", "", false).has_value());
  EXPECT_EQ(latest("train"), "2");
  EXPECT_EQ(workspace_->set_archived("missing", "", true).error().kind, ErrorKind::kNotFound);
}

TEST_F(WorkspaceTest, LabelsPointWhereTheyAreSet) {
  created("train", {"a"});
  created("train", {"b"});
  ASSERT_TRUE(workspace_->set_label("train", "stable", "1").has_value());
  ASSERT_TRUE(workspace_->set_label("train", "tested", "2").has_value());
  EXPECT_EQ(workspace_->get(ref("train@stable")).value().environment.version, "1");
  EXPECT_THAT(workspace_->get(ref("train:2")).value().labels, ElementsAre("latest", "tested"));
  ASSERT_TRUE(workspace_->set_label("train", "stable", "2").has_value());
  EXPECT_EQ(workspace_->get(ref("train@stable")).value().environment.version, "2");
  EXPECT_EQ(workspace_->get(ref("train@other")).error().hint, "there is stable, tested");
  ASSERT_TRUE(workspace_->set_label("train", "stable", "").has_value());
  EXPECT_EQ(workspace_->get(ref("train@stable")).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(workspace_->set_label("train", "stable", "").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(workspace_->set_label("train", "latest", "1").error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(workspace_->set_label("train", "a b", "1").error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(workspace_->set_label("train", "x", "9").error().kind, ErrorKind::kNotFound);
}

TEST_F(WorkspaceTest, EveryChangeIsAnEventWithTimeAndUser) {
  created("train", {"a"});
  workspace_.clock().advance_ms(1000);
  ASSERT_VALUE(other, workspace_.open_again("grace"));
  ASSERT_TRUE(other.create(conda_environment("train", {"b"})).has_value());
  VersionUpdate update;
  update.description = "x";
  ASSERT_TRUE(other.update(ref("train:1"), update).has_value());
  ASSERT_TRUE(other.set_label("train", "stable", "1").has_value());
  ASSERT_TRUE(other.set_archived("train", "2", true).has_value());
  ASSERT_TRUE(other.set_archived("train", "", true).has_value());
  ASSERT_TRUE(other.set_archived("train", "", false).has_value());
  ASSERT_TRUE(other.copy(ref("train"), "mine").has_value());
  std::vector<std::string> seen;
  for (const Event& event : value_of(workspace_->history("train"))) {
    seen.push_back(event.user + " " + event.action + " " + event.version);
  }
  EXPECT_THAT(seen,
              ElementsAre("ada created 1", "grace created 2", "grace updated 1", "grace labelled 1",
                          "grace archived 2", "grace archived ", "grace restored "));
  const auto of_one = value_of(workspace_->history("train", "1"));
  EXPECT_EQ(of_one.size(), 5U) << "its own, and those of the whole environment";
  EXPECT_EQ(of_one[1].at, to_rfc3339(workspace_.clock().now_ms()));
  EXPECT_EQ(workspace_->history("mine").value().at(0).action, "copied");
  EXPECT_EQ(workspace_->history("mine").value().at(0).detail, "from train:1");
  EXPECT_EQ(workspace_->history("missing").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(workspace_->history("train", "9").error().kind, ErrorKind::kNotFound);
}

TEST_F(WorkspaceTest, CopiesUnderAnotherName) {
  ASSERT_VALUE(copied, workspace_->copy(ref("Cloche-sklearn-1"), "my-sklearn"));
  EXPECT_EQ(copied.entry.environment.version, "1");
  EXPECT_EQ(copied.entry.environment.name, "my-sklearn");
  EXPECT_FALSE(copied.entry.curated);
  EXPECT_EQ(copied.entry.fingerprint, workspace_->get(ref("Cloche-sklearn-1")).value().fingerprint);
  EXPECT_EQ(workspace_->copy(ref("my-sklearn"), "Cloche-mine").error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(workspace_->copy(ref("missing"), "x").error().kind, ErrorKind::kNotFound);
}

TEST_F(WorkspaceTest, AnonymousOnesAreUnlistedAndFoundByVersion) {
  definition::Environment environment = conda_environment("", {"a"});
  ASSERT_VALUE(first, workspace_->create_anonymous(environment));
  EXPECT_EQ(first.entry.environment.name, definition::kAnonymousName);
  EXPECT_EQ(first.entry.environment.version.size(), 32U);
  ASSERT_VALUE(again, workspace_->create_anonymous(environment));
  EXPECT_FALSE(again.created);
  EXPECT_EQ(again.entry.environment.version, first.entry.environment.version);
  environment.definition.environment_variables["X"] = "1";
  ASSERT_VALUE(other, workspace_->create_anonymous(environment));
  EXPECT_TRUE(other.created);
  environment.version = "0123456789abcdef0123456789abcdef";  // as Azure's client computes it
  ASSERT_TRUE(workspace_->create_anonymous(environment).has_value());
  EXPECT_TRUE(workspace_->get(ref("CliV2AnonymousEnvironment:0123456789abcdef0123456789abcdef"))
                  .has_value());
  EXPECT_THAT(own_names(true), ElementsAre());
}

// ---- the world

TEST_F(WorkspaceTest, ReadsSettings) {
  ASSERT_TRUE(io::write_file_atomically(workspace_.path() + "/settings.yaml",
                                        "default_channels: [conda-forge]\nuser: lin\nx: 1\n")
                  .has_value());
  ASSERT_VALUE(workspace, Workspace::open({.directory = workspace_.path()}));
  EXPECT_THAT(workspace.read_options().default_channels, ElementsAre("conda-forge"));
  EXPECT_EQ(workspace.diagnostics().list().size(), 1U);
  EXPECT_EQ(workspace.create(conda_environment("a", {})).value().entry.created_by, "lin");
  ASSERT_TRUE(io::write_file_atomically(workspace_.path() + "/settings.yaml", "- a\n").has_value());
  EXPECT_EQ(Workspace::open({.directory = workspace_.path()}).error().kind, ErrorKind::kInvalid);
}

TEST_F(WorkspaceTest, OpensWhatSchemaVersion1Wrote) {
  const std::string directory = workspace_.path() + "/old";
  ASSERT_TRUE(io::make_directories(directory).has_value());
  {
    std::ifstream file(std::string(CLOCHE_TESTDATA) + "/schema_1.sql");
    const std::string sql((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    ASSERT_VALUE(database, Database::open(directory + "/workspace.db", Database::Mode::kCreate));
    ASSERT_VALUE(transaction, Transaction::begin(database));
    ASSERT_TRUE(database.run_script(sql).has_value());
    ASSERT_TRUE(database.set_schema_version(1).has_value());
    ASSERT_TRUE(transaction.commit().has_value());
  }
  ASSERT_VALUE(workspace, Workspace::open({.directory = directory, .user = "ada"}));
  ASSERT_VALUE(first, workspace.get(ref("train@stable")));
  EXPECT_EQ(first.environment.version, "1");
  EXPECT_EQ(first.environment.description, "first");
  EXPECT_EQ(first.environment.tags, (definition::StringMap{{"team", "vision"}}));
  EXPECT_EQ(first.environment.definition,
            conda_environment("", {"python=3.11", "numpy=1.26"}).definition);
  EXPECT_EQ(first.created_at, "2027-01-15T08:00:00.000Z");
  EXPECT_EQ(workspace.get(ref("train")).value().environment.version, "2");
  EXPECT_TRUE(workspace.get(ref("image:1")).value().archived);
  EXPECT_EQ(workspace.history("train").value().size(), 3U);
  EXPECT_EQ(workspace.create(conda_environment("train", {"new"})).value().entry.environment.version,
            "3");
  EXPECT_TRUE(value_of(workspace.locks(first.fingerprint)).empty()) << "the table is there";
}

TEST_F(WorkspaceTest, MakesOneOnlyWhenAllowed) {
  const std::string directory = workspace_.path() + "/new";
  EXPECT_EQ(Workspace::open({.directory = directory, .create_missing = false}).error().kind,
            ErrorKind::kNotFound);
  EXPECT_FALSE(fs::exists(directory));
  EXPECT_TRUE(Workspace::open({.directory = directory}).has_value());
}

TEST_F(WorkspaceTest, AReadOnlyDirectoryCanBeReadButNotChanged) {
  created("train", {"a"});
  workspace_.close();
  fs::permissions(workspace_.path(), fs::perms(0555));
  {
    const io::Unprivileged nobody;
    ASSERT_VALUE(workspace, workspace_.open_again());
    EXPECT_TRUE(workspace.read_only());
    EXPECT_TRUE(workspace.get(ref("train")).has_value());
    EXPECT_FALSE(workspace.create(conda_environment("train", {"a"})).value().created);
    const auto refused = workspace.create(conda_environment("train", {"b"}));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::kPermission);
    EXPECT_EQ(workspace.set_archived("train", "1", true).error().kind, ErrorKind::kPermission);
    EXPECT_EQ(workspace.set_label("train", "x", "1").error().kind, ErrorKind::kPermission);
  }
  fs::permissions(workspace_.path(), fs::perms(0755));
}

TEST_F(WorkspaceTest, AFullDiskRefusesAndLosesNothing) {
  created("train", {"a"});
  std::vector<std::string> many;
  for (int i = 0; i < 6000; ++i) {
    many.push_back("package-" + std::to_string(i) + "=1.0");
  }
  {
    const io::LowerLimit limit(RLIMIT_FSIZE, 200'000);
    const auto result = workspace_->create(conda_environment("train", many));
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable) << result.error().to_string();
  }
  EXPECT_EQ(latest("train"), "1");
  EXPECT_EQ(created("train", many).environment.version, "2") << "no gap";
  workspace_.reopen();
  EXPECT_EQ(latest("train"), "2");
}

TEST_F(WorkspaceTest, OnASmallDiskTheRestStaysUsable) {
  const auto disk = io::SmallDisk::create(1 << 20);
  if (!disk) {
    GTEST_SKIP() << "mounting is not allowed here";
  }
  std::size_t registered = 0;
  {
    ASSERT_VALUE(workspace, Workspace::open({.directory = disk->path() + "/w", .user = "ada"}));
    while (registered < 10000) {
      const auto result =
          workspace.create(conda_environment("train", {"a=" + std::to_string(registered)}));
      if (!result) {
        EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable) << result.error().to_string();
        EXPECT_THAT(result.error().to_string(), HasSubstr("full"));
        break;
      }
      ++registered;
    }
  }
  ASSERT_GT(registered, 10U);
  ASSERT_LT(registered, 10000U);
  ASSERT_VALUE(again, Workspace::open({.directory = disk->path() + "/w", .user = "ada"}));
  EXPECT_EQ(again.versions("train", true).value().size(), registered);
}

TEST_F(WorkspaceTest, ADamagedDatabaseIsSaidToBeOne) {
  created("train", {"a"});
  workspace_.close();
  const std::string path = workspace_.path() + "/workspace.db";
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.write("not a database, not even nearly", 31);
  }
  auto result = workspace_.open_again();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kCorrupt);
  EXPECT_NE(result.error().hint, "");
  // Damage in the middle is noticed by whoever reads there; nothing crashes.
  std::string bytes(fs::file_size(path), 'x');
  for (const std::size_t at : {4096UL, 12288UL, 20480UL}) {
    TestWorkspace victim;
    ASSERT_TRUE(victim->create(conda_environment("train", {"a"})).has_value());
    victim.close();
    std::fstream file(victim.path() + "/workspace.db",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.write(bytes.data(), 4096);
    file.close();
    auto opened = victim.open_again();
    if (opened) {
      const auto found = opened->get(ref("train"));
      EXPECT_TRUE(found.has_value() || found.error().kind == ErrorKind::kCorrupt ||
                  found.error().kind == ErrorKind::kNotFound);
    } else {
      EXPECT_EQ(opened.error().kind, ErrorKind::kCorrupt);
    }
  }
}

}  // namespace
}  // namespace cloche::workspace
