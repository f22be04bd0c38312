#include "runtime/cdi_spec.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string text_of(const std::string& name) {
  std::ifstream in(std::string(CLOCHE_TESTDATA) + "/cdi/" + name);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

Error refused(const std::string& text) {
  const auto spec = parse_cdi_spec(text, "x.yaml");
  EXPECT_FALSE(spec.has_value()) << text;
  return spec.has_value() ? Error() : spec.error();
}

// A spec with one device, whose edits are given.
std::string with_edits(const std::string& edits) {
  return "cdiVersion: 0.5.0\nkind: v.com/gpu\ndevices:\n- name: a\n  containerEdits:\n    " +
         edits + "\n";
}

TEST(ParseCdiSpec, ReadsWhatNvidiasToolWrites) {
  ASSERT_VALUE(spec, parse_cdi_spec(text_of("nvidia.yaml"), "nvidia.yaml"));
  EXPECT_EQ(spec.kind, "nvidia.com/gpu");
  ASSERT_EQ(spec.devices.size(), 4U);
  EXPECT_EQ(spec.devices[0].name, "0");
  EXPECT_EQ(spec.devices[0].edits.device_nodes[1].permissions, "rw");
  EXPECT_THAT(spec.edits.env, ElementsAre("NVIDIA_VISIBLE_DEVICES=void"));
  const CdiDeviceNode& control = spec.edits.device_nodes.at(0);
  EXPECT_EQ(control.major, 195);
  EXPECT_EQ(control.minor, 255);
  EXPECT_EQ(control.file_mode, 0666U) << "octal in YAML";
  EXPECT_EQ(spec.edits.hooks.at(0).name, "createContainer");
  EXPECT_EQ(spec.edits.hooks.at(0).timeout_s, 10);
  EXPECT_EQ(spec.edits.mounts.at(0).type, "");
  EXPECT_EQ(spec.edits.mounts.at(1).type, "tmpfs");
  EXPECT_THAT(spec.edits.additional_gids, ElementsAre(44, 109));
}

TEST(ParseCdiSpec, ReadsJsonWithTabs) {
  ASSERT_VALUE(spec, parse_cdi_spec(text_of("amd.json"), "amd.json"));
  EXPECT_EQ(spec.kind, "amd.com/gpu");
  EXPECT_THAT(spec.devices.at(1).edits.unsupported, ElementsAre("intelRdt"));
}

TEST(ParseCdiSpec, RefusesWhatItDoesNotKnowWithTheLine) {
  const Error error = refused(with_edits("deviceNode: []"));
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_EQ(error.at.line, 6);
  EXPECT_EQ(error.hint, "did you mean 'deviceNodes'?");
}

TEST(ParseCdiSpec, RefusesVersionsItDoesNotKnow) {
  for (const char* version : {"0.1.0", "0.2.0", "2.0.0"}) {
    const Error error = refused(std::string("cdiVersion: ") + version + "\nnew: 1\n");
    EXPECT_EQ(error.kind, ErrorKind::kUnsupported) << version;
  }
  for (const char* version : {"x", "0.5", "0.-5.0", "0.5.0.0", "'0.5. 0'"}) {
    EXPECT_EQ(refused(std::string("cdiVersion: ") + version + "\n").kind, ErrorKind::kInvalid)
        << version;
  }
  for (const char* version : {"0.3.0", "0.4.0", "0.8.0", "1.0.0", "1.1.0"}) {
    EXPECT_TRUE(parse_cdi_spec(std::string("cdiVersion: ") + version +
                                   "\nkind: v.com/c\ndevices: [{name: a, containerEdits: {}}]\n",
                               "x")
                    .has_value())
        << version;
  }
}

TEST(ParseCdiSpec, RefusesValuesThatMeanNothing) {
  EXPECT_THAT(refused(with_edits("deviceNodes: [{path: dev/x}]")).message,
              HasSubstr("'path' is not absolute"));
  EXPECT_THAT(refused(with_edits("deviceNodes: [{}]")).message, HasSubstr("'path' is missing"));
  EXPECT_THAT(refused(with_edits("deviceNodes: [{path: /x, type: q}]")).message,
              HasSubstr("no type of a device"));
  EXPECT_THAT(refused(with_edits("deviceNodes: [{path: /x, permissions: rwx}]")).message,
              HasSubstr("not of r, w and m"));
  EXPECT_THAT(refused(with_edits("deviceNodes: [{path: /x, major: -1}]")).message,
              HasSubstr("no number"));
  EXPECT_THAT(refused(with_edits("env: [A]")).message, HasSubstr("NAME=value"));
  EXPECT_THAT(refused(with_edits("hooks: [{hookName: onStart, path: /x}]")).message,
              HasSubstr("no name of a hook"));
  EXPECT_THAT(refused(with_edits("mounts: [{containerPath: /x}]")).message,
              HasSubstr("'hostPath' is missing"));
  EXPECT_THAT(refused(with_edits("additionalGids: [video]")).message, HasSubstr("no number"));
  EXPECT_THAT(
      refused("cdiVersion: 0.5.0\nkind: gpu\ndevices: [{name: a, containerEdits: {}}]\n").message,
      HasSubstr("no kind"));
  EXPECT_THAT(refused("cdiVersion: 0.5.0\nkind: v.com/gpu\n").message, HasSubstr("no devices"));
  EXPECT_THAT(refused("cdiVersion: 0.5.0\nkind: v.com/gpu\ndevices: [{name: a, containerEdits: {}},"
                      " {name: a, containerEdits: {}}]\n")
                  .message,
              HasSubstr("twice"));
  EXPECT_THAT(
      refused("cdiVersion: 0.5.0\nkind: v.com/gpu\ndevices: [{name: a=b, containerEdits: {}}]\n")
          .message,
      HasSubstr("no name of a device"));
}

TEST(QualifiedDevice, HasVendorClassAndName) {
  for (const char* good : {"nvidia.com/gpu=0", "a.b-c/d_e=GPU-1:2", "v/gpu.mig=all"}) {
    EXPECT_TRUE(is_qualified_device(good)) << good;
  }
  for (const char* bad : {"", "0", "nvidia.com/gpu", "nvidia.com=0", "/gpu=0", "v/=0",
                          "v/gpu=", "1v/gpu=0", "v/gpu=-a", "v/gpu=a b", "v/gpu/x=0"}) {
    EXPECT_FALSE(is_qualified_device(bad)) << bad;
  }
}

}  // namespace
}  // namespace cloche::runtime
