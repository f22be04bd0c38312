#include "source/conda/repodata_parser.h"

#include <chrono>
#include <cstring>
#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"
#include "core/text.h"
#include "source/conda/repodata_testing.h"

namespace cloche::source {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

RepodataIndex parsed(std::string_view json, std::string_view subdir = "linux-64") {
  auto bytes = index_bytes(json, std::size_t{512} << 10U, subdir);
  EXPECT_TRUE(bytes.has_value()) << (bytes ? "" : bytes.error().to_string()) << "\n" << json;
  return RepodataIndex::from_bytes(bytes ? *bytes : index_bytes("{}").value()).value();
}

// The one record of a document whose "packages.conda" has these fields beside its name.
conda::PackageRecord record_with(const std::string& fields) {
  const RepodataIndex index =
      parsed(R"({"packages.conda": {"a-1-0.conda": {"name": "a", "version": "1", "build": "0")" +
             (fields.empty() ? "" : ", " + fields) + "}}}");
  EXPECT_EQ(index.records().size(), 1U) << fields;
  return index.records().empty() ? conda::PackageRecord() : all_records(index).front();
}

Error error_of(std::string_view json) {
  const auto bytes = index_bytes(json);
  EXPECT_FALSE(bytes.has_value()) << json;
  return bytes ? Error() : bytes.error();
}

void expect_corrupt(std::string_view json) {
  EXPECT_EQ(error_of(json).kind, ErrorKind::kCorrupt) << json;
}

std::vector<std::string> file_names(const RepodataIndex& index) {
  std::vector<std::string> out;
  for (const conda::PackageRecord& record : all_records(index)) {
    out.push_back(record.file_name);
  }
  return out;
}

TEST(ParseRepodata, ReadsEveryFieldOfARecord) {
  const RepodataIndex index = parsed(R"({
    "info": {"subdir": "linux-64"},
    "packages": {},
    "packages.conda": {
      "python-3.13.1-h1_2_cp313.conda": {
        "arch": "x86_64", "build": "h1_2_cp313", "build_number": 2,
        "constrains": ["python_abi 3.13.* *_cp313"], "depends": ["__glibc >=2.17", "libzlib"],
        "license": "Python-2.0", "license_family": "PSF", "md5": "000102030405060708090A0b0c0d0e0f",
        "name": "python", "platform": "linux", "python_site_packages_path": "lib/python3.13t",
        "sha256": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "size": 31581682, "subdir": "linux-64", "timestamp": 1733433493834, "version": "3.13.1",
        "track_features": ["py_freethreading"], "flags": ["blas:mkl"], "noarch": "python"
      }
    },
    "removed": ["x-1-0.tar.bz2"], "repodata_version": 1
  })");
  ASSERT_EQ(index.records().size(), 1U);
  EXPECT_EQ(index.name(0), "python");
  const conda::PackageRecord record = all_records(index).front();
  conda::PackageRecord wanted;
  wanted.name = "python";
  wanted.version = "3.13.1";
  wanted.build = "h1_2_cp313";
  wanted.build_number = 2;
  wanted.channel = "https://host/channel";
  wanted.subdir = "linux-64";
  wanted.file_name = "python-3.13.1-h1_2_cp313.conda";
  wanted.url = "https://host/channel/linux-64/python-3.13.1-h1_2_cp313.conda";
  wanted.size_bytes = 31581682;
  wanted.md5 = "000102030405060708090a0b0c0d0e0f";
  wanted.sha256 = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  wanted.depends = {"__glibc >=2.17", "libzlib"};
  wanted.constrains = {"python_abi 3.13.* *_cp313"};
  wanted.track_features = {"py_freethreading"};
  wanted.flags = {"blas:mkl"};
  wanted.noarch = conda::Noarch::kPython;
  wanted.python_site_packages_path = "lib/python3.13t";
  wanted.license = "Python-2.0";
  wanted.license_family = "PSF";
  wanted.timestamp_ms = 1733433493834;
  EXPECT_EQ(record, wanted);
}

TEST(ParseRepodata, TakesAnEmptyFileAsAnEmptyChannel) {
  for (const char* empty : {"", " \n", "{}", " {\t} ", R"({"packages": null, "v3": null})",
                            R"({"packages": {}, "packages.conda": { } })", R"({"info": null})"}) {
    const RepodataIndex index = parsed(empty);
    EXPECT_EQ(index.records().size(), 0U) << empty;
    EXPECT_EQ(index.subdir(), "linux-64");
  }
}

