// The formats that locks are exchanged in: what each holds, and that it gives back what it holds.
#include "lock/formats.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/json.h"
#include "core/testing.h"
#include "core/text.h"
#include "lock/check.h"
#include "lock/explicit.h"
#include "lock/testing.h"

namespace cloche::lock {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string written(const Lock& lock, std::string_view format, const ExportOptions& options = {}) {
  Diagnostics diagnostics;
  const auto text = find_format(format).value()->write(lock, options, diagnostics);
  EXPECT_TRUE(text.has_value()) << (text ? "" : text.error().to_string());
  return text.value_or("");
}

Result<Lock> read(std::string_view text, const ImportOptions& options = {}) {
  Diagnostics diagnostics;
  return import_lock(text, "some.lock", options, diagnostics);
}

Error refused(std::string_view text, const ImportOptions& options = {}) {
  const auto result = read(text, options);
  EXPECT_FALSE(result.has_value()) << text;
  return result ? Error{} : result.error();
}

// A lock with what every format holds: packages of both ecosystems, odd names, extras.
Lock rich_lock() {
  Lock lock = sample_lock();
  CondaPackage odd = {
      .record = sample_record("x264", "1!164.3095", {"python >=3.8", "python <4"}, "h166bdaf_2")};
  odd.record.build_number = 2;
  odd.record.file_name = "x264-1!164.3095-h166bdaf_2.tar.bz2";
  odd.record.url = odd.record.channel + "/linux-64/" + odd.record.file_name;
  odd.record.license = "GPL-2.0-or-later WITH GCC-exception-3.1 OR LicenseRef-x264";
  odd.record.track_features = {"x264_asm"};
  odd.record.extra_depends["tools"] = {"requests"};
  lock.conda.packages.push_back(odd);
  CondaPackage named = {.record = sample_record("_libgcc_mutex", "0.1", {}, "conda_forge")};
  named.record.license = "BSD 3-Clause";
  named.record.channel = "https://repo.example.org/our channel";
  lock.conda.packages.push_back(named);
  lock.conda.channels.push_back(
      {"https://repo.example.org/our channel", "https://repo.example.org/our channel"});
  lock.pypi.packages = {{.name = "torch",
                         .version = "2.3.1",
                         .url = "https://files.pythonhosted.org/packages/ab/torch-2.3.1.whl",
                         .sha256 = std::string(64, 'a'),
                         .requires_dist = {"typing-extensions >=4.8", "sympy ; extra == 'x'"},
                         .requires_python = ">=3.8"},
                        {.name = "typing-extensions",
                         .version = "4.12.2",
                         .url = "https://files.pythonhosted.org/packages/cd/typing_extensions.whl",
                         .sha256 = std::string(64, 'b')}};
  lock.base_image->digest = "sha256:" + std::string(64, 'c');
  sort(lock);
  set_reasons(lock);
  return lock;
}

// ---- the table

TEST(LockFormats, AreFoundByName) {
  EXPECT_EQ(find_format("pixi").value()->file_name, "pixi.lock");
  EXPECT_EQ(find_format("pixie").error().hint, "did you mean pixi?");
  EXPECT_THAT(find_format("zzzzzzzzz").error().hint, HasSubstr("conda-lock"));
}

TEST(LockFormats, AreDetectedByContent) {
  for (const Format& format : formats()) {
    EXPECT_EQ(detect_format(written(rich_lock(), format.name), "x").value()->name, format.name);
  }
  EXPECT_FALSE(detect_format("python=3.11\nnumpy\n", "x").has_value());
  EXPECT_FALSE(detect_format("", "x").has_value());
}

TEST(LockFormats, LookLikeThis) {
  for (const Format& format : formats()) {
    expect_golden(CLOCHE_TESTDATA, "formats/" + std::string(format.file_name),
                  written(rich_lock(), format.name));
  }
}

TEST(LockFormats, DoNotDependOnTheOrderOfThePackages) {
  Lock turned = rich_lock();
  std::ranges::reverse(turned.conda.packages);
  std::ranges::reverse(turned.pypi.packages);
  for (const Format& format : formats()) {
    EXPECT_EQ(written(turned, format.name), written(rich_lock(), format.name)) << format.name;
  }
}

TEST(LockFormats, SayWhatTheyCannotHold) {
  for (const Format& format : formats()) {
    Diagnostics diagnostics;
    ASSERT_TRUE(format.write(sample_lock(), {}, diagnostics).has_value());
    EXPECT_EQ(diagnostics.empty(), format.name == "cloche") << format.name;
  }
}

TEST(LockFormats, ABillOfMaterialsIsNoLock) {
  for (const auto* name : {"cyclonedx", "spdx"}) {
    EXPECT_EQ(refused(written(sample_lock(), name)).kind, ErrorKind::kUnsupported);
  }
}

TEST(LockFormats, AFileForAnotherPlatformIsRefused) {
  EXPECT_THAT(refused(written(sample_lock(), "cloche"), {.platform = "linux-aarch64"}).message,
              HasSubstr("the lock is for linux-64"));
  EXPECT_THAT(refused(written(sample_lock(), "explicit"), {.platform = "osx-64"}).message,
              HasSubstr("the lock is for linux-64"));
  EXPECT_THAT(refused(written(sample_lock(), "conda-lock"), {.platform = "osx-64"}).hint,
              HasSubstr("it is for linux-64"));
  EXPECT_THAT(refused(written(sample_lock(), "pixi"), {.platform = "osx-64"}).message,
              HasSubstr("nothing for osx-64"));
}

TEST(LockFormats, RefuseGarbageQuickly) {
  for (const Format& format : formats()) {
    Diagnostics diagnostics;
    for (const std::string& garbage :
         {std::string(1 << 20, '['), std::string(1 << 20, '\xff'), std::string(1 << 20, '\n'),
          std::string(std::size_t{17} << 20U, 'a')}) {
      if (format.read != nullptr) {
        EXPECT_FALSE(format.read(garbage, "x", {}, diagnostics).has_value()) << format.name;
      }
    }
  }
}

// ---- what comes back

TEST(PixiLock, GivesBackEverythingThatTheChannelSays) {
  const Lock lock = rich_lock();
  Diagnostics diagnostics;
  ASSERT_VALUE(again, import_lock(written(lock, "pixi"), "pixi.lock", {}, diagnostics));
  EXPECT_THAT(diagnostics.list(), IsEmpty());
  ASSERT_EQ(again.conda.packages.size(), lock.conda.packages.size());
  for (std::size_t i = 0; i < lock.conda.packages.size(); ++i) {
    EXPECT_EQ(again.conda.packages[i].record, lock.conda.packages[i].record);
    EXPECT_FALSE(again.conda.packages[i].incomplete);
  }
  EXPECT_EQ(again.conda.channels, lock.conda.channels);
  EXPECT_EQ(again.pypi.packages, lock.pypi.packages);
  EXPECT_TRUE(again.pypi.locked);
}

RC_GTEST_PROP(PixiLockProperty, GivesBackWhatItHolds, ()) {
  Lock lock = *any_lock();
  for (CondaPackage& package : lock.conda.packages) {
    package.record.file_name = package.record.url.substr(package.record.url.rfind('/') + 1);
    package.reason = {};
    package.incomplete = false;
    package.record.timestamp_ms += 1'000'000'000'000;  // smaller ones are read as seconds
  }
  Diagnostics diagnostics;
  const auto again = import_lock(written(lock, "pixi"), "pixi.lock", {}, diagnostics);
  if (!again) {
    RC_FAIL(again.error().to_string());
  }
  RC_ASSERT(again->conda.packages == lock.conda.packages);
  RC_ASSERT(again->pypi.packages.size() == lock.pypi.packages.size());
  RC_ASSERT(again->conda.channel_priority == lock.conda.channel_priority);
}

TEST(CondaLock, GivesBackPackagesHashesAndDependencies) {
  const Lock lock = rich_lock();
  Diagnostics diagnostics;
  ASSERT_VALUE(again, import_lock(written(lock, "conda-lock"), "conda-lock.yml", {}, diagnostics));
  EXPECT_THAT(diagnostics.list(), IsEmpty());
  ASSERT_EQ(again.conda.packages.size(), lock.conda.packages.size());
  for (std::size_t i = 0; i < lock.conda.packages.size(); ++i) {
    const conda::PackageRecord& now = again.conda.packages[i].record;
    const conda::PackageRecord& was = lock.conda.packages[i].record;
    EXPECT_EQ(now.url, was.url);
    EXPECT_EQ(now.sha256, was.sha256);
    EXPECT_EQ(now.md5, was.md5);
    EXPECT_EQ(now.version, was.version);
    EXPECT_TRUE(again.conda.packages[i].incomplete);
  }
  EXPECT_THAT(again.conda.packages.back().record.depends, ElementsAre("python >=3.8,<4"));
  EXPECT_EQ(again.pypi.packages[0].sha256, lock.pypi.packages[0].sha256);
  EXPECT_THAT(again.pypi.packages[0].requires_dist, ElementsAre("typing-extensions >=4.8"));
}

TEST(ExplicitFile, GivesBackWhatTheUrlsSay) {
  const Lock lock = rich_lock();
  for (const bool sha256 : {false, true}) {
    ASSERT_VALUE(again, read(written(lock, "explicit", {.sha256 = sha256})));
    ASSERT_EQ(again.conda.packages.size(), lock.conda.packages.size());
    for (std::size_t i = 0; i < lock.conda.packages.size(); ++i) {
      const conda::PackageRecord& now = again.conda.packages[i].record;
      const conda::PackageRecord& was = lock.conda.packages[i].record;
      EXPECT_EQ(now.url, was.url);
      EXPECT_EQ(now.name, was.name);
      EXPECT_EQ(now.version, was.version);
      EXPECT_EQ(now.build, was.build);
      EXPECT_EQ(now.subdir, was.subdir);
      EXPECT_EQ(now.noarch, was.noarch);
      EXPECT_EQ(now.sha256, sha256 ? was.sha256 : "");
      EXPECT_EQ(now.md5, sha256 ? "" : was.md5);
    }
  }
}

// Another set of eyes on the order: CEP 23 asks for dependencies first.
TEST(ExplicitFile, NamesDependenciesFirst) {
  const std::string text = written(sample_lock(), "explicit");
  EXPECT_LT(text.find("/openssl-"), text.find("/python-"));
  EXPECT_LT(text.find("/python-"), text.find("/certifi-"));
  EXPECT_LT(text.find("/certifi-"), text.find("/requests-"));
}

// ---- another reader

// PyYAML, which conda and conda-lock read with, must find the same names, texts and numbers.
TEST(LockFormats, PyYamlReadsTheSame) {
  const std::string script =
      "import json, sys, yaml\n"
      "print(json.dumps(yaml.safe_load(sys.stdin.read()), sort_keys=True))\n";
  Lock lock = rich_lock();
  for (const auto* odd : {"1.10", "0x1f", "1e3", "yes", "2024_01", "1:30"}) {
    lock.conda.packages.push_back({.record = sample_record(odd, "1.10", {"null"}, "1e3")});
  }
  sort(lock);
  const auto python = python_output(script, written(lock, "cloche"));
  if (!python) {
    GTEST_SKIP() << "no PyYAML here";
  }
  EXPECT_EQ(parse_json(*python).value().canonical(), to_json(lock).canonical());
  const Json conda_lock = parse_json(*python_output(script, written(lock, "conda-lock"))).value();
  ASSERT_EQ(conda_lock["package"].items().size(),
            lock.conda.packages.size() + lock.pypi.packages.size());
  EXPECT_EQ(conda_lock["package"].items()[0]["version"], Json("1.10"));
}

// ---- explicit files of others

constexpr std::string_view kUrl = "https://conda.anaconda.org/conda-forge/linux-64/";

std::string explicit_with(const std::string& line) {
  return "# platform: linux-64\n@EXPLICIT\n" + line + "\n";
}

TEST(ExplicitFile, ReadsEveryWayOfWritingAHash) {
  const std::string md5(32, 'a');
  const std::string sha(64, 'b');
  const std::string url = std::string(kUrl) + "zlib-1.3.1-hb9d3cd8_2.conda";
  const auto record = [&](const std::string& hash) {
    return read(explicit_with(url + hash)).value().conda.packages[0].record;
  };
  EXPECT_EQ(record("#" + md5).md5, md5);
  EXPECT_EQ(record("#" + to_upper(md5)).md5, md5);
  EXPECT_EQ(record("#" + sha).sha256, sha);
  EXPECT_EQ(record("#sha256:" + sha).sha256, sha);
  EXPECT_EQ(record("").md5, "");
  EXPECT_EQ(record("").build_number, 2);
  EXPECT_EQ(record("").channel, "https://conda.anaconda.org/conda-forge");
  EXPECT_THAT(refused(explicit_with(url + "#sha256:" + md5)).message, HasSubstr("neither an md5"));
  EXPECT_EQ(refused(explicit_with(url + "#abc")).at.line, 3);
}

TEST(ExplicitFile, LeavesCredentialsBehind) {
  ASSERT_VALUE(lock, read(explicit_with("https://ada:secret@host/t/tk-123/private/linux-64/"
                                        "a-1-0.conda?x=y")));
  EXPECT_EQ(lock.conda.packages[0].record.url, "https://host/private/linux-64/a-1-0.conda");
  EXPECT_EQ(lock.conda.channels[0].url, "https://host/private");
  EXPECT_THAT(refused(explicit_with("https://ada:secret@host/linux-64/a.conda")).to_string(),
              testing::Not(HasSubstr("'https://ada:secret")));
}

TEST(ExplicitFile, RefusesWhatIsNoExactPackage) {
  EXPECT_EQ(refused(explicit_with("~/pkgs/a-1-0.conda")).kind, ErrorKind::kUnsupported);
  EXPECT_EQ(refused(explicit_with("/pkgs/a-1-0.conda")).kind, ErrorKind::kUnsupported);
  EXPECT_EQ(refused(explicit_with("https://${TOKEN}/a-1-0.conda")).kind, ErrorKind::kUnsupported);
  EXPECT_EQ(refused(explicit_with("numpy=1.26")).kind, ErrorKind::kUnsupported);
  EXPECT_EQ(refused(explicit_with(std::string(kUrl) + "a-1.conda")).kind, ErrorKind::kInvalid);
  EXPECT_EQ(refused(explicit_with(std::string(kUrl) + "..-1-0.conda")).kind, ErrorKind::kInvalid);
  EXPECT_EQ(refused(explicit_with(std::string(kUrl) + "%2e%2e%2fa-1-0.conda")).kind,
            ErrorKind::kInvalid);
  const std::string one = std::string(kUrl) + "a-1-0.conda";
  EXPECT_THAT(refused(explicit_with(one + "\n" + one)).message, HasSubstr("first in line 3"));
  EXPECT_THAT(refused(explicit_with("https://h/c/osx-64/a-1-0.conda")).message,
              HasSubstr("the file is for linux-64"));
}

// ---- conda-lock files of others

std::string conda_lock_with(const std::string& packages) {
  return "version: 1\nmetadata:\n  content_hash:\n    linux-64: abc\n  channels:\n"
         "  - url: conda-forge\n    used_env_vars: []\n  platforms: [linux-64, osx-64]\n"
         "  sources: [environment.yml]\npackage:\n" +
         packages;
}

std::string conda_lock_entry(const std::string& name, const std::string& more = "",
                             const std::string& platform = "linux-64") {
  return "- name: " + name + "\n  version: 1.10\n  manager: conda\n  platform: " + platform +
         "\n  dependencies: {python: '>=3.8', __unix: ''}\n"
         "  url: https://conda.anaconda.org/conda-forge/linux-64/" +
         name + "-1.10-h0_1.conda\n  hash: {md5: " + std::string(32, 'a') +
         "}\n  optional: false\n" + more;
}

TEST(CondaLock, TakesOnePlatformAndTheCategoriesAskedFor) {
  const std::string text = conda_lock_with(conda_lock_entry("numpy", "  category: main\n") +
                                           conda_lock_entry("pytest", "  category: dev\n") +
                                           conda_lock_entry("numpy", "", "osx-64"));
  Diagnostics diagnostics;
  ASSERT_VALUE(lock, import_lock(text, "conda-lock.yml", {}, diagnostics));
  ASSERT_THAT(lock.conda.packages, SizeIs(1));
  const conda::PackageRecord& numpy = lock.conda.packages[0].record;
  EXPECT_EQ(numpy.version, "1.10");
  EXPECT_EQ(numpy.build_number, 1);
  EXPECT_THAT(numpy.depends, ElementsAre("python >=3.8", "__unix"));
  EXPECT_EQ(lock.conda.channels[0],
            (Channel{"conda-forge", "https://conda.anaconda.org/conda-forge"}));
  ASSERT_THAT(diagnostics.list(), SizeIs(1));
  EXPECT_THAT(diagnostics.list()[0].message, HasSubstr("1 packages of category 'dev'"));
  EXPECT_THAT(read(text, {.categories = {"main", "dev"}}).value().conda.packages, SizeIs(2));
}

TEST(CondaLock, NamesTheLineOfWhatIsWrong) {
  const Error twice = refused(conda_lock_with(conda_lock_entry("a") + conda_lock_entry("a")));
  EXPECT_THAT(twice.message, HasSubstr("a is locked twice"));
  EXPECT_EQ(twice.at.line, 19);
  std::string other = conda_lock_with(conda_lock_entry("a"));
  other.replace(other.find("/a-1.10"), 7, "/b-1.10");
  EXPECT_THAT(refused(other).message, HasSubstr("is that of b 1.10"));
  EXPECT_THAT(refused("version: 2\nmetadata: {}\npackage: []\n").message, HasSubstr("format 2"));
  EXPECT_EQ(refused("version: 2\nmetadata: {}\npackage: []\n").kind, ErrorKind::kUnsupported);
  EXPECT_THAT(refused(conda_lock_with("- name: a\n")).message, HasSubstr("has no 'version'"));
}

// ---- pixi.lock files of others

constexpr std::string_view kPixi5 = R"(version: 5
environments:
  default:
    channels:
    - url: https://conda.anaconda.org/conda-forge/
    indexes: [https://pypi.org/simple]
    packages:
      linux-64:
      - conda: https://conda.anaconda.org/conda-forge/noarch/tzdata-2024b-hc8b5060_3.conda
      - pypi: https://files.example.org/Flask_Cors-1.0-py3-none-any.whl
      - pypi: direct+https://example.org/click-8.1.7-py3-none-any.whl
      win-64:
      - conda: https://conda.anaconda.org/conda-forge/win-64/absent-1-0.conda
packages:
- kind: conda
  name: tzdata
  version: 2024b
  build: hc8b5060_3
  subdir: noarch
  noarch: generic
  url: https://conda.anaconda.org/conda-forge/noarch/tzdata-2024b-hc8b5060_3.conda
  sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  license: LicenseRef-Public-Domain
  purls: []
  size: 122354
  timestamp: 1728047496079
- kind: pypi
  name: Flask_Cors
  version: '1.0'
  url: https://files.example.org/Flask_Cors-1.0-py3-none-any.whl
  requires_dist: [flask >=0.9]
- kind: pypi
  name: click
  version: 8.1.7
  url: direct+https://example.org/click-8.1.7-py3-none-any.whl
  editable: false
)";

TEST(PixiLock, ReadsTheOlderForm) {
  Diagnostics diagnostics;
  ASSERT_VALUE(lock, import_lock(kPixi5, "pixi.lock", {}, diagnostics));
  EXPECT_THAT(diagnostics.list(), IsEmpty());
  ASSERT_THAT(lock.conda.packages, SizeIs(1));
  const conda::PackageRecord& tzdata = lock.conda.packages[0].record;
  EXPECT_EQ(tzdata.build_number, 0)
      << "absent is 0 here, and in version 6 what the build ends with";
  EXPECT_EQ(tzdata.noarch, conda::Noarch::kGeneric);
  EXPECT_EQ(tzdata.size_bytes, 122354U);
  ASSERT_THAT(lock.pypi.packages, SizeIs(2));
  EXPECT_EQ(lock.pypi.packages[0].url, "https://example.org/click-8.1.7-py3-none-any.whl");
  EXPECT_EQ(lock.pypi.packages[1].name, "flask-cors");
}

TEST(PixiLock, NamesWhatIsMissing) {
  EXPECT_THAT(refused(kPixi5, {.platform = "win-64"}).message, HasSubstr("does not hold https"));
  EXPECT_EQ(refused(kPixi5, {.environment = "test"}).kind, ErrorKind::kNotFound);
  EXPECT_THAT(refused(kPixi5, {.environment = "test"}).hint, HasSubstr("there is default"));
  EXPECT_EQ(refused("version: 8\nenvironments: {}\n").kind, ErrorKind::kUnsupported);
  EXPECT_EQ(refused("version: 3\nenvironments: {}\n").kind, ErrorKind::kUnsupported);
}

constexpr std::string_view kPixi7 = R"(version: 7
platforms:
- name: gpu-box
  subdir: linux-64
  virtual-packages: [__cuda >=12]
- name: win-64
environments:
  prod:
    channels:
    - url: https://conda.anaconda.org/conda-forge/
    options: {channel-priority: disabled}
    packages:
      gpu-box:
      - conda: https://conda.anaconda.org/conda-forge/linux-64/a-1.0-py311_4.conda
      win-64:
      - source: "mine[87dc0b8a] @ ."
packages:
- conda: https://conda.anaconda.org/conda-forge/linux-64/a-1.0-py311_4.conda
  sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  depends: [python]
  flags: [cuda]
  run_exports: {}
  novelty: 1
)";

