#include "runtime/gpus.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "io/testing.h"

namespace cloche::runtime {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class Gpus : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(low_);
    fs::create_directory(high_);
  }
  void write(const std::string& path, const std::string& text) const {
    std::ofstream(path) << text;
  }
  // A spec of devices whose node is /dev/null.
  static std::string spec(const std::string& kind, const std::vector<std::string>& names,
                          const std::string& variable = "A=1") {
    std::string out = "cdiVersion: 0.5.0\nkind: " + kind + "\ndevices:\n";
    for (const std::string& one : names) {
      out += "- {name: '" + one + "', containerEdits: {deviceNodes: [{path: /dev/gpu" + one +
             ", hostPath: /dev/null}], env: [" + variable + "]}}\n";
    }
    return out;
  }
  static void copy_nvidia(const std::string& to) {
    fs::copy(std::string(CLOCHE_TESTDATA) + "/cdi/nvidia.yaml", to);
  }
  CdiRegistry registry() const { return CdiRegistry::read({low_, high_, place_.path() + "/no"}); }

  io::TemporaryDirectory place_ = io::test_directory();
  std::string low_ = place_.path() + "/etc";
  std::string high_ = place_.path() + "/run";
};

TEST_F(Gpus, AreNamedAsPeopleDo) {
  copy_nvidia(low_ + "/nvidia.yaml");
  write(low_ + "/net.json", spec("vendor.com/nic", {"0"}));
  const CdiRegistry all = registry();
  EXPECT_THAT(all.kinds(), ElementsAre("nvidia.com/gpu", "vendor.com/nic"));
  ASSERT_VALUE(everything, find_gpus({"all"}, all));
  EXPECT_THAT(everything, ElementsAre("nvidia.com/gpu=all"));
  ASSERT_VALUE(two, find_gpus({"0,1"}, all));
  EXPECT_THAT(two, ElementsAre("nvidia.com/gpu=0", "nvidia.com/gpu=1"));
  ASSERT_VALUE(other, find_gpus({"vendor.com/nic=0", " 1"}, all));
  EXPECT_THAT(other, ElementsAre("vendor.com/nic=0", "nvidia.com/gpu=1"));
  ASSERT_VALUE(none, find_gpus({"none"}, all));
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(find_gpus({"a b"}, all).error().kind, ErrorKind::kInvalid);
}

TEST_F(Gpus, CountEachOnceWhateverItsNames) {
  copy_nvidia(low_ + "/nvidia.yaml");
  EXPECT_THAT(single_gpus(registry()), ElementsAre("nvidia.com/gpu=0", "nvidia.com/gpu=1"));
}

TEST_F(Gpus, AllMeansEachWhereTheVendorHasNoNameForAll) {
  write(low_ + "/amd.yaml",
        "cdiVersion: 0.5.0\nkind: amd.com/gpu\ndevices:\n"
        "- {name: '0', containerEdits: {deviceNodes: [{path: /dev/dri/a}]}}\n"
        "- {name: '1', containerEdits: {deviceNodes: [{path: /dev/dri/b}]}}\n");
  ASSERT_VALUE(all, find_gpus({"all"}, registry()));
  EXPECT_THAT(all, ElementsAre("amd.com/gpu=0", "amd.com/gpu=1"));
}

TEST_F(Gpus, OfSeveralKindsMustBeNamed) {
  copy_nvidia(low_ + "/nvidia.yaml");
  write(low_ + "/amd.yaml", spec("amd.com/gpu", {"0"}));
  const auto found = find_gpus({"0"}, registry());
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().kind, ErrorKind::kConflict);
  EXPECT_THAT(found.error().hint, HasSubstr("amd.com/gpu=all"));
  EXPECT_TRUE(find_gpus({"nvidia.com/gpu=0"}, registry()).has_value());
}