TEST(ParseRepodata, ReadsV3AndPassesOverArchivesItDoesNotKnow) {
  const RepodataIndex index = parsed(R"({
    "repodata_version": 1,
    "info": {"subdir": "noarch", "repodata_revisions": {"v3": {"message": "}}", "n_packages": 3}}},
    "v3": {
      "whl": {"c-1-0": {"name": "c", "version": "1", "build": "0", "depends": [{"odd": "}"}]}},
      "conda": {"a-3-0": {"name": "a", "version": "3", "build": "0",
        "depends": ["package[version=2,build_number=0,when=\"__unix\"]"],
        "extra_depends": {"test": ["t1", "t2"], "docs": [], "x\"y": ["z"]}, "flags": ["cuda"]}},
      "tar.bz2": {"b-1-0": {"name": "b", "version": "1", "build": "0"}}
    }})",
                                     "noarch");
  EXPECT_THAT(file_names(index), ElementsAre("a-3-0.conda", "b-1-0.tar.bz2"));
  const conda::PackageRecord record = all_records(index).front();
  EXPECT_THAT(record.depends, ElementsAre("package[version=2,build_number=0,when=\"__unix\"]"));
  EXPECT_EQ(record.extra_depends, (std::map<std::string, std::vector<std::string>>{
                                      {"test", {"t1", "t2"}}, {"docs", {}}, {"x\"y", {"z"}}}));
  EXPECT_THAT(record.flags, ElementsAre("cuda"));
  EXPECT_EQ(record.subdir, "noarch");
}

TEST(ParseRepodata, KeepsTheCondaArchiveOfTheSameBuild) {
  const std::string a = R"({"name": "a", "version": "1", "build": "0", "size": )";
  for (const std::string& json : {R"({"packages": {"a-1-0.tar.bz2": )" + a +
                                      R"(1}}, "packages.conda": {"a-1-0.conda": )" + a + "2}}}",
                                  R"({"packages.conda": {"a-1-0.conda": )" + a +
                                      R"(2}}, "packages": {"a-1-0.tar.bz2": )" + a + "1}}}"}) {
    const RepodataIndex index = parsed(json);
    EXPECT_THAT(file_names(index), ElementsAre("a-1-0.conda"));
    EXPECT_EQ(all_records(index).front().size_bytes, 2U);
  }
  EXPECT_THAT(file_names(parsed(R"({"packages": {
      "a-1-0.tar.bz2": {"name": "a", "version": "1", "build": "0"},
      "a-1-1.tar.bz2": {"name": "a", "version": "1", "build": "1"},
      "a-1.0-0.tar.bz2": {"name": "a", "version": "1.0", "build": "0"}}})")),
              ElementsAre("a-1-0.tar.bz2", "a-1-1.tar.bz2", "a-1.0-0.tar.bz2"));
}

TEST(ParseRepodata, ReadsTimesInSecondsAndMilliseconds) {
  EXPECT_EQ(record_with(R"("timestamp": 1518127463)").timestamp_ms, 1518127463000);
  EXPECT_EQ(record_with(R"("timestamp": 1733433493834)").timestamp_ms, 1733433493834);
  EXPECT_EQ(record_with(R"("timestamp": 1733433493834.0)").timestamp_ms, 1733433493834);
  EXPECT_EQ(record_with(R"("timestamp": 253402300799)").timestamp_ms, 253402300799000);
  EXPECT_EQ(record_with(R"("timestamp": 253402300800)").timestamp_ms, 253402300800);
  EXPECT_EQ(record_with(R"("timestamp": 0)").timestamp_ms, 0);
  EXPECT_EQ(record_with(R"("timestamp": -5)").timestamp_ms, 0);
  EXPECT_EQ(record_with(R"("timestamp": 1e300)").timestamp_ms, 0);
  EXPECT_EQ(record_with(R"("timestamp": null)").timestamp_ms, 0);
}

