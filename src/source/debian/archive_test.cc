#include "source/debian/archive.h"

#include <filesystem>
#include <fstream>
#include <functional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/digest.h"
#include "core/testing.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/http_testing.h"
#include "io/process.h"
#include "io/testing.h"

namespace cloche::source {
namespace {

using testing::HasSubstr;

const std::string kPackages =
    "Package: git\nVersion: 2.39\nArchitecture: amd64\nFilename: pool/git.deb\nSize: 3\n";

// 2026-11-28 00:00:00 UTC
constexpr std::int64_t kNow = 1'795'824'000'000;

// An archive behind a server, with one suite, and a key of its own.
class ArchiveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    packages_ = kPackages;
    publish();
  }

  // gpg's key of this test; false where gpg or gpgv is not installed.
  bool make_key() {
    std::filesystem::create_directories(home());
    std::filesystem::permissions(home(), std::filesystem::perms::owner_all);
    return gpg({"--quick-gen-key", "archive@example.org", "ed25519", "sign", "never"}) &&
           gpg({"--output", keyring(), "--export", "archive@example.org"});
  }

  bool gpg(std::vector<std::string> arguments) {
    io::Command command;
    command.argv = {"gpg", "--homedir",       home(),    "--batch", "--yes", "--passphrase",
                    "",    "--pinentry-mode", "loopback"};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    const auto result = io::run_process(command);
    return result && result->ok();
  }

  std::string home() const { return place_.path() + "/gnupg"; }
  std::string keyring() const { return place_.path() + "/keys.gpg"; }

  std::string release() const {
    return fmt::format(
        "Origin: Test\nSuite: stable\nCodename: bookworm\nDate: {}\n{}Acquire-By-Hash: {}\n"
        "Architectures: amd64\nComponents: main\nSHA256:\n {} {} main/binary-amd64/Packages\n",
        date_, valid_until_.empty() ? "" : "Valid-Until: " + valid_until_ + "\n",
        by_hash_ ? "yes" : "no", Digest::of(packages_).hex(), packages_.size());
  }

  // What a server has of it: signed where there is a key.
  void publish() {
    std::string text = release();
    if (std::filesystem::exists(keyring())) {
      const std::string path = place_.path() + "/Release";
      std::ofstream(path) << text;
      ASSERT_TRUE(gpg({"--output", path + ".signed", "--clearsign", path}));
      text = *io::DiskFiles().read(path + ".signed", 1 << 20U);
    }
    publish_as(text);
  }

  void publish_as(const std::string& text) {
    server_.set("/dists/bookworm/InRelease",
                {.body = text, .etag = "\"" + Digest::of(text).hex() + "\""});
    server_.set("/dists/bookworm/main/binary-amd64/Packages", {.body = packages_});
    server_.set("/dists/bookworm/main/binary-amd64/by-hash/SHA256/" + Digest::of(packages_).hex(),
                {.body = packages_});
  }

  AptSource source() const {
    AptSource out;
    out.uri = server_.url();
    out.suite = "bookworm";
    out.components = {"main"};
    if (std::filesystem::exists(keyring())) {
      out.keyrings = {keyring()};
    } else {
      out.trusted = true;
    }
    return out;
  }

  Result<Archives> open(const AptSource& from, const ArchiveOptions& options = {}) {
    ArchiveCache cache(place_.path() + "/cache", client_, files_, clock_);
    Progress progress;
    return cache.open(std::span(&from, 1), "amd64", options, {}, progress, diagnostics_);
  }
  Result<Archives> open(const ArchiveOptions& options = {}) { return open(source(), options); }

  std::string refused(const ArchiveOptions& options = {}) {
    const auto result = open(options);
    return result ? "opened" : result.error().to_string();
  }