TEST_F(Gpus, ThatAreNotThereAreToldWithFilesThatAreNoSpecs) {
  write(low_ + "/broken.yaml", "cdiVersion: 0.5.0\nkind: [\n");
  const auto found = find_gpus({"all"}, registry());
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(found.error().details, ElementsAre(HasSubstr("broken.yaml")));
  copy_nvidia(low_ + "/nvidia.yaml");
  ASSERT_VALUE(named, find_gpus({"7"}, registry()));
  const auto edits = gpu_edits(named, registry());
  ASSERT_FALSE(edits.has_value());
  EXPECT_EQ(edits.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(edits.error().hint, HasSubstr("nvidia.com/gpu=0, nvidia.com/gpu=GPU-"));
}

TEST_F(Gpus, OfALaterFolderTakeThePlaceOfEarlierOnes) {
  write(low_ + "/a.yaml", spec("v.com/gpu", {"0", "1"}, "A=low"));
  write(high_ + "/b.yaml", spec("v.com/gpu", {"0"}, "A=high"));
  ASSERT_VALUE(first, gpu_edits({"v.com/gpu=0"}, registry()));
  EXPECT_THAT(first.env, ElementsAre("A=high"));
  ASSERT_VALUE(second, gpu_edits({"v.com/gpu=1"}, registry()));
  EXPECT_THAT(second.env, ElementsAre("A=low"));
}

TEST_F(Gpus, DescribedTwiceInOneFolderAreRefusedWhenAskedFor) {
  write(low_ + "/a.yaml", spec("v.com/gpu", {"0", "1"}));
  write(low_ + "/b.yaml", spec("v.com/gpu", {"0"}));
  const auto edits = gpu_edits({"v.com/gpu=0"}, registry());
  ASSERT_FALSE(edits.has_value());
  EXPECT_EQ(edits.error().kind, ErrorKind::kConflict);
  EXPECT_THAT(edits.error().message, HasSubstr("b.yaml"));
  EXPECT_TRUE(gpu_edits({"v.com/gpu=1"}, registry()).has_value());
  write(high_ + "/c.yaml", spec("v.com/gpu", {"0"}));
  EXPECT_TRUE(gpu_edits({"v.com/gpu=0"}, registry()).has_value());
}

TEST_F(Gpus, HaveTheNumbersOfTheHostsNodes) {
  write(low_ + "/a.yaml", spec("v.com/gpu", {"0"}));
  ASSERT_VALUE(edits, gpu_edits({"v.com/gpu=0", "v.com/gpu=0"}, registry()));
  ASSERT_EQ(edits.device_nodes.size(), 1U) << "asked twice, given once";
  EXPECT_EQ(edits.device_nodes[0].type, "c");
  EXPECT_EQ(edits.device_nodes[0].major, 1);
  EXPECT_EQ(edits.device_nodes[0].minor, 3);
  EXPECT_EQ(edits.device_nodes[0].file_mode, 0666U);
}

TEST_F(Gpus, WhoseDriverIsGoneAreRefusedWithTheRemedy) {
  copy_nvidia(low_ + "/nvidia.yaml");
  const auto edits = gpu_edits({"nvidia.com/gpu=0"}, registry());
  ASSERT_FALSE(edits.has_value());
  EXPECT_EQ(edits.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(edits.error().hint, HasSubstr("nvidia-ctk cdi generate"));
}

TEST_F(Gpus, WithEditsThatAreNotMadeAreRefused) {
  fs::copy(std::string(CLOCHE_TESTDATA) + "/cdi/amd.json", low_ + "/amd.json");
  const auto edits = gpu_edits({"amd.com/gpu=1"}, registry());
  ASSERT_FALSE(edits.has_value());
  EXPECT_EQ(edits.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(edits.error().message, HasSubstr("intelRdt"));
  EXPECT_TRUE(gpu_edits({"amd.com/gpu=0"}, registry()).has_value());
}

}  // namespace
}  // namespace cloche::runtime