TEST(ParseRepodata, ReadsTrackFeaturesAsWordsOrAsAList) {
  EXPECT_THAT(record_with(R"("track_features": "mkl  debug ")").track_features,
              ElementsAre("mkl", "debug"));
  EXPECT_THAT(record_with(R"("track_features": ["mkl", "debug"])").track_features,
              ElementsAre("mkl", "debug"));
  for (const char* none : {R"("track_features": "")", R"("track_features": null)",
                           R"("track_features": [])", R"("track_features": " ")"}) {
    EXPECT_TRUE(record_with(none).track_features.empty()) << none;
  }
}

TEST(ParseRepodata, ReadsNoarch) {
  EXPECT_EQ(record_with(R"("noarch": true)").noarch, conda::Noarch::kGeneric);
  EXPECT_EQ(record_with(R"("noarch": false)").noarch, conda::Noarch::kNone);
  EXPECT_EQ(record_with(R"("noarch": "generic")").noarch, conda::Noarch::kGeneric);
  EXPECT_EQ(record_with(R"("noarch": "python")").noarch, conda::Noarch::kPython);
  EXPECT_EQ(record_with(R"("noarch": null)").noarch, conda::Noarch::kNone);
}

TEST(ParseRepodata, TakesNullForWhatIsNotKnown) {
  conda::PackageRecord plain = record_with("");
  EXPECT_EQ(record_with(R"("depends": null, "constrains": null, "license": null, "md5": null,
                           "sha256": null, "size": null, "license_family": null, "flags": null,
                           "extra_depends": null, "python_site_packages_path": null,
                           "build_number": null, "features": null, "url": null)"),
            plain);
}

TEST(ParseRepodata, ReadsEscapesInTextsAndKeys) {
  EXPECT_EQ(record_with(R"("license": "a\"b\\c\u00e9\n")").license, "a\"b\\c\xc3\xa9\n");
  EXPECT_THAT(record_with(R"("\u0064epends": ["caf\u00e9", "x\/y"])").depends,
              ElementsAre("caf\xc3\xa9", "x/y"));
  EXPECT_THAT(record_with(R"("a\"}": 1, "depends": ["b"], "\\": {"depends": ["c"]})").depends,
              ElementsAre("b"));
  const RepodataIndex index = parsed(
      R"({"pack\u0061ges": {"\u00e9-1-0.tar.bz2": {"name": "a", "version": "1", "build": "0"}}})");
  EXPECT_THAT(file_names(index), ElementsAre("\xc3\xa9-1-0.tar.bz2"));
}

TEST(ParseRepodata, PassesOverKeysItDoesNotKnow) {
  EXPECT_EQ(record_with(R"("x": [{"depends": ["no"]}, [[]], "}},{", 1e5, true, null],
                           "": "", "namespace": {"name": "no", "a": {"b": {}}},
                           "a-very-long-key-that-nobody-has-ever-thought-of-before": "\\\"}")"),
            record_with(""));
  EXPECT_THAT(file_names(parsed(R"({"x": {"packages": {"no": [{}]}}, "y": "}}", "z": -1.5e3,
                                "signatures": {"a": {"b": {"signature": "{[\\\""}}}, "t": true,
      "packages": {"a-1-0.tar.bz2": {"name": "a", "version": "1", "build": "0"}}, "n": null})")),
              ElementsAre("a-1-0.tar.bz2"));
}

TEST(ParseRepodata, ReadsTheSectionsInAnyOrder) {
  EXPECT_THAT(file_names(parsed(R"({
      "v3": {"conda": {"c-1-0": {"name": "c", "version": "1", "build": "0"}}},
      "packages.conda": {"b-1-0.conda": {"version": "1", "build": "0", "name": "b"}},
      "repodata_version": 2,
      "packages": {"a-1-0.tar.bz2": {"build": "0", "name": "a", "version": "1"}},
      "info": {"subdir": "linux-64"}})")),
              ElementsAre("a-1-0.tar.bz2", "b-1-0.conda", "c-1-0.conda"));
}

TEST(ParseRepodata, RefusesAnObjectOfPackagesThatStandsThereTwice) {
  expect_corrupt(R"({"packages": {}, "packages": {}})");
  expect_corrupt(R"({"v3": {"conda": {}}, "v3": {"conda": {}}})");
}

TEST(ParseRepodata, KnowsTheDocumentsVersions) {
  for (const char* known : {"0", "1", "2", "null"}) {
    parsed(std::string(R"({"repodata_version": )") + known + "}");
    parsed(std::string(R"({"info": {"repodata_version": )") + known + "}}");
  }
  for (const char* json : {R"({"repodata_version": 3})", R"({"info": {"repodata_version": 99}})"}) {
    EXPECT_EQ(error_of(json).kind, ErrorKind::kUnsupported) << json;
  }
  expect_corrupt(R"({"repodata_version": "two"})");
}

