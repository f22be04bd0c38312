// Registries, saved files, build contexts.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "io/disk_files.h"
#include "io/file.h"
#include "io/testing.h"
#include "lock/testing.h"
#include "workspace/testing.h"

namespace cloche::workspace {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class SharingTest : public testing::Test {
 protected:
  SharingTest() : place_(io::test_directory()) {}

  std::string path(const std::string& name) const { return place_.path() + "/" + name; }
  std::string content(const std::string& name) {
    return io::DiskFiles().read(path(name), kMaxTextBytes).value_or("(none)");
  }
  void write(const std::string& name, std::string_view text) {
    ASSERT_TRUE(io::write_file_atomically(path(name), text).has_value());
  }
  // "train:1" from a build context, and a registry "team".
  void prepare() {
    write("context/Dockerfile", "FROM debian:12-slim\nCOPY src /src\n");
    write("context/src/train.py", "print(1)\n");
    definition::Environment environment =
        context_environment("train", path("context"), {"Dockerfile", "src/train.py"});
    environment.description = "from a context";
    environment.tags = {{"team", "vision"}};
    ASSERT_TRUE(workspace_->create(environment).has_value());
    ASSERT_TRUE(workspace_->add_registry({"team", path("registry")}).has_value());
    fs::remove_all(path("context"));
  }

