// A registry inside the test that lies, and one that breaks: an error each, and nothing changed.
#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/encoding.h"
#include "core/testing.h"
#include "image/layout.h"
#include "image/media_type.h"
#include "image/registry_client.h"
#include "io/disk_files.h"
#include "io/http_testing.h"
#include "io/testing.h"

namespace cloche::image {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kRepository = "/v2/team/image/";

class HostileRegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_.set("/v2/", {.body = "{}"});
    config_.diff_ids.push_back(Digest::of(layer_));
    publish();
  }

  RegistryClient client(std::optional<RegistryCredentials> credentials = {}) const {
    RegistryOptions options;
    options.http.backoff_base_ms = 1;
    options.http.retries = 1;
    options.plain_http = true;
    options.certificates = directory_.path();
    options.credentials = std::move(credentials);
    return RegistryClient(options);
  }

  static std::string at(const std::string& path) { return kRepository + path; }
  static std::string blob_path(const Digest& digest) { return at("blobs/" + digest.to_string()); }

  Json manifest_json() const {
    const std::string config = config_.to_json();
    Manifest manifest;
    manifest.config = {.media_type = std::string(kOciConfig),
                       .digest = Digest::of(config),
                       .size_bytes = config.size()};
    manifest.layers.push_back({.media_type = std::string(kOciLayer),
                               .digest = Digest::of(layer_),
                               .size_bytes = layer_.size()});
    return *parse_json(manifest.to_json());
  }

  void publish() { publish(manifest_json().dump()); }
  void publish(const std::string& manifest) {
    const std::string config = config_.to_json();
    const io::TestResource document{.body = manifest};
    server_.set(at("manifests/1"), document);
    server_.set(at("manifests/" + Digest::of(manifest).to_string()), document);
    server_.set(blob_path(Digest::of(config)), {.body = config});
    server_.set(blob_path(Digest::of(layer_)), {.body = layer_});
  }

  oci::Reference reference(const std::string& tag = "1") const {
    return *oci::parse_reference(server_.url().substr(7) + "/team/image" +
                                 (tag.starts_with("sha256") ? "@" : ":") + tag);
  }

  Result<PulledImage> pull(const std::string& tag = "1") {
    Progress nobody;
    return client().pull(reference(tag), {}, store_, {}, {}, nobody);
  }

  // The error, after which nothing is stored of what was refused.
  Error refusal(const std::string& tag = "1") {
    const auto pulled = pull(tag);
    EXPECT_FALSE(pulled.has_value());
    EXPECT_FALSE(store_.contains(Digest::of(layer_)));
    EXPECT_FALSE(store_.contains(Digest::of(manifest_json().dump())));
    return pulled.has_value() ? Error{} : pulled.error();
  }

  io::TemporaryDirectory directory_ = io::test_directory();
  blob::BlobStore store_{directory_.path() + "/store"};
  io::TestServer server_;
  std::string layer_ = "the layer's tar";
  ImageConfig config_;
};

TEST_F(HostileRegistryTest, IsBelievedWhereItIsHonest) {
  ASSERT_VALUE(pulled, pull());
  EXPECT_TRUE(store_.contains(Digest::of(layer_)));
  EXPECT_EQ(pulled.config, config_);
}

TEST_F(HostileRegistryTest, SendsAnotherLayer) {
  server_.set(blob_path(Digest::of(layer_)), {.body = "THE LAYER'S TAR"});
  const Error error = refusal();
  EXPECT_EQ(error.kind, ErrorKind::kCorrupt);
  EXPECT_THAT(error.message, HasSubstr("127.0.0.1"));
  const auto left = io::DiskFiles().list(store_.root() + "/tmp");
  EXPECT_TRUE(!left || left->empty());
}

TEST_F(HostileRegistryTest, SendsAShortLayer) {
  server_.set(blob_path(Digest::of(layer_)), {.body = layer_.substr(0, 5)});
  EXPECT_EQ(refusal().kind, ErrorKind::kCorrupt);
}