TEST(ParseRepodata, TakesTheSubdirFromTheDocumentAndRefusesAnother) {
  EXPECT_EQ(parsed(R"({"info": {"subdir": "noarch"}})", "").subdir(), "noarch");
  EXPECT_EQ(parsed(R"({"info": {}})", "noarch").subdir(), "noarch");
  EXPECT_EQ(parsed(R"({"info": {"subdir": null}})", "noarch").subdir(), "noarch");
  const Error error = error_of(R"({"info": {"subdir": "win-64"}})");
  EXPECT_EQ(error.kind, ErrorKind::kCorrupt);
  EXPECT_THAT(error.message, HasSubstr("win-64"));
  expect_corrupt(R"({"info": {"subdir": 64}})");
}

TEST(ParseRepodata, UsesTheBaseUrl) {
  const RepodataIndex index = parsed(R"({"packages": {
      "a-1-0.tar.bz2": {"name": "a", "version": "1", "build": "0"}},
      "info": {"base_url": "https://files.host/linux-64/"}, "repodata_version": 2})");
  EXPECT_EQ(index.base_url(), "https://files.host/linux-64/");
  EXPECT_EQ(all_records(index).front().url, "https://files.host/linux-64/a-1-0.tar.bz2");
  expect_corrupt(R"({"info": {"base_url": ["https://x"]}})");
}

TEST(ParseRepodata, KeepsFileNamesThatAreNotMadeOfTheRecord) {
  const RepodataIndex index = parsed(R"({"packages.conda": {
      "odd.conda": {"name": "a", "version": "1", "build": "0"}}})");
  EXPECT_THAT(file_names(index), ElementsAre("odd.conda"));
  expect_corrupt(R"({"packages": {"../x-1-0.tar.bz2": {"name": "x", "version": "1"}}})");
  expect_corrupt(R"({"packages": {"..\/x-1-0.tar.bz2": {"name": "x", "version": "1"}}})");
}

TEST(ParseRepodata, RefusesRecordsOfAnotherShapeByName) {
  for (const char* fields :
       {R"("size": "big")", R"("build_number": -1)", R"("build_number": 1.5)",
        R"("size": 99999999999999999999999)", R"("depends": "b")", R"("depends": [1])",
        R"("depends": {"a": 1})", R"("depends": [null])", R"("md5": "xyz")", R"("name": 5)",
        R"("version": null)", R"("extra_depends": ["a"])", R"("timestamp": 1e999)"}) {
    const Error error = error_of(std::string(R"({"packages": {"a-1-0.tar.bz2": {"name": "a",
      "version": "1", "build": "0", )") +
                                 fields + "}}}");
    EXPECT_EQ(error.kind, ErrorKind::kCorrupt) << fields;
    EXPECT_THAT(error.message, HasSubstr("a-1-0.tar.bz2")) << fields;
  }
  expect_corrupt(R"({"packages": {"a-1-0.tar.bz2": {"version": "1", "build": "0"}}})");
  expect_corrupt(R"({"packages": {"a-1-0.tar.bz2": {"name": "a", "build": "0"}}})");
  expect_corrupt(R"({"packages": {"a-1-0.tar.bz2": "a"}})");
  expect_corrupt(R"({"packages": []})");
  expect_corrupt(R"({"packages": nothing})");
}