TEST(PixiLock, ReadsTheNewestForm) {
  Diagnostics diagnostics;
  ASSERT_VALUE(lock, import_lock(kPixi7, "pixi.lock", {}, diagnostics));
  ASSERT_THAT(lock.conda.packages, SizeIs(1));
  EXPECT_EQ(lock.conda.packages[0].record.build_number, 4);
  EXPECT_THAT(lock.conda.packages[0].record.flags, ElementsAre("cuda"));
  EXPECT_EQ(lock.conda.channel_priority, ChannelPriority::kDisabled);
  ASSERT_THAT(diagnostics.list(), SizeIs(1));
  EXPECT_THAT(diagnostics.list()[0].message, HasSubstr("'novelty'"));
  EXPECT_EQ(refused(kPixi7, {.platform = "win-64"}).kind, ErrorKind::kUnsupported);
}

// ---- bills of materials

Json json_of(std::string_view format, const Lock& lock) {
  return parse_json(written(lock, format)).value();
}

TEST(CycloneDx, HoldsTogether) {
  const Json bom = json_of("cyclonedx", rich_lock());
  std::set<std::string> refs = {bom["metadata"]["component"].string_or_empty("bom-ref")};
  for (const Json& component : bom["components"].items()) {
    EXPECT_TRUE(refs.insert(component.string_or_empty("bom-ref")).second);
  }
  std::set<std::string> told;
  for (const Json& dependency : bom["dependencies"].items()) {
    EXPECT_TRUE(told.insert(dependency.string_or_empty("ref")).second);
    if (dependency.find("dependsOn") != nullptr) {
      for (const Json& ref : dependency["dependsOn"].items()) {
        EXPECT_TRUE(refs.contains(ref.as_string())) << ref.as_string();
      }
    }
  }
  EXPECT_EQ(told, refs);
}

