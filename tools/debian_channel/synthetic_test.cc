#include "debian_channel/synthetic.h"

#include <gtest/gtest.h>

#include "core/json.h"
#include "core/testing.h"
#include "io/disk_files.h"
#include "io/testing.h"
#include "source/conda/package_testing.h"

namespace cloche::debian_channel {
namespace {

constexpr std::string_view kChannel = R"(
packages:
  - name: tool
    version: 1.16.0
    noarch: python
    depends: [python]
    files: {site-packages/tool.py: "def main(): print('tool')\n"}
    entry_points: ["tool = tool:main"]
  - name: python
    version: 3.11.2
    build: h1_0
    build_number: 3
    format: tar.bz2
    executables: {bin/python3.11: "#!/bin/sh\necho {prefix}\n"}
    links: {bin/python: python3.11}
)";

class SyntheticTest : public testing::Test {
 protected:
  Json repodata(const std::string& subdir) {
    io::DiskFiles disk;
    return *parse_json(*disk.read(place_.path() + "/" + subdir + "/repodata.json", 1U << 20U));
  }
  std::string error(std::string_view yaml) {
    const Status made = make_synthetic_channel(yaml, "c.yaml", place_.path());
    return made ? "" : made.error().to_string();
  }

  io::TemporaryDirectory place_ = io::test_directory();
};

TEST_F(SyntheticTest, MakesPackagesThatAreRead) {
  ASSERT_EQ(error(kChannel), "");
  const Json noarch = repodata("noarch")["packages.conda"];
  EXPECT_EQ(noarch["tool-1.16.0-0.conda"]["depends"].dump(), R"(["python"])");
  const Json native = repodata("linux-64")["packages"];
  EXPECT_EQ(native["python-3.11.2-h1_0.tar.bz2"]["build_number"].as_integer(), 3);

  conda::PackageRecord python;
  python.name = "python";
  python.version = "3.11.2";
  python.build = "h1_0";
  const source::Placement where = source::Placement::of("/p", &python);
  ASSERT_VALUE(
      files, source::unpack(place_.path() + "/linux-64/python-3.11.2-h1_0.tar.bz2", python, where));
  EXPECT_EQ(files.listing(),
            "d bin \n"
            "l bin/python python3.11\n"
            "f 755 bin/python3.11 #!/bin/sh\necho /p\n\n");
  conda::PackageRecord tool;
  tool.name = "tool";
  tool.version = "1.16.0";
  tool.build = "0";
  tool.noarch = conda::Noarch::kPython;
  ASSERT_VALUE(modules, source::unpack(place_.path() + "/noarch/tool-1.16.0-0.conda", tool, where));
  EXPECT_NE(modules.listing().find("f 755 bin/tool #!/p/bin/python3.11"), std::string::npos);
}

TEST_F(SyntheticTest, RefusesWithTheLine) {
  EXPECT_NE(error("packages: [{name: a, colour: red}]").find("c.yaml:1:22: unknown key 'colour'"),
            std::string::npos);
  EXPECT_NE(error("packages: [{name: a, files: {../x: y}}]").find("c.yaml:1:"), std::string::npos);
  EXPECT_NE(error("packages: [{name: a}, {name: a}]").find("is there twice"), std::string::npos);
  EXPECT_NE(error("packages: [{name: a, format: zip}]"), "");
  EXPECT_NE(error("{}"), "");
}

}  // namespace
}  // namespace cloche::debian_channel