  io::TemporaryDirectory place_ = io::test_directory();
  io::TestServer server_;
  static io::HttpOptions quick() {
    io::HttpOptions out;
    out.stall_timeout_s = 1;
    out.retries = 0;
    return out;
  }
  io::HttpClient client_{quick()};
  io::DiskFiles files_;
  FakeClock clock_{kNow};
  Diagnostics diagnostics_;
  std::string packages_;
  std::string date_ = "Fri, 27 Nov 2026 10:16:37 UTC";
  std::string valid_until_;
  bool by_hash_ = true;
};

TEST_F(ArchiveTest, IsFetchedOnceAndAskedAgainWhenItIsOld) {
  ASSERT_VALUE(first, open());
  ASSERT_EQ(first.packages.size(), 1U);
  EXPECT_NE(first.packages[0].index.find("git"), nullptr);
  EXPECT_EQ(first.packages[0].suite, "bookworm");
  EXPECT_EQ(first.packages[0].component, "main");
  EXPECT_EQ(first.packages[0].priority, 500);
  EXPECT_EQ(first.releases[0].release.codename, "bookworm");
  EXPECT_EQ(server_.count("/dists/bookworm/main/binary-amd64/Packages"), 0U);  // by its hash
  const std::size_t asked = server_.requests().size();
  ASSERT_TRUE(open().has_value());
  EXPECT_EQ(server_.requests().size(), asked);
  clock_.advance_ms(2 * 3'600'000);
  ASSERT_VALUE(third, open());
  EXPECT_EQ(server_.requests().size(), asked + 1);  // not modified
  EXPECT_EQ(third.releases[0].sha256, first.releases[0].sha256);
}

TEST_F(ArchiveTest, ChangesWithTheSuite) {
  ASSERT_TRUE(open().has_value());
  packages_ += "\nPackage: curl\nVersion: 8\nArchitecture: all\n";
  publish();
  ASSERT_VALUE(now, open({.refresh = true}));
  EXPECT_NE(now.packages[0].index.find("curl"), nullptr);
  const auto indexes = files_.list(place_.path() + "/cache/index");
  EXPECT_EQ(indexes->size(), 1U);  // the old one is gone
}

TEST_F(ArchiveTest, WithoutByHashTakesThePlainName) {
  by_hash_ = false;
  publish();
  ASSERT_TRUE(open().has_value());
  EXPECT_EQ(server_.count("/dists/bookworm/main/binary-amd64/Packages"), 1U);
}

TEST_F(ArchiveTest, WorksOfflineFromWhatItHas) {
  EXPECT_THAT(refused({.offline = true}), HasSubstr("offline, and"));
  ASSERT_TRUE(open().has_value());
  server_.set("/dists/bookworm/InRelease", {.status = 503});
  clock_.advance_ms(30 * 3'600'000);
  EXPECT_TRUE(open({.offline = true}).has_value());
  EXPECT_THAT(refused(), HasSubstr("--offline uses it"));
}

TEST_F(ArchiveTest, RefusesWhatIsNotWhatTheReleaseSays) {
  const auto serve = [&](const std::string& body) {
    server_.set("/dists/bookworm/main/binary-amd64/Packages", {.body = body});
    server_.set("/dists/bookworm/main/binary-amd64/by-hash/SHA256/" + Digest::of(packages_).hex(),
                {.body = body});
  };
  std::string changed = packages_;
  changed[0] = 'p';
  serve(changed);
  EXPECT_THAT(refused(), HasSubstr("is not what its Release says: its sha256 is"));
  serve(packages_.substr(0, 20));
  EXPECT_THAT(refused(), HasSubstr("it has 20 bytes, not"));
  serve(packages_ + packages_);
  EXPECT_THAT(refused(), HasSubstr("cannot be fetched"));
}

TEST_F(ArchiveTest, RefusesWhatHasExpiredOrIsOfTheFuture) {
  valid_until_ = "Fri, 27 Nov 2026 20:00:00 UTC";
  publish();
  EXPECT_THAT(refused(), HasSubstr("it expired at 2026-11-27T20:00:00"));
  AptSource lenient = source();
  lenient.check_valid_until = false;
  EXPECT_TRUE(open(lenient).has_value());
  valid_until_.clear();
  date_ = "Mon, 30 Nov 2026 10:16:37 UTC";
  publish();
  EXPECT_THAT(refused({.refresh = true}), HasSubstr("which is still to come"));
}