  TestWorkspace workspace_;
  io::TemporaryDirectory place_;
};

TEST_F(SharingTest, KeepsTheContextWhenItsDirectoryIsGone) {
  prepare();
  ASSERT_VALUE(entry, workspace_->get(ref("train")));
  EXPECT_EQ(std::get<definition::BuildContextBase>(entry.environment.definition.base).root, "");
  ASSERT_TRUE(workspace_->restore_context(entry, path("out")).has_value());
  EXPECT_EQ(content("out/src/train.py"), "print(1)\n");
  EXPECT_EQ(content("out/Dockerfile"), "FROM debian:12-slim\nCOPY src /src\n");
  EXPECT_EQ(workspace_->restore_context(entry, path("out")).error().kind, ErrorKind::kConflict);
  ASSERT_TRUE(workspace_->create(conda_environment("other", {})).has_value());
  EXPECT_EQ(
      workspace_->restore_context(workspace_->get(ref("other")).value(), path("o")).error().kind,
      ErrorKind::kInvalid);
}

TEST_F(SharingTest, RefusesAContextThatChangedSinceItWasRead) {
  write("context/Dockerfile", "FROM a\n");
  const auto environment = context_environment("train", path("context"), {"Dockerfile"});
  write("context/Dockerfile", "FROM b\n");
  auto result = workspace_->create(environment);
  EXPECT_EQ(result.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(result.error().message, HasSubstr("Dockerfile changed"));
  fs::remove(path("context/Dockerfile"));
  EXPECT_EQ(workspace_->create(environment).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(workspace_->get(ref("train")).error().kind, ErrorKind::kNotFound);
}

TEST_F(SharingTest, SharesThroughARegistry) {
  prepare();
  ASSERT_VALUE(shared, workspace_->share(ref("train:1"), "team"));
  EXPECT_TRUE(shared.created);
  EXPECT_FALSE(workspace_->share(ref("train:1"), "team").value().created);
  ASSERT_TRUE(workspace_->share(ref("train:1"), "team", "renamed", "7").has_value());

  TestWorkspace other;
  ASSERT_TRUE(other->add_registry({"ours", path("registry")}).has_value());
  const auto there = ref("azureml://registries/ours/environments/train/versions/1");
  ASSERT_VALUE(found, other->get(there));
  EXPECT_EQ(found.registry, "ours");
  EXPECT_EQ(found.environment, workspace_->get(ref("train")).value().environment);
  EXPECT_EQ(other->get(ref("azureml://registries/ours/environments/renamed/labels/latest"))
                .value()
                .environment.version,
            "7");
  ASSERT_TRUE(other->restore_context(found, path("out")).has_value());
  EXPECT_EQ(content("out/src/train.py"), "print(1)\n");

  ASSERT_TRUE(other->copy(there, "mine").has_value());
  fs::remove_all(path("registry"));
  ASSERT_TRUE(other->restore_context(other->get(ref("mine")).value(), path("again")).has_value());
  EXPECT_EQ(content("again/src/train.py"), "print(1)\n");
  EXPECT_EQ(other->get(there).error().kind, ErrorKind::kNotFound);
  const auto history = value_of(workspace_->history("train"));
  EXPECT_EQ(history.back().action, "shared");
  EXPECT_THAT(history.back().detail, HasSubstr("azureml://registries/team/"));
}

TEST_F(SharingTest, RefusesToShareWhatARegistryHasOtherwise) {
  prepare();
  ASSERT_TRUE(workspace_->share(ref("train:1"), "team").has_value());
  TestWorkspace other;
  ASSERT_TRUE(other->add_registry({"team", path("registry")}).has_value());
  ASSERT_TRUE(other->create(conda_environment("train", {"a"})).has_value());
  EXPECT_EQ(other->share(ref("train:1"), "team").error().kind, ErrorKind::kConflict);
  EXPECT_TRUE(other->share(ref("train:1"), "team", "", "2").has_value());
  EXPECT_EQ(other->share(ref("Cloche-sklearn-1"), "team").error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(other->share(ref("Cloche-sklearn-1"), "team", "sklearn").has_value());
  EXPECT_EQ(other->share(ref("missing"), "team").error().kind, ErrorKind::kNotFound);
}

TEST_F(SharingTest, KeepsRegistriesByName) {
  ASSERT_TRUE(workspace_->add_registry({"team", path("registry")}).has_value());
  ASSERT_TRUE(workspace_->add_registry({"team", path("registry/")}).has_value());
  EXPECT_EQ(workspace_->add_registry({"team", path("elsewhere")}).error().kind,
            ErrorKind::kConflict);
  EXPECT_EQ(workspace_->add_registry({"a b", path("x")}).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(workspace_->add_registry({"x", "https://example.com"}).error().kind,
            ErrorKind::kUnsupported);
  EXPECT_EQ(workspace_->add_registry({"self", workspace_.path()}).error().kind,
            ErrorKind::kInvalid);
  EXPECT_EQ(workspace_->add_registry({"none", ""}).error().kind, ErrorKind::kInvalid);
  ASSERT_VALUE(all, workspace_->registries());
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].location, path("registry"));
  EXPECT_EQ(
      workspace_->get(ref("azureml://registries/taem/environments/a/versions/1")).error().hint,
      "did you mean team?");
  EXPECT_THAT(
      workspace_->get(ref("azureml://registries/azureml/environments/a/versions/1")).error().hint,
      HasSubstr("Microsoft's own"));
  EXPECT_EQ(workspace_->update(ref("azureml://registries/team/environments/a/versions/1"), {})
                .error()
                .kind,
            ErrorKind::kUnsupported);
}

// ---- saved files

TEST_F(SharingTest, SavesTheSameBytesAndLoadsThemElsewhere) {
  prepare();
  ASSERT_TRUE(workspace_->save(ref("train"), path("a.cloche")).has_value());
  ASSERT_TRUE(workspace_->save(ref("train"), path("sub/b.cloche")).has_value());
  EXPECT_EQ(content("a.cloche"), content("sub/b.cloche"));

  TestWorkspace other;
  ASSERT_VALUE(loaded, other->load(path("a.cloche")));
  EXPECT_TRUE(loaded.created);
  EXPECT_EQ(loaded.entry.environment, workspace_->get(ref("train")).value().environment);
  EXPECT_EQ(loaded.entry.fingerprint, workspace_->get(ref("train")).value().fingerprint);
  EXPECT_FALSE(other->load(path("a.cloche")).value().created);
  EXPECT_EQ(other->history("train").value()[0].action, "imported");
  EXPECT_EQ(other->history("train").value()[0].detail, "from a.cloche");
  ASSERT_TRUE(other->restore_context(loaded.entry, path("out")).has_value());
  EXPECT_EQ(content("out/src/train.py"), "print(1)\n");
  ASSERT_TRUE(other->save(ref("train"), path("c.cloche")).has_value());
  EXPECT_EQ(content("a.cloche"), content("c.cloche"));
  EXPECT_EQ(other->load(path("a.cloche"), "renamed", "5").value().entry.environment.version, "5");

  ASSERT_TRUE(other->save(ref("Cloche-minimal-py311"), path("curated.cloche")).has_value());
  EXPECT_EQ(other->load(path("curated.cloche")).error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(other->load(path("curated.cloche"), "mine").has_value());
  EXPECT_EQ(other->load(path("missing.cloche")).error().kind, ErrorKind::kNotFound);
}

TEST_F(SharingTest, TarCanReadASavedFile) {
  prepare();
  ASSERT_TRUE(workspace_->save(ref("train"), path("a.cloche")).has_value());
  const std::string command = "tar -C '" + place_.path() + "' -xf '" + path("a.cloche") +
                              "' && ls '" + place_.path() + "/blobs/sha256' | wc -l > '" +
                              path("count") + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(content("count"), "2\n");
  EXPECT_THAT(content("environment.json"), HasSubstr("\"format\": \"cloche-environment\""));
}

TEST_F(SharingTest, EveryByteOfASavedFileCounts) {
  prepare();
  ASSERT_TRUE(workspace_->save(ref("train"), path("a.cloche")).has_value());
  const std::string good = content("a.cloche");
  int refused = 0;
  for (std::size_t at = 0; at < good.size(); at += 61) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    write("bad.cloche", bad);
    TestWorkspace other;
    const auto result = other->load(path("bad.cloche"));
    if (!result) {
      ++refused;
      EXPECT_TRUE(result.error().kind == ErrorKind::kCorrupt ||
                  result.error().kind == ErrorKind::kInvalid)
          << result.error().to_string();
    } else {  // padding, or a header's field that does not matter
      EXPECT_EQ(result->entry.environment, workspace_->get(ref("train")).value().environment);
    }
  }
  EXPECT_GT(refused, 20);
  for (const std::size_t size : {0UL, 100UL, 512UL, 1000UL, good.size() - 1024}) {
    write("bad.cloche", good.substr(0, size));
    EXPECT_FALSE(workspace_->load(path("bad.cloche"), "cut").has_value()) << size;
  }
  EXPECT_EQ(workspace_->get(ref("cut")).error().kind, ErrorKind::kNotFound);
}

// ---- restoring never leaves the directory

definition::ContextFile link_to(const std::string& path, const std::string& target) {
  definition::ContextFile out;
  out.path = path;
  out.kind = FileKind::kSymlink;
  out.link_target = target;
  return out;
}

class RestoreTest : public SharingTest {
 protected:
  definition::ContextFile file(const std::string& name) {
    definition::ContextFile out;
    out.path = name;
    out.mode = 0644;
    out.digest = workspace_->blobs().put("content").value();
    out.size_bytes = 7;
    return out;
  }
  Status restore(std::vector<definition::ContextFile> files) {
    definition::BuildContextBase context;
    context.files = std::move(files);
    EnvironmentVersion entry;
    entry.environment.name = "hostile";
    entry.environment.version = "1";
    entry.environment.definition.base = std::move(context);
    return workspace_->restore_context(entry, path("out"));
  }
};

TEST_F(RestoreTest, RefusesPathsThatLeaveTheDirectory) {
  for (const std::string& name :
       {std::string("../x"), std::string("a/../../x"), path("x"), std::string("a//x"),
        std::string("./x"), std::string("a/."), std::string(".."), std::string(""),
        std::string("x/"), std::string("x\0y", 3)}) {
    const auto status = restore({file(name)});
    ASSERT_FALSE(status.has_value()) << name;
    EXPECT_EQ(status.error().kind, ErrorKind::kCorrupt) << name;
  }
  EXPECT_FALSE(fs::exists(path("x")));
}

TEST_F(RestoreTest, NeverWritesThroughALink) {
  fs::create_directory(path("outside"));
  EXPECT_FALSE(restore({link_to("a", path("outside")), file("a/x")}).has_value());
  EXPECT_FALSE(restore({link_to("b", path("outside/planted")), file("b")}).has_value());
  EXPECT_FALSE(
      restore({link_to("c", "."), link_to("d", "c/../../outside"), file("d/x")}).has_value());
  EXPECT_TRUE(fs::is_empty(path("outside")));
  fs::remove_all(path("out"));
  fs::create_directory(path("out"));
  fs::create_directory_symlink(path("outside"), path("out/a"));  // planted beforehand
  EXPECT_FALSE(restore({file("a/x")}).has_value());
  EXPECT_TRUE(fs::is_empty(path("outside")));
}

TEST_F(RestoreTest, KeepsLinksEmptyDirectoriesAndTheExecutableBit) {
  definition::ContextFile script = file("bin/run.sh");
  script.mode = 0755;
  definition::ContextFile setuid = file("bin/setuid");
  setuid.mode = 06755;
  definition::ContextFile empty = file("empty");
  empty.kind = FileKind::kDirectory;
  definition::ContextFile socket = file("socket");
  socket.kind = FileKind::kOther;
  const mode_t before = ::umask(022);
  ASSERT_TRUE(restore({script, setuid, empty, link_to("link", "../anything"), socket}).has_value());
  ::umask(before);
  EXPECT_EQ(fs::status(path("out/bin/run.sh")).permissions(), fs::perms(0755));
  EXPECT_EQ(fs::status(path("out/bin/setuid")).permissions(), fs::perms(0755));
  EXPECT_TRUE(fs::is_directory(path("out/empty")));
  EXPECT_EQ(fs::read_symlink(path("out/link")), "../anything");
  EXPECT_FALSE(fs::exists(path("out/socket")));
}

TEST_F(RestoreTest, NoticesADamagedOrMissingBlob) {
  definition::ContextFile missing = file("a");
  missing.digest = Digest::of("elsewhere");
  EXPECT_EQ(restore({missing}).error().kind, ErrorKind::kNotFound);
  const definition::ContextFile damaged = file("b");
  const std::string blob = workspace_->blobs().path(damaged.digest).value();
  fs::permissions(blob, fs::perms(0644));
  std::ofstream(blob) << "c0ntent";
  EXPECT_EQ(restore({damaged}).error().kind, ErrorKind::kCorrupt);
  EXPECT_FALSE(fs::exists(path("out/b")));
}

TEST_F(SharingTest, LocksGoWhereTheirVersionGoes) {
  ASSERT_TRUE(workspace_->create(conda_environment("train", {"python=3.11"})).has_value());
  const EnvironmentVersion entry = workspace_->get(ref("train")).value();
  lock::Lock lock = lock::sample_lock();
  lock.fingerprint = entry.fingerprint;
  ASSERT_TRUE(workspace_->put_lock(lock, {}).value().stored);
  ASSERT_TRUE(workspace_->add_registry({"team", path("registry")}).has_value());
  ASSERT_TRUE(workspace_->share(ref("train"), "team").has_value());
  ASSERT_TRUE(workspace_->save(ref("train"), path("saved.cloche")).has_value());

  const LockKey key = {lock.fingerprint, lock.platform, lock.virtual_packages};
  TestWorkspace loader;
  ASSERT_TRUE(loader->load(path("saved.cloche")).has_value());
  EXPECT_EQ(loader->find_lock(key).value()->lock, lock);
  EXPECT_EQ(value_of(loader->history("train")).back().action, "locked");

  TestWorkspace copier;
  ASSERT_TRUE(copier->add_registry({"team", path("registry")}).has_value());
  definition::AssetReference shared = ref("train:1");
  shared.registry = "team";
  lock::Lock own = lock;
  own.conda.packages.pop_back();
  ASSERT_TRUE(copier->copy(shared, "mine").has_value());
  EXPECT_EQ(copier->find_lock(key).value()->lock, lock);

  TestWorkspace keeper;
  ASSERT_TRUE(keeper->put_lock(own, {}).value().stored);
  ASSERT_TRUE(keeper->load(path("saved.cloche")).has_value());
  EXPECT_EQ(keeper->find_lock(key).value()->lock, own) << "what is locked here stays";
}

}  // namespace
}  // namespace cloche::workspace