TEST(CycloneDx, IsTheSameForTheSameLockOnly) {
  Lock other = rich_lock();
  other.conda.packages[0].record.build_number += 1;
  const auto serial = [](const Lock& lock) {
    return json_of("cyclonedx", lock).string_or_empty("serialNumber");
  };
  EXPECT_EQ(serial(rich_lock()), serial(rich_lock()));
  EXPECT_NE(serial(rich_lock()), serial(other));
  EXPECT_THAT(
      serial(rich_lock()),
      testing::MatchesRegex("urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}"
                            "-[0-9a-f]{12}"));
}

TEST(Spdx, HoldsTogether) {
  const Json bom = json_of("spdx", rich_lock());
  std::set<std::string> ids = {"SPDXRef-DOCUMENT"};
  for (const Json& package : bom["packages"].items()) {
    const std::string id = package.string_or_empty("SPDXID");
    EXPECT_TRUE(ids.insert(id).second) << id;
    EXPECT_THAT(id, testing::MatchesRegex("SPDXRef-[a-zA-Z0-9.-]+"));
    for (const auto* key :
         {"name", "downloadLocation", "licenseConcluded", "licenseDeclared", "copyrightText"}) {
      EXPECT_NE(package.string_or_empty(key), "") << id << " " << key;
    }
  }
  for (const Json& one : bom["relationships"].items()) {
    EXPECT_TRUE(ids.contains(one.string_or_empty("spdxElementId")));
    EXPECT_TRUE(ids.contains(one.string_or_empty("relatedSpdxElement")));
  }
}

TEST(Spdx, DefinesEveryLicenseOfItsOwn) {
  const Json bom = json_of("spdx", rich_lock());
  std::set<std::string> defined;
  for (const Json& one : bom["hasExtractedLicensingInfos"].items()) {
    defined.insert(one.string_or_empty("licenseId"));
  }
  EXPECT_TRUE(defined.contains("LicenseRef-x264"));
  EXPECT_EQ(defined.size(), 2U) << "BSD 3-Clause is no identifier";
  EXPECT_EQ(bom["creationInfo"].string_or_empty("created"), "2023-11-14T22:13:20Z");
}

}  // namespace
}  // namespace cloche::lock
