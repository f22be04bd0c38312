#include "definition/asset_reference.h"

#include <array>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/testing.h"

namespace cloche::definition {
namespace {

TEST(AssetReference, ReadsEveryForm) {
  struct Case {
    std::string text;
    AssetReference expected;
  };
  const std::array<Case, 12> cases = {{
      {"train", {"", "train", "", "", ""}},
      {"train:1.10", {"", "train", "1.10", "", ""}},
      {"train@latest", {"", "train", "", "latest", ""}},
      {"azureml:train", {"", "train", "", "", ""}},
      {"azureml:train:7", {"", "train", "7", "", ""}},
      {" azureml:AzureML-acpt-pytorch_2@latest ", {"", "AzureML-acpt-pytorch_2", "", "latest", ""}},
      {"azureml://registries/azureml/environments/sk-1.5/versions/3",
       {"azureml", "sk-1.5", "3", "", ""}},
      {"azureml://registries/r/environments/sk/labels/latest", {"r", "sk", "", "latest", ""}},
      {"file:../environments/train.yml", {"", "", "", "", "../environments/train.yml"}},
      {"file:///srv/train.yml", {"", "", "", "", "/srv/train.yml"}},
      {"file:/srv/train.yml", {"", "", "", "", "/srv/train.yml"}},
      {"azureml", {"", "azureml", "", "", ""}},
  }};
  for (const Case& one : cases) {
    ASSERT_VALUE(reference, parse_asset_reference(one.text));
    EXPECT_EQ(reference, one.expected) << one.text;
  }
}

TEST(AssetReference, RefusesWithTheReason) {
  const std::array<std::pair<std::string, std::string>, 16> cases = {{
      {"", "the name is empty"},
      {"azureml:", "the name is empty"},
      {"train:", "the version is empty"},
      {"train@", "the label is empty"},
      {"train:1:2", "':' is not allowed in the version '1:2'"},
      {"train@latest:1", "':' is not allowed in the label 'latest:1'"},
      {"tr ain", "' ' is not allowed in the name 'tr ain'"},
      {"-train", "'-' is not allowed at the start of the name '-train'"},
      {"azureml://registries/r/models/m/versions/1",
       "this refers to models in a registry, not to an environment"},
      {"azureml://registries/r/environments/e", "not a registry's environment"},
      {"azureml://registries/r/environments/e/versions/", "the version is empty"},
      {"azureml://registries//environments/e/versions/1", "the registry's name is empty"},
      {"azureml://datastores/d/paths/p", "not a registry's environment"},
      {"file:", "'file:' is not followed by a path"},
      {"file://host/train.yml", "'file:' is not followed by a path"},
      {std::string(300, 'a'), "the name has 300 characters; 255 are allowed"},
  }};
  for (const auto& [text, message] : cases) {
    const auto result = parse_asset_reference(text);
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_EQ(result.error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(result.error().message, message) << text;
    EXPECT_FALSE(result.error().hint.empty()) << text;
  }
}

TEST(AssetReference, TurnsAnAzureResourceIdIntoOurForm) {
  const std::string id =
      "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/"
      "environments/train/versions/4";
  for (const std::string& text : {id, "azureml:" + id, "azureml:/" + id}) {
    const auto result = parse_asset_reference(text);
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_EQ(result.error().kind, ErrorKind::kUnsupported);
    EXPECT_EQ(result.error().hint, "register it here, then write train:4");
  }
}

TEST(AssetReference, ExplainsPlaceholders) {
  const auto result = parse_asset_reference("< your environment name >");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().hint,
            "< your environment name > is a placeholder of a template: put the real value there "
            "first");
}

TEST(CheckCustomName, RefusesReservedPrefixesInAnyCase) {
  for (const char* name : {"AzureML-x", "azureml-x", "MICROSOFT", "microsoft-x", "Cloche-base"}) {
    EXPECT_FALSE(check_custom_name(name).has_value()) << name;
    EXPECT_TRUE(check_environment_name(name).has_value()) << name;
  }
  for (const char* name : {"azureml", "clochette", "my-AzureML-x", "a"}) {
    EXPECT_TRUE(check_custom_name(name).has_value()) << name;
  }
}

TEST(CheckVersion, TakesWhatRealFilesHave) {
  for (const char* version : {"1", "1.10", "openmpi4.1.0-cuda11.1-cudnn8-ubuntu18.04", "1+cu118"}) {
    EXPECT_TRUE(check_version(version).has_value()) << version;
  }
  for (const char* version : {"", ".1", "1 2", "1/2", "1-<VERSION>", "\xc3\xa9"}) {
    EXPECT_FALSE(check_version(version).has_value()) << version;
  }
}

RC_GTEST_PROP(AssetReferenceProperty, WhatIsPrintedParsesToTheSame, ()) {
  const auto word = rc::gen::nonEmpty(
      rc::gen::container<std::string>(rc::gen::elementOf(std::string("abcXYZ019-_"))));
  const auto named = rc::gen::map(word, [](std::string text) { return "n" + text; });
  AssetReference reference;
  reference.name = *named;
  const int form = *rc::gen::inRange(0, 5);
  if (form >= 3) {
    reference.registry = *named;
  }
  if (form == 1 || form == 3) {
    reference.version = *named;
  } else if (form != 0) {
    reference.label = *named;
  }
  const auto again = parse_asset_reference(reference.to_string());
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == reference);
  const auto shorter = parse_asset_reference(reference.short_form());
  RC_ASSERT(shorter.has_value());
  RC_ASSERT(*shorter == reference);
}

}  // namespace
}  // namespace cloche::definition