TEST_F(HostileRegistryTest, SendsALayerWithoutAnEnd) {
  server_.set(blob_path(Digest::of(layer_)), {.body = std::string(65536, 'x'), .endless = true});
  const Error error = refusal();
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_THAT(error.message, HasSubstr("at most 15"));
}

TEST_F(HostileRegistryTest, SendsAnErrorWithoutAnEnd) {
  server_.set(at("manifests/1"), {.body = std::string(65536, 'x'), .status = 404, .endless = true});
  EXPECT_THAT(refusal().message, HasSubstr("endless"));
}

TEST_F(HostileRegistryTest, SendsAGiantManifest) {
  server_.set(at("manifests/1"), {.body = std::string(kMaxManifestBytes + 1, ' ')});
  EXPECT_EQ(refusal().kind, ErrorKind::kInvalid);
  server_.set(at("manifests/1"), {.body = std::string(65536, '['), .endless = true});
  EXPECT_EQ(refusal().kind, ErrorKind::kInvalid);
}

TEST_F(HostileRegistryTest, SendsAnotherManifestThanTheDigestSays) {
  const std::string digest = Digest::of(manifest_json().dump()).to_string();
  server_.set(at("manifests/" + digest), {.body = manifest_json().dump(1)});
  EXPECT_EQ(refusal(digest).kind, ErrorKind::kCorrupt);
  server_.set(at("manifests/1"),
              {.body = manifest_json().dump(1), .headers = {{"Docker-Content-Digest", digest}}});
  EXPECT_EQ(refusal().kind, ErrorKind::kCorrupt);
}

TEST_F(HostileRegistryTest, SendsAManifestThatIsAnIndexAsWell) {
  publish(manifest_json().set("manifests", Json::array()).dump());
  EXPECT_THAT(refusal().message, HasSubstr("both an index and"));
  server_.set(at("manifests/1"), {.body = manifest_json().dump(),
                                  .headers = {{"Content-Type", std::string(kOciIndex)}}});
  EXPECT_THAT(refusal().message, HasSubstr("calls itself"));
}

TEST_F(HostileRegistryTest, SendsLayersToAnotherPlace) {
  io::TestServer other;
  other.set("/layer", {.body = layer_});
  Json manifest = manifest_json();
  Json layer = manifest["layers"].items()[0];
  layer.set("urls", Json::array().push(other.url("/layer")));
  publish(manifest.set("layers", Json::array().push(layer)).dump());
  const auto pulled = pull();
  ASSERT_FALSE(pulled.has_value());
  EXPECT_EQ(pulled.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(other.requests().size(), 0U);
}

TEST_F(HostileRegistryTest, NamesABlobByAPath) {
  Json manifest = manifest_json();
  Json layer = manifest["layers"].items()[0];
  layer.set("digest", "sha256:../../../../etc/cron.d/x");
  publish(manifest.set("layers", Json::array().push(layer)).dump());
  EXPECT_EQ(refusal().kind, ErrorKind::kInvalid);
}

TEST_F(HostileRegistryTest, SendsAConfigOfOtherLayers) {
  config_.diff_ids.clear();
  publish();
  EXPECT_THAT(refusal().message, HasSubstr("its config 0"));
}

// Credentials are for the host that asked for them.
TEST_F(HostileRegistryTest, RedirectsToAnotherHostWithoutOurCredentials) {
  io::TestServer storage;
  storage.set("/layer", {.body = layer_});
  const RegistryCredentials known{.username = "someone", .password = "secret"};
  const std::string basic = "Basic " + to_base64("someone:secret");
  server_.set("/v2/", {.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"x\""}}});
  for (const std::string& path : {at("manifests/1"), blob_path(Digest::of(config_.to_json()))}) {
    const std::string body = path == at("manifests/1") ? manifest_json().dump() : config_.to_json();
    server_.set(path, {.body = body, .authorization = basic});
  }
  server_.set(blob_path(Digest::of(layer_)),
              {.authorization = basic, .redirect_to = storage.url("/layer")});
  Progress nobody;
  const auto pulled = client(known).pull(reference(), {}, store_, {}, {}, nobody);
  ASSERT_TRUE(pulled.has_value()) << pulled.error().to_string();
  ASSERT_EQ(storage.requests().size(), 1U);
  EXPECT_FALSE(storage.requests()[0].headers.contains("authorization"));
}