TEST_F(ArchiveTest, OfADateNeverExpires) {
  valid_until_ = "Fri, 27 Nov 2020 20:00:00 UTC";
  publish();
  const std::string dated = "/20201101T000000Z";
  server_.set(dated + "/dists/bookworm/InRelease", {.body = release()});
  server_.set(
      dated + "/dists/bookworm/main/binary-amd64/by-hash/SHA256/" + Digest::of(packages_).hex(),
      {.body = packages_});
  AptSource from = source();
  from.uri += dated;
  ASSERT_VALUE(archives, open(from));
  EXPECT_EQ(archives.packages[0].uri, server_.url() + dated);
}

TEST_F(ArchiveTest, RefusesAnotherSuiteAndWhatIsNoRelease) {
  AptSource other = source();
  other.suite = "trixie";
  server_.set("/dists/trixie/InRelease", {.body = release()});
  EXPECT_THAT(open(other).error().to_string(),
              HasSubstr("it is of bookworm (stable), not of trixie"));
  other.suite = "sid";
  EXPECT_THAT(open(other).error().to_string(), HasSubstr("has no suite sid"));
  publish_as("<html>Welcome to the hotel</html>");
  EXPECT_THAT(refused(), HasSubstr("it is no Release file"));
  publish_as("Codename: bookworm\nMD5Sum:\n");
  EXPECT_THAT(refused(), HasSubstr("no SHA256"));
}

TEST_F(ArchiveTest, SaysWhichComponentIsMissing) {
  AptSource more = source();
  more.components = {"main", "contrib"};
  ASSERT_VALUE(archives, open(more));
  EXPECT_EQ(archives.packages.size(), 1U);
  ASSERT_EQ(diagnostics_.list().size(), 1U);
  EXPECT_EQ(diagnostics_.list()[0].rule, "apt-no-component");
}

TEST_F(ArchiveTest, StopsAtAMirrorThatStalls) {
  server_.set("/dists/bookworm/InRelease", {.body = release(), .delay_ms = 3000});
  EXPECT_THAT(refused(), HasSubstr("cannot be read"));
}

TEST_F(ArchiveTest, SaysThatTheDiskIsFull) {
  auto disk = io::SmallDisk::create(64 << 10U);
  if (!disk) {
    GTEST_SKIP() << "no file system can be mounted here";
  }
  for (int i = 0; i < 2000; ++i) {
    packages_ += fmt::format("\nPackage: p{}\nVersion: 1\nArchitecture: all\n", i);
  }
  publish();
  ArchiveCache cache(disk->path() + "/cache", client_, files_, clock_);
  Progress progress;
  const AptSource from = source();
  const auto result = cache.open(std::span(&from, 1), "amd64", {}, {}, progress, diagnostics_);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
}

TEST_F(ArchiveTest, ReadsArchivesOnTheDisk) {
  const std::string root = place_.path() + "/mirror";
  ASSERT_TRUE(io::write_file_atomically(root + "/dists/bookworm/Release", release()));
  ASSERT_TRUE(
      io::write_file_atomically(root + "/dists/bookworm/main/binary-amd64/Packages", packages_));
  AptSource from = source();
  from.uri = "file://" + root;
  ASSERT_VALUE(archives, open(from));
  EXPECT_NE(archives.packages[0].index.find("git"), nullptr);
  // Without suites: everything in one folder.
  std::string flat = release();
  flat.replace(flat.find("main/binary-amd64/"), 18, "");
  ASSERT_TRUE(io::write_file_atomically(root + "/all/Release", flat));
  ASSERT_TRUE(io::write_file_atomically(root + "/all/Packages", packages_));
  from.suite = "all/";
  from.components.clear();
  ASSERT_VALUE(one, open(from));
  EXPECT_EQ(one.packages[0].uri, from.uri + "/all");
  from.trusted = false;
  EXPECT_THAT(open(from).error().to_string(), HasSubstr("is not signed"));
}