TEST(ParseRepodata, RefusesWhatIsNoJson) {
  using namespace std::string_view_literals;
  for (const std::string_view json :
       {"[]"sv,
        "x"sv,
        "\0"sv,
        "\0\0\0\0"sv,
        "{}\0"sv,
        "{}x"sv,
        "{} {}"sv,
        "\xef\xbb\xbf{}"sv,
        R"({"a"})"sv,
        R"({"a":})"sv,
        R"({"a": foo})"sv,
        R"({"a": [})"sv,
        R"({"a": [}])"sv,
        R"({"a": 1,})"sv,
        R"({,})"sv,
        R"({a: 1})"sv,
        R"({"a": "b"c})"sv,
        R"({"a": 1 "b": 2})"sv,
        R"({"packages": {"a-1-0.tar.bz2": {"name": "a", "version": "1"},}})"sv,
        R"({"packages": {"a-1-0.tar.bz2": {"name": "a", "version": "1",}}})"sv,
        R"({"packages": {"a-1-0.tar.bz2": {"name": "a" "version": "1"}}})"sv,
        R"({"packages": {"a-1-0.tar.bz2": {"name": "a", "version": "1"}]})"sv,
        R"({"packages": {"a-1-0.tar.bz2": {"name": "a", "version": "1", "x": "\q"}, }})"sv,
        "{\"packages\": {\"a-1-0.tar.bz2\": {\"name\": \"a\xff\", \"version\": \"1\"}}}"sv,
        "{\"packages\": {\"a-1-0.tar.bz2\": {\"name\": \"a\0\", \"version\": \"1\"}}}"sv}) {
    EXPECT_EQ(error_of(json).kind, ErrorKind::kCorrupt) << printable(json);
  }
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

TEST(ParseRepodata, RefusesMuchGarbageAtOnce) {
  const std::size_t size = std::size_t{256} << 10U;
  const std::string record = R"({"packages": {"a": )";
  std::vector<std::string> all;
  for (const char* one :
       {"\"", "{", "[", "}", "{\"a\":", "[\"", "\\", "{\"a\":[", "a", " ", "1", ",", "\"a\":{},"}) {
    std::string garbage;
    while (garbage.size() < size) {
      garbage += one;
    }
    if (*one != ' ') {
      all.push_back(garbage);
    }
    all.push_back(record + garbage);
    all.push_back(record.substr(0, record.size() - 5) + garbage);
    all.push_back(R"({"x": )" + garbage);
    all.push_back(R"({"packages": {"a": {"x": ")" + garbage);
  }
  for (const std::string& garbage : all) {
    const double before = cpu_seconds();
    EXPECT_EQ(error_of(garbage).kind, ErrorKind::kCorrupt) << garbage.substr(0, 60);
    EXPECT_LT(cpu_seconds() - before, 1.5) << garbage.substr(0, 60);
  }
}

// --- windows -------------------------------------------------------------------------------------

// Braces, commas and quotes in texts, nested objects, several sections.
constexpr std::string_view kTricky = R"({
  "info": {"subdir": "linux-64", "x": "}}"}, "packages": {
    "a-1-0.tar.bz2": {"x": {"y": {"z": "}},{"}}, "name": "a", "version": "1", "build": "0"},
    "b-1-0.tar.bz2":{"name":"b","license":"\"},\"c-1-0.tar.bz2\":{","version":"1","build":"0",
       "depends":["a {","}","\\","\\\"}"]} ,
    "c-1-0.tar.bz2": {"extra_depends": {"e": ["}"], "f": []}, "name": "c", "version": "1",
                      "build": "}", "x": [{}, {}, [{}]]},"d-1-0.tar.bz2":{"name":"d","version":"1"}
  }, "y": {"packages": {"q": {}}}, "packages.conda": {"a-1-0.conda":
    {"name": "a", "version": "1", "build": "0", "depends": ["a {", "}"]}
  },"v3":{"conda":{"e-1-0":{"name":"e","version":"1","build":"0","extra_depends":{"}":["{"]}}},
  "tar.bz2":{}, "whl": {"}": {"name": "}"}}}, "removed": ["}", "\"}"]
})";

TEST(ParseRepodata, GivesTheSameRecordsWhereverTheWindowIsCut) {
  const auto whole = index_bytes(kTricky);
  ASSERT_TRUE(whole.has_value()) << whole.error().to_string();
  EXPECT_THAT(
      file_names(RepodataIndex::from_bytes(*whole).value()),
      ElementsAre("a-1-0.conda", "b-1-0.tar.bz2", "c-1-0.tar.bz2", "d-1-0.tar.bz2", "e-1-0.conda"));
  const auto records = all_records(RepodataIndex::from_bytes(*whole).value());
  for (std::size_t window = 1; window <= kTricky.size() + 2; ++window) {
    const auto bytes = index_bytes(kTricky, window);
    ASSERT_TRUE(bytes.has_value()) << window << " " << bytes.error().to_string();
    ASSERT_EQ(all_records(RepodataIndex::from_bytes(*bytes).value()), records) << window;
  }
}