TEST_F(HostileRegistryTest, SendsUploadsToAnotherHostWithoutOurCredentials) {
  io::TestServer storage;
  storage.handle([](const io::TestRequest&) { return io::TestResource{.status = 201}; });
  server_.set("/v2/", {.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"x\""}}});
  server_.handle([&](const io::TestRequest& request) -> std::optional<io::TestResource> {
    if (request.method == "POST") {
      return io::TestResource{.status = 202, .headers = {{"Location", storage.url("/up")}}};
    }
    if (request.method == "PUT") {
      return io::TestResource{.status = 201};
    }
    return request.method == "HEAD" ? std::optional(io::TestResource{.status = 404}) : std::nullopt;
  });
  const Descriptor image = *put_image(store_, {}, {});
  Progress nobody;
  const auto pushed = client(RegistryCredentials{.username = "someone", .password = "secret"})
                          .push(store_, image, reference(), {}, {}, nobody);
  ASSERT_TRUE(pushed.has_value()) << pushed.error().to_string();
  ASSERT_EQ(storage.requests().size(), 1U);
  EXPECT_FALSE(storage.requests()[0].headers.contains("authorization"));
}

TEST_F(HostileRegistryTest, GivesTokensForEachScopeOnceAndAgainWhenTheyExpire) {
  int given = 0;
  std::string valid;
  server_.handle([&](const io::TestRequest& request) -> std::optional<io::TestResource> {
    if (request.path.starts_with("/token?")) {
      EXPECT_THAT(request.path, HasSubstr("service=reg%20x"));
      EXPECT_THAT(request.path, HasSubstr("scope=repository%3Ateam%2Fimage%3Apull"));
      valid = fmt::format("token{}", ++given);
      return io::TestResource{.body = fmt::format(R"({{"token":"{}","expires_in":300}})", valid)};
    }
    const auto found = request.headers.find("authorization");
    if (valid.empty() || found == request.headers.end() || found->second != "Bearer " + valid) {
      return io::TestResource{
          .status = 401,
          .headers = {{"WWW-Authenticate", fmt::format(R"(Bearer realm="{}",service="reg x")",
                                                       server_.url("/token"))}}};
    }
    return std::nullopt;
  });
  RegistryClient one = client();
  ASSERT_TRUE(one.resolve(reference(), {}).has_value());
  ASSERT_TRUE(one.resolve(reference(), {}).has_value());
  EXPECT_EQ(given, 1);
  valid = "revoked";
  ASSERT_TRUE(one.resolve(reference(), {}).has_value());
  EXPECT_EQ(given, 2);
}

TEST_F(HostileRegistryTest, AsksForTokensOverAnUnsafeOrBrokenWay) {
  for (const char* challenge :
       {"Bearer realm=\"ftp://x/\"", "Bearer", "Negotiate", "Bearer realm=\"", "=,"}) {
    server_.set("/v2/", {.status = 401, .headers = {{"WWW-Authenticate", challenge}}});
    const auto resolved = client().resolve(reference(), {});
    ASSERT_FALSE(resolved.has_value()) << challenge;
  }
}