TEST_F(ArchiveTest, IsVerified) {
  if (!make_key()) {
    GTEST_SKIP() << "gpg is not installed";
  }
  publish();
  const auto opened = open();
  if (!opened && opened.error().to_string().contains("gpgv is not installed")) {
    GTEST_SKIP() << "gpgv is not installed";
  }
  ASSERT_TRUE(opened.has_value()) << opened.error().to_string();
  EXPECT_EQ(opened->releases[0].sha256, Digest::of(release()).hex());

  const std::string good = *files_.read(place_.path() + "/Release.signed", 1 << 20U);
  std::string changed = good;
  changed.replace(changed.find("Origin: Test"), 12, "Origin: Evil");
  publish_as(changed);
  EXPECT_THAT(refused({.refresh = true}), HasSubstr("the file was changed"));
  publish_as("unsigned\n" + good);
  EXPECT_THAT(refused({.refresh = true}), HasSubstr("no clear-signed message"));
  publish_as(good + good);
  EXPECT_THAT(refused({.refresh = true}), HasSubstr("no clear-signed message"));
  publish_as(release());
  EXPECT_THAT(refused({.refresh = true}), HasSubstr("no clear-signed message"));
  // What was verified before is still there.
  EXPECT_TRUE(open({.offline = true}).has_value());

  publish_as(good);
  AptSource other = source();
  other.fingerprints = {std::string(40, 'A')};
  EXPECT_THAT(open(other).error().to_string(), HasSubstr("is not the one of Signed-By"));
  std::ofstream(place_.path() + "/none.gpg") << "";
  other = source();
  other.keyrings = {place_.path() + "/none.gpg"};
  EXPECT_THAT(open(other).error().to_string(), HasSubstr("no trusted key"));
  other.keyrings = {place_.path() + "/missing.gpg"};
  EXPECT_THAT(open(other).error().to_string(), HasSubstr("there is no keyring"));

  // The same key in armour, in the source itself.
  ASSERT_TRUE(gpg({"--armor", "--output", place_.path() + "/key.asc", "--export"}));
  other = source();
  other.keyrings.clear();
  other.key_block = *files_.read(place_.path() + "/key.asc", 1 << 20U);
  EXPECT_TRUE(open(other).has_value());
}

TEST(ParseRelease, ReadsDatesAndFiles) {
  EXPECT_EQ(parse_release_date("Sat, 11 Jul 2026 10:16:37 UTC"), 1'783'764'997'000);
  for (const char* bad : {"", "Sat, 11 Jul 2026 10:16:37", "Sat, 31 Feb 2026 10:16:37 UTC",
                          "Sat, 11 Jux 2026 10:16:37 UTC", "Sat, 11 Jul 2026 25:16:37 UTC",
                          "Sat, 11 Jul 2026 10:16:37 PST"}) {
    EXPECT_FALSE(parse_release_date(bad).has_value()) << bad;
  }
  const std::string hash(64, 'a');
  ASSERT_VALUE(
      one, parse_release("Codename: x\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n"
                         "NotAutomatic: yes\nButAutomaticUpgrades: yes\nArchitectures: all amd64\n"
                         "SHA256:\n " +
                         hash + " 12 main/binary-amd64/Packages.xz\n " + hash +
                         " 5 main/Contents-amd64\n"));
  EXPECT_EQ(one.priority(), 100);
  EXPECT_TRUE(one.all_apart);
  ASSERT_EQ(one.packages.size(), 1U);
  EXPECT_EQ(one.find("main/binary-amd64/Packages.xz")->size_bytes, 12U);
  for (const char* bad : {"SHA256:\n a b\n", "SHA256:\n x 1 Packages\n"}) {
    EXPECT_FALSE(
        parse_release(std::string("Date: Sat, 11 Jul 2026 10:16:37 UTC\n") + bad).has_value());
  }
}

}  // namespace
}  // namespace cloche::source
