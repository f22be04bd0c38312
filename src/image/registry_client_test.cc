// Against Debian's docker-registry, which we did not write. Skips where it is not installed.
#include "image/registry_client.h"

#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/encoding.h"
#include "core/testing.h"
#include "image/layout.h"
#include "image/media_type.h"
#include "image/testing.h"
#include "io/file.h"
#include "io/testing.h"

namespace cloche::image {
namespace {

using ::testing::HasSubstr;

class RegistryClientTest : public ::testing::Test {
 protected:
  void start(const LocalRegistry::Options& options = {}) {
    registry_ = LocalRegistry::start(options);
    if (registry_ == nullptr) {
      GTEST_SKIP() << "docker-registry (openssl, htpasswd) is not installed";
    }
  }

  RegistryOptions options() const {
    RegistryOptions options;
    options.http.backoff_base_ms = 10;
    options.http.retries = 2;
    options.certificates = directory_.path() + "/certs.d";
    options.environment = {{"HOME", directory_.path()}, {"PATH", "/usr/bin:/bin"}};
    return options;
  }

  oci::Reference reference(const std::string& name) const {
    return *oci::parse_reference(registry_->host() + "/" + name);
  }

  static Descriptor image(const blob::BlobStore& store, const std::vector<std::string>& layers) {
    Manifest manifest;
    ImageConfig config;
    for (const std::string& layer : layers) {
      manifest.layers.push_back({.media_type = std::string(kOciLayer),
                                 .digest = *store.put(layer),
                                 .size_bytes = layer.size()});
      config.diff_ids.push_back(manifest.layers.back().digest);
    }
    return *put_image(store, manifest, config);
  }

  Result<PushedImage> push(RegistryClient& client, const blob::BlobStore& store,
                           const Descriptor& one, const std::string& name,
                           const PushOptions& push_options = {}) {
    Progress nobody;
    return client.push(store, one, reference(name), push_options, {}, nobody);
  }

  Result<PulledImage> pull(RegistryClient& client, const blob::BlobStore& store,
                           const std::string& name, const PullOptions& pull_options = {}) {
    Progress nobody;
    return client.pull(reference(name), {}, store, pull_options, {}, nobody);
  }