TEST_F(HostileRegistryTest, SaysNothingAnEngineShouldPrint) {
  server_.set(at("manifests/1"),
              {.body = R"({"errors":[{"message":"\u001b[31mgone"}]})", .status = 403});
  const Error error = refusal();
  EXPECT_EQ(error.kind, ErrorKind::kPermission);
  EXPECT_THAT(error.message, Not(HasSubstr("\x1b")));
  EXPECT_THAT(error.message, HasSubstr("gone"));
}

TEST_F(HostileRegistryTest, IsAskedAgainWhileItIsBusyAndThenGivenUp) {
  server_.set(at("manifests/1"),
              {.body = manifest_json().dump(), .fail_times = 1, .fail_status = 429});
  EXPECT_TRUE(pull().has_value());
  server_.set(at("manifests/1"), {.body = "", .fail_times = 100, .fail_status = 503});
  const auto given_up = pull();
  ASSERT_FALSE(given_up.has_value());
  EXPECT_EQ(given_up.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(given_up.error().message, HasSubstr("tried 2 times"));
}

TEST_F(HostileRegistryTest, CutsADownloadThatIsContinuedLater) {
  layer_ = std::string(300'000, 'l');
  config_.diff_ids = {Digest::of(layer_)};
  publish();
  server_.set(blob_path(Digest::of(layer_)),
              {.body = layer_, .cut_times = 2, .cut_after = 100'000});
  EXPECT_FALSE(pull().has_value());  // two attempts, each cut
  server_.forget_requests();
  ASSERT_TRUE(pull().has_value());
  const auto requests = server_.requests();
  const auto last =
      std::ranges::find(requests, blob_path(Digest::of(layer_)), &io::TestRequest::path);
  ASSERT_NE(last, requests.end());
  EXPECT_EQ(last->headers.at("range"), "bytes=200000-");
}

// Uploads of a registry that keeps what it got and breaks.
class BreakingRegistryTest : public HostileRegistryTest {
 protected:
  std::optional<io::TestResource> answer(const io::TestRequest& request) {
    const bool manifest = request.path.contains("/manifests/");
    if (request.method == "HEAD") {
      return io::TestResource{.status = 404};
    }
    if (request.method == "POST") {
      kept_.clear();
      ++begun_;
      return progress(202);
    }
    if (request.method == "GET" && request.path.contains("/uploads/")) {
      return forgets_ ? io::TestResource{.status = 404} : progress(204);
    }
    if (request.method == "PATCH" || (request.method == "PUT" && !manifest)) {
      if (breaks_ > 0) {
        --breaks_;
        kept_ += request.body.substr(0, request.body.size() / 2);
        return io::TestResource{.status = 503};
      }
      kept_ += request.body;
      return request.method == "PATCH" ? progress(202) : io::TestResource{.status = 201};
    }
    return manifest ? std::optional(io::TestResource{.status = 201}) : std::nullopt;
  }

  io::TestResource progress(int status) const {
    io::TestResource resource{.status = status};
    resource.headers = {{"Location", at("blobs/uploads/u?state=1")}};
    if (!kept_.empty()) {
      resource.headers.emplace_back("Range", fmt::format("0-{}", kept_.size() - 1));
    }
    return resource;
  }

  Result<PushedImage> push() {
    server_.handle([this](const io::TestRequest& request) { return answer(request); });
    config_.labels["long"] = std::string(100'000, 'c');
    config_.diff_ids.clear();
    const Descriptor image = *put_image(store_, {}, config_);
    Progress nobody;
    return client().push(store_, image, reference(), {}, {}, nobody);
  }

  std::string kept_;
  int breaks_ = 0;
  int begun_ = 0;
  bool forgets_ = false;
};

TEST_F(BreakingRegistryTest, IsContinuedWhereItStopped) {
  breaks_ = 2;
  const auto pushed = push();
  ASSERT_TRUE(pushed.has_value()) << pushed.error().to_string();
  EXPECT_EQ(begun_, 1);
  EXPECT_EQ(Digest::of(kept_), Digest::of(config_.to_json()));
}

TEST_F(BreakingRegistryTest, IsSentAllAgainWhenItForgets) {
  breaks_ = 1;
  forgets_ = true;
  const auto pushed = push();
  ASSERT_TRUE(pushed.has_value()) << pushed.error().to_string();
  EXPECT_EQ(begun_, 2);
  EXPECT_EQ(Digest::of(kept_), Digest::of(config_.to_json()));
}

}  // namespace
}  // namespace cloche::image
