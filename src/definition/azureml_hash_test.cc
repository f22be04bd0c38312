#include "definition/azureml_hash.h"

#include <gtest/gtest.h>

#include "core/testing.h"

// The expected values were computed with Python's hashlib and PyYAML 6.0 by the formulas of the
// client:
//
//   M = lambda text: hashlib.md5(text.encode()).hexdigest()
//   image:            M(M(image))
//   image and conda:  M(M(image).join(M(yaml.dump(yaml.safe_load(conda), sort_keys=True))))
//   directory:        h = hashlib.md5(b"Initialize for october 2021 AML CLI version"), then
//                     h.update(part) for each name and content in their order
//   build context:    M(M(h)), or M(M(h).join(M(dockerfile_path)))
namespace cloche::definition {
namespace {

constexpr const char* kImage = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04";

std::string version(const Environment& environment, const std::string& conda, FileSource& files) {
  const auto out = azureml_anonymous_version(environment, conda, files);
  return out.has_value() ? *out : out.error().message;
}

Environment with_image() {
  Environment out;
  out.definition.base = ImageBase{kImage, {}};
  return out;
}

Environment with_context(const std::string& root, const std::string& dockerfile_path) {
  BuildContextBase context;
  context.root = root;
  context.dockerfile_path = dockerfile_path;
  Environment out;
  out.definition.base = context;
  return out;
}

MemoryFiles tree() {
  MemoryFiles files;
  files.add("ctx/B/d.txt", "two").add("ctx/a.txt", "one").add("ctx/B/c.txt", "three");
  return files;
}

TEST(AzuremlAnonymousVersion, IsTheClientsForAnImage) {
  MemoryFiles files;
  EXPECT_EQ(version(with_image(), "", files), "ee3a4615e26f8a8f850b71792894b235");
}

TEST(AzuremlAnonymousVersion, IsTheClientsForAnImageAndACondaFile) {
  MemoryFiles files;
  const std::string conda =
      "name: env\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.10\n  - pip:\n      - "
      "numpy==1.26\n";
  EXPECT_EQ(version(with_image(), conda, files), "7ed59c5266a189bc9196c037a1b81cb0");
  // Comments, key order and quoting are not part of it.
  EXPECT_EQ(version(with_image(),
                    "# mine\ndependencies: [\"python=3.10\", {pip: ['numpy==1.26']}]\n"
                    "channels: [conda-forge]\nname: env\n",
                    files),
            "7ed59c5266a189bc9196c037a1b81cb0");
  EXPECT_EQ(version(with_image(), "# nothing\n", files), "ee3a4615e26f8a8f850b71792894b235");
}

TEST(AzuremlAnonymousVersion, IsTheClientsForABuildContext) {
  MemoryFiles files = tree();
  EXPECT_EQ(version(with_context("ctx", "Dockerfile"), "", files),
            "9aa93b00dba730be304026b05441320d");
  EXPECT_EQ(version(with_context("./ctx/", "prod/Dockerfile"), "", files),
            "0e9892921ea083dd3ca7fb77799a3289");
}

TEST(AzuremlAnonymousVersion, SaysWhatHasNone) {
  MemoryFiles files;
  Environment apt = with_image();
  apt.definition.apt = AptSection{{{"git", {}}}};
  Environment inference = with_image();
  inference.definition.inference = InferenceConfig{};
  Environment remote = with_context("", "Dockerfile");
  Environment dockerfile;
  dockerfile.definition.base = DockerfileBase{"FROM scratch\n", {}};
  for (const Environment& one : {apt, inference, remote, dockerfile}) {
    const auto out = azureml_anonymous_version(one, "", files);
    ASSERT_FALSE(out.has_value());
    EXPECT_EQ(out.error().kind, ErrorKind::kUnsupported);
  }
  EXPECT_EQ(version(with_image(), "- a\n", files), "the conda file is a list, not a mapping");
}

TEST(AzuremlDirectoryHash, TakesNamesAndContentsInTheOrderOfLoweredNames) {
  MemoryFiles files = tree();
  ASSERT_VALUE(hash, azureml_directory_hash("ctx", files));
  EXPECT_EQ(hash, "19002db09d709e19e7f09716ecbb1557");
}

TEST(AzuremlDirectoryHash, LeavesOutWhatTheIgnoreFileNames) {
  MemoryFiles files = tree();
  files.add("ctx/.amlignore", "B/\n*.log\n!keep.log\n");
  files.add("ctx/.gitignore", "*\n");  // .amlignore wins; it is itself ignored by nothing
  files.add("ctx/debug.log", "x").add("ctx/keep.log", "k");
  files.remove("ctx/.gitignore");
  ASSERT_VALUE(hash, azureml_directory_hash("ctx", files));
  EXPECT_EQ(hash, "130ceed3dc5c9602f3d22f8244a8bf41");
}

TEST(AzuremlDirectoryHash, PrefersAmlignore) {
  MemoryFiles both = tree();
  both.add("ctx/.amlignore", ".gitignore\n").add("ctx/.gitignore", "*\n");
  MemoryFiles one = tree();
  one.add("ctx/.amlignore", ".gitignore\n");
  ASSERT_VALUE(with_both, azureml_directory_hash("ctx", both));
  ASSERT_VALUE(with_one, azureml_directory_hash("ctx", one));
  EXPECT_EQ(with_both, with_one);
}

TEST(AzuremlDirectoryHash, FollowsLinks) {
  MemoryFiles files;
  files.add("ctx/real.txt", "one").add_link("ctx/link", "real.txt").add_link("ctx/broken", "gone");
  ASSERT_VALUE(hash, azureml_directory_hash("ctx", files));
  EXPECT_EQ(hash, "29a9332fa25ec93de63380dcd721f73e");
}

TEST(AzuremlDirectoryHash, RefusesALinkThatLeadsBack) {
  MemoryFiles files;
  files.add("ctx/a/b", "one").add_link("ctx/a/up", "../a");
  const auto hash = azureml_directory_hash("ctx", files);
  ASSERT_FALSE(hash.has_value());
  EXPECT_EQ(hash.error().kind, ErrorKind::kInvalid);
  EXPECT_FALSE(azureml_directory_hash("nowhere", files).has_value());
}

}  // namespace
}  // namespace cloche::definition