TEST(ParseRepodata, RefusesADocumentThatIsCutAnywhere) {
  for (std::size_t size = 1; size < kTricky.size(); ++size) {
    for (const std::size_t window : {std::size_t{32}, std::size_t{300}, std::size_t{1} << 20U}) {
      const auto bytes = index_bytes(kTricky.substr(0, size), window);
      ASSERT_FALSE(bytes.has_value()) << size;
      ASSERT_EQ(bytes.error().kind, ErrorKind::kCorrupt) << size;
    }
  }
}

TEST(ParseRepodata, ReadsARecordThatIsBiggerThanTheWindow) {
  std::string json = R"({"packages": {"a-1-0.tar.bz2": {"name": "a", "version": "1", "depends": [)";
  for (int i = 0; i < 20000; ++i) {
    json += (i > 0 ? ",\"}d" : "\"}d") + std::to_string(i) + "\"";
  }
  json += "]}}}";
  const auto bytes = index_bytes(json, 1000);
  ASSERT_TRUE(bytes.has_value()) << bytes.error().to_string();
  EXPECT_EQ(all_records(RepodataIndex::from_bytes(*bytes).value()).front().depends.size(), 20000U);
}

TEST(ParseRepodata, RefusesARecordThatIsFarTooBig) {
  const std::string json =
      R"({"packages": {"a-1-0.tar.bz2": {"name": "a", "version": "1", "x": ")" +
      std::string(std::size_t{9} << 20U, 'x') + "\"}}}";
  const double before = cpu_seconds();
  expect_corrupt(json);
  EXPECT_LT(cpu_seconds() - before, 2);
}

std::string any_text() {
  static const std::vector<std::string> kPieces = {
      "a", "}", "{", "},", "]", "[", ":", ",", "\\\"", "\\\\", "\\u0041", " ", "\xc3\xa9"};
  std::string out;
  for (int i = *rc::gen::inRange(0, 6); i > 0; --i) {
    out += *rc::gen::elementOf(kPieces);
  }
  return "\"" + out + "\"";
}

std::string any_value(int depth) {
  const int kind = *rc::gen::inRange(0, depth > 0 ? 5 : 3);
  if (kind < 2) {
    return any_text();
  }
  if (kind == 2) {
    return *rc::gen::elementOf(std::vector<std::string>{"1", "-2.5", "true", "null", "{}", "[ ]"});
  }
  std::string out;
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    out += (out.empty() ? "" : ", ") + (kind == 3 ? any_text() + ": " : "") + any_value(depth - 1);
  }
  return kind == 3 ? "{" + out + "}" : "[" + out + "]";
}

std::string any_record(int number) {
  std::string out = "\"f" + std::to_string(number) + ".conda\" : {";
  if (*rc::gen::arbitrary<bool>()) {
    out += "\"zz\":" + any_value(3) + ",";
  }
  out += "\"name\": \"n" + std::to_string(number % 3) + "\",\"version\":\"" +
         std::to_string(number) + "\"";
  if (*rc::gen::arbitrary<bool>()) {
    out += ", \"depends\": [" + any_text() + "," + any_text() + "]";
  }
  if (*rc::gen::arbitrary<bool>()) {
    out += ",\"extra_depends\":{" + any_text() + ":[" + any_text() + "]}";
  }
  return out + "}";
}

std::string any_document() {
  std::string out = "{";
  int number = 0;
  for (const char* section : {"\"packages\"", "\"other\"", "\"packages.conda\""}) {
    out += std::string(out.size() > 1 ? "," : "") + section + ": {";
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
      out += any_record(number++) + (i > 1 ? ",\n" : "");
    }
    out += "}";
  }
  return out + "}";
}

RC_GTEST_PROP(ParseRepodataProperty, WindowsDoNotMatter, ()) {
  const std::string json = any_document();
  const auto whole = index_bytes(json);
  RC_LOG() << json << "\n" << (whole ? "" : whole.error().to_string());
  RC_ASSERT(whole.has_value());
  const auto records = all_records(RepodataIndex::from_bytes(*whole).value());
  for (std::size_t window = 1; window < json.size() + 1; window += *rc::gen::inRange(1, 40)) {
    const auto bytes = index_bytes(json, window);
    RC_LOG() << "window " << window << " " << (bytes ? "" : bytes.error().to_string()) << "\n";
    RC_ASSERT(bytes.has_value());
    RC_ASSERT(all_records(RepodataIndex::from_bytes(*bytes).value()) == records);
  }
}