  io::TemporaryDirectory directory_ = io::test_directory();
  blob::BlobStore here_{directory_.path() + "/here"};
  blob::BlobStore there_{directory_.path() + "/there"};
  std::unique_ptr<LocalRegistry> registry_;
};

TEST_F(RegistryClientTest, PullsWhatItPushed) {
  start();
  if (registry_ == nullptr) {
    return;
  }
  RegistryClient client(options());
  const std::string large(3'000'000, 'x');
  const Descriptor one = image(here_, {"layer one", large, ""});
  ASSERT_VALUE(pushed, push(client, here_, one, "team/image:1"));
  EXPECT_EQ(pushed.digest, one.digest);
  EXPECT_EQ(pushed.uploaded, 4U);
  ASSERT_VALUE(pulled, pull(client, there_, "team/image:1"));
  EXPECT_EQ(pulled.resolved.manifest.digest, one.digest);
  EXPECT_EQ(pulled.resolved.reference.digest, one.digest.to_string());
  EXPECT_EQ(*there_.read(Digest::of(large), 1U << 23U), large);
  EXPECT_TRUE(there_.contains(Digest::of("")));
  EXPECT_EQ(*there_.read(one.digest, 1U << 20U), *here_.read(one.digest, 1U << 20U));
  ASSERT_VALUE(again, pull(client, there_, "team/image:1"));
  EXPECT_EQ(again.fetched_bytes, 0U);
}

TEST_F(RegistryClientTest, SendsOnlyWhatTheRegistryLacks) {
  start();
  if (registry_ == nullptr) {
    return;
  }
  RegistryClient client(options());
  ASSERT_TRUE(push(client, here_, image(here_, {"base", "old"}), "env:1").has_value());
  ASSERT_VALUE(pushed, push(client, here_, image(here_, {"base", "new"}), "env:2"));
  EXPECT_EQ(pushed.present, 1U);
  EXPECT_EQ(pushed.uploaded, 2U);  // the layer and the config
  ASSERT_VALUE(same, push(client, here_, image(here_, {"base", "new"}), "env:3"));
  EXPECT_EQ(same.uploaded_bytes, 0U);
  ASSERT_VALUE(tags, client.tags(reference("env")));
  EXPECT_THAT(tags, ::testing::UnorderedElementsAre("1", "2", "3"));
}

TEST_F(RegistryClientTest, BelievesTheManifestOfTheNameUntilTheRegistryRefusesIt) {
  start();
  if (registry_ == nullptr) {
    return;
  }
  RegistryClient client(options());
  ASSERT_TRUE(push(client, here_, image(here_, {"base", "old"}), "env:1").has_value());
  ASSERT_VALUE(pushed, push(client, here_, image(here_, {"base", "new"}), "env:1"));
  EXPECT_EQ(pushed.present, 1U);
  EXPECT_EQ(pushed.uploaded, 2U);
  // The registry forgets a layer that the manifest of this name has.
  const std::string base =
      "/docker/registry/v2/repositories/env/_layers/sha256/" + Digest::of("base").hex();
  ASSERT_GT(std::filesystem::remove_all(registry_->storage() + base), 0U);
  ASSERT_VALUE(mended, push(client, here_, image(here_, {"base", "newer"}), "env:1"));
  EXPECT_EQ(mended.digest, image(here_, {"base", "newer"}).digest);
  ASSERT_TRUE(pull(client, there_, "env:1").has_value());
  EXPECT_TRUE(there_.contains(Digest::of("base")));
}

TEST_F(RegistryClientTest, MountsTheLayersOfABaseThatAreNotHere) {
  start();
  if (registry_ == nullptr) {
    return;
  }
  RegistryClient client(options());
  ASSERT_TRUE(push(client, here_, image(here_, {"base"}), "bases/debian:12").has_value());
  ASSERT_VALUE(base, pull(client, there_, "bases/debian:12", {.layers = false}));
  EXPECT_FALSE(there_.contains(Digest::of("base")));
  Manifest manifest = base.manifest;
  ImageConfig config = base.config;
  manifest.layers.push_back(
      {.media_type = std::string(kOciLayer), .digest = *there_.put("mine"), .size_bytes = 4});
  config.diff_ids.push_back(Digest::of("mine"));
  const Descriptor mine = *put_image(there_, manifest, config);
  const auto alone = push(client, there_, mine, "mine:1");
  ASSERT_FALSE(alone.has_value());
  EXPECT_EQ(alone.error().kind, ErrorKind::kNotFound);
  ASSERT_VALUE(pushed,
               push(client, there_, mine, "mine:1", {.sources = {reference("bases/debian")}}));
  EXPECT_EQ(pushed.mounted, 1U);
  EXPECT_EQ(pushed.uploaded, 2U);
  EXPECT_FALSE(there_.contains(Digest::of("base")));
  ASSERT_TRUE(pull(client, there_, "mine:1").has_value());
  EXPECT_TRUE(there_.contains(Digest::of("base")));
}

TEST_F(RegistryClientTest, CopiesTheLayersOfABaseInAnotherRegistry) {
  start();
  const auto other = LocalRegistry::start();
  if (registry_ == nullptr || other == nullptr) {
    return;
  }
  RegistryClient client(options());
  ASSERT_TRUE(push(client, here_, image(here_, {"base"}), "base:1").has_value());
  ASSERT_VALUE(base, pull(client, there_, "base:1", {.layers = false}));
  Progress nobody;
  ASSERT_VALUE(copied, client.push(there_, base.resolved.manifest,
                                   *oci::parse_reference(other->host() + "/base:1"),
                                   {.sources = {reference("base:1")}}, {}, nobody));
  EXPECT_EQ(copied.uploaded, 2U);
}

TEST_F(RegistryClientTest, PicksThePlatformOfAnIndexAndSendsAllOfThem) {
  start();
  if (registry_ == nullptr) {
    return;
  }
  RegistryClient client(options());
  ImageIndex index;
  for (const char* platform : {"linux/amd64", "linux/arm64/v8"}) {
    Manifest manifest;
    const ImageConfig config{.platform = *parse_platform(platform)};
    index.manifests.push_back(*put_image(here_, manifest, config));
  }
  const std::string text = index.to_json();
  const Descriptor all{
      .media_type = std::string(kOciIndex), .digest = *here_.put(text), .size_bytes = text.size()};
  ASSERT_VALUE(pushed, push(client, here_, all, "multi"));
  EXPECT_EQ(pushed.digest, all.digest);
  ASSERT_VALUE(arm, client.resolve(reference("multi:latest"), *parse_platform("linux/arm64")));
  EXPECT_EQ(arm.manifest.digest, index.manifests[1].digest);
  EXPECT_EQ(arm.index, all.digest);
  ASSERT_VALUE(pulled, pull(client, there_, "multi@" + all.digest.to_string()));
  EXPECT_EQ(pulled.resolved.manifest.digest, index.manifests[0].digest);
  const auto none = client.resolve(reference("multi"), *parse_platform("linux/s390x"));
  ASSERT_FALSE(none.has_value());
  EXPECT_THAT(none.error().hint, HasSubstr("linux/arm64/v8"));
}

TEST_F(RegistryClientTest, SaysWhichTagMayHaveBeenMeant) {
  start();
  if (registry_ == nullptr) {
    return;
  }
  RegistryClient client(options());
  ASSERT_TRUE(push(client, here_, image(here_, {"a"}), "python:3.11-slim").has_value());
  const auto typo = pull(client, there_, "python:3.11-slin");
  ASSERT_FALSE(typo.has_value());
  EXPECT_EQ(typo.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(typo.error().message, HasSubstr(registry_->host()));
  EXPECT_THAT(typo.error().hint, HasSubstr("did you mean python:3.11-slim?"));
  const auto nothing = pull(client, there_, "pyton:1");
  ASSERT_FALSE(nothing.has_value());
  EXPECT_THAT(nothing.error().message, HasSubstr("there is no repository pyton"));
}

TEST_F(RegistryClientTest, LogsInWithDockersFile) {
  start({.htpasswd = true});
  if (registry_ == nullptr) {
    return;
  }
  const Descriptor one = image(here_, {"a"});
  RegistryClient stranger(options());
  const auto refused = push(stranger, here_, one, "private:1");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::kPermission);
  EXPECT_THAT(refused.error().hint, HasSubstr("docker login " + registry_->host()));
  const auto log_in = [&](const std::string& password) {
    ASSERT_TRUE(io::write_file_atomically(
        directory_.path() + "/.docker/config.json",
        fmt::format(R"({{"auths":{{"{}":{{"auth":"{}"}}}}}})", registry_->host(),
                    to_base64("someone:" + password))));
  };
  log_in("wrong");
  RegistryClient mistaken(options());
  const auto wrong = push(mistaken, here_, one, "private:1");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_THAT(wrong.error().hint, HasSubstr("refused"));
  EXPECT_THAT(wrong.error().to_string(), ::testing::Not(HasSubstr("wrong")));
  log_in("secret word");
  RegistryClient known(options());
  EXPECT_TRUE(push(known, here_, one, "private:1").has_value());
  EXPECT_TRUE(pull(known, there_, "private:1").has_value());
}

TEST_F(RegistryClientTest, AsksACredentialHelper) {
  start({.htpasswd = true});
  if (registry_ == nullptr) {
    return;
  }
  const std::string bin = directory_.path() + "/bin";
  ASSERT_TRUE(io::write_file_atomically(
      bin + "/docker-credential-test",
      "#!/bin/sh\nread host\n[ \"$1 $host\" = 'get " + registry_->host() +
          "' ] || { echo 'credentials not found in native keychain'; exit 1; }\n"
          "echo '{\"ServerURL\":\"x\",\"Username\":\"someone\",\"Secret\":\"secret word\"}'\n",
      0755));
  ASSERT_TRUE(io::write_file_atomically(directory_.path() + "/auth.json",
                                        R"({"auths":{},"credsStore":"test"})"));
  RegistryOptions asking = options();
  asking.environment["PATH"] = bin + ":/usr/bin:/bin";
  asking.environment["REGISTRY_AUTH_FILE"] = directory_.path() + "/auth.json";
  RegistryClient client(asking);
  const auto pushed = push(client, here_, image(here_, {"a"}), "private:1");
  EXPECT_TRUE(pushed.has_value()) << pushed.error().to_string();
}

TEST_F(RegistryClientTest, TrustsTheCertificateThatDockerTrusts) {
  start({.tls = true, .htpasswd = true});
  if (registry_ == nullptr) {
    return;
  }
  const Descriptor one = image(here_, {"a"});
  RegistryOptions own = options();
  own.credentials = {.username = "someone", .password = "secret word"};
  RegistryClient stranger(own);
  const auto refused = push(stranger, here_, one, "a:1");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::kPermission);
  EXPECT_THAT(refused.error().message, HasSubstr("certificate"));
  const std::string place = own.certificates + "/" + registry_->host();
  ASSERT_TRUE(io::make_directories(place));
  ASSERT_EQ(::symlink(registry_->certificate().c_str(), (place + "/ca.crt").c_str()), 0);
  RegistryClient client(own);
  const auto pushed = push(client, here_, one, "a:1");
  EXPECT_TRUE(pushed.has_value()) << pushed.error().to_string();
  EXPECT_TRUE(pull(client, there_, "a:1").has_value());
}

TEST_F(RegistryClientTest, AsksMirrorsFirstAndTheRegistryWhereTheyFail) {
  start();
  const auto mirror = LocalRegistry::start();
  if (registry_ == nullptr || mirror == nullptr) {
    return;
  }
  RegistryOptions mirrored = options();
  mirrored.registries = *parse_registries_conf(
      fmt::format("[[registry]]\nlocation = \"{}\"\n[[registry.mirror]]\nlocation = \"{}/cache\"\n",
                  registry_->host(), mirror->host()));
  RegistryClient client(mirrored);
  ASSERT_TRUE(push(client, here_, image(here_, {"only upstream"}), "a:1").has_value());
  EXPECT_TRUE(pull(client, there_, "a:1").has_value());
  RegistryClient plain(options());
  Progress nobody;
  const Descriptor other = image(here_, {"in the mirror"});
  ASSERT_TRUE(plain.push(here_, other, *oci::parse_reference(mirror->host() + "/cache/a:1"), {}, {},
                         nobody));
  ASSERT_VALUE(pulled, pull(client, there_, "a:1"));
  EXPECT_EQ(pulled.resolved.manifest.digest, other.digest);
}

}  // namespace
}  // namespace cloche::image