RC_GTEST_PROP(ParseRepodataProperty, DamageIsRefusedOrHarmless, ()) {
  std::string json = any_document();
  for (int i = *rc::gen::inRange(1, 4); i > 0; --i) {
    json[*rc::gen::inRange<std::size_t>(0, json.size())] =
        *rc::gen::elementOf(std::string("{}[],:\"\\ \0x1\xff", 13));
  }
  for (const std::size_t window : {std::size_t{16}, std::size_t{1} << 20U}) {
    const auto bytes = index_bytes(json, window);
    if (bytes) {
      touch_everything(RepodataIndex::from_bytes(*bytes).value());
    } else {
      RC_ASSERT(bytes.error().kind == ErrorKind::kCorrupt);
    }
  }
}

// --- real repodata -------------------------------------------------------------------------------

// One record in eight is compared: about 3,700, of all shapes that there are.
constexpr std::uint64_t kOneIn = 8;

// Prints what conda's rules make of the document on standard input: an array for each record whose
// size is a multiple of kOneIn.
constexpr const char* kJudge = R"(
import json, sys
document = json.loads(sys.stdin.buffer.read())
subdir = document["info"]["subdir"]
records = {}
for section, ending in (("packages", ".tar.bz2"), ("packages.conda", ".conda")):
    for file, r in document.get(section, {}).items():
        records[file[:-len(ending)]] = (file, r)
lines = []
for file, r in records.values():
    if (r.get("size") or 0) % 8:
        continue
    features = r.get("track_features") or []
    if isinstance(features, str):
        features = features.split()
    time = r.get("timestamp") or 0
    noarch = r.get("noarch") or ""
    lines.append(json.dumps([
        file, r["name"], r["version"], r["build"], r["build_number"], subdir, r.get("size") or 0,
        r.get("md5") or "", r.get("sha256") or "", r.get("depends") or [], r.get("constrains") or [],
        features, "generic" if noarch is True else noarch, r.get("python_site_packages_path") or "",
        r.get("license") or "", r.get("license_family") or "",
        int(time * 1000 if time <= 253402300799 else time)],
        ensure_ascii=False, separators=(",", ":")))
sys.stdout.buffer.write("\n".join(sorted(lines)).encode())
)";

void expect_as_python_reads(const std::string& place) {
  const std::string json = shared_repodata(CLOCHE_SOURCE_DIR, place);
  if (json.empty()) {
    GTEST_SKIP() << "no shared data";
  }
  const std::optional<std::string> judged = python_output(kJudge, json);
  if (!judged) {
    GTEST_SKIP() << "no python3";
  }
  std::vector<std::string> lines;
  ASSERT_VALUE(index, RepodataIndex::from_bytes(*shared_index_bytes(CLOCHE_SOURCE_DIR, place)));
  for (const conda::PackageRecord& record : all_records(index)) {
    if (record.size_bytes % kOneIn == 0) {
      lines.push_back(to_json(record).dump());
    }
  }
  std::ranges::sort(lines);
  const std::vector<std::string_view> theirs = split_lines(*judged);
  ASSERT_EQ(lines.size(), theirs.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    ASSERT_EQ(lines[i], theirs[i]);
  }
}

TEST(ParseRepodata, ReadsRealRepodataAsPythonDoes) { expect_as_python_reads("cf-real/linux-64"); }

TEST(ParseRepodata, ReadsRealNoarchRepodataAsPythonDoes) {
  expect_as_python_reads("cf-real/noarch");
}

TEST(ParseRepodata, CutsRealRepodataAnywhereWithoutHarm) {
  const std::string json = shared_repodata(CLOCHE_SOURCE_DIR, "cf-real/noarch");
  if (json.empty()) {
    GTEST_SKIP() << "no shared data";
  }
  const auto whole = all_records(
      RepodataIndex::from_bytes(*shared_index_bytes(CLOCHE_SOURCE_DIR, "cf-real/noarch")).value());
  for (const std::size_t window : {std::size_t{2000}, std::size_t{30011}}) {
    const std::string bytes = index_bytes(json, window, "noarch").value();
    EXPECT_TRUE(all_records(RepodataIndex::from_bytes(bytes).value()) == whole) << window;
  }
}

}  // namespace
}  // namespace cloche::source
