#include "definition/lint/base_images.h"

#include <gtest/gtest.h>

namespace cloche::definition {
namespace {

TEST(DescribeImage, ReadsPythonAndSystemFromTheTag) {
  const BaseImage python = describe_image("python:3.8.5-slim-buster");
  EXPECT_EQ(python.python, "3.8");
  EXPECT_EQ(python.system, "debian buster");
  EXPECT_EQ(python.has_python, true);
  EXPECT_EQ(describe_image("python:3.12").python, "3.12");
  EXPECT_EQ(describe_image("python:3").python, "");
  EXPECT_EQ(describe_image("ubuntu:18.04").system, "ubuntu 18.04");
  EXPECT_EQ(describe_image("debian:10-slim").system, "debian buster");
}

TEST(DescribeImage, ReadsAzuresNames) {
  const BaseImage image = describe_image(
      "mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.1-cudnn8-ubuntu18.04:20220101.v1");
  EXPECT_EQ(image.system, "ubuntu 18.04");
  EXPECT_EQ(image.cuda, (CudaVersion{11, 1}));
  EXPECT_EQ(image.has_conda, true);
  EXPECT_EQ(
      describe_image("mcr.microsoft.com/azureml/pytorch-1.10-ubuntu18.04-py38-cuda11-gpu").python,
      "3.8");
}

TEST(DescribeImage, ReadsCuda) {
  EXPECT_EQ(describe_image("nvidia/cuda:11.8.0-cudnn8-devel-ubuntu22.04").cuda,
            (CudaVersion{11, 8}));
  EXPECT_EQ(describe_image("pytorch/pytorch:2.1.0-cuda12.1-cudnn8-runtime").cuda,
            (CudaVersion{12, 1}));
  EXPECT_EQ(describe_image("x/y:cuda12").cuda, (CudaVersion{12, -1}));
  EXPECT_EQ(describe_image("python:3.11").cuda, std::nullopt);
}

TEST(DescribeImage, KnowsNothingOfTheUnknown) {
  for (const auto* text :
       {"", "${BASE}", "scratch", "{{latest}}", "UPPER/x", "corp.example/library/python:3.12"}) {
    const BaseImage image = describe_image(text);
    EXPECT_FALSE(image.has_python.has_value()) << text;
    EXPECT_FALSE(image.root.has_value()) << text;
  }
  EXPECT_TRUE(describe_image("scratch").scratch);
  EXPECT_EQ(describe_image("pytorch/pytorch:2.1.0").python, "");
}

TEST(EndOfLife, HoldsWhatHasEnded) {
  EXPECT_NE(end_of_life("python 3.9"), nullptr);
  EXPECT_EQ(end_of_life("python 3.11"), nullptr);
  EXPECT_NE(end_of_life("debian buster"), nullptr);
  EXPECT_EQ(end_of_life("debian bookworm"), nullptr);
  EXPECT_EQ(end_of_life(""), nullptr);
}

TEST(WithdrawnCuda, FollowsNvidiasList) {
  for (const auto* tag : {"10.2-devel-ubuntu18.04", "11.4.0-base-ubuntu20.04", "latest", "",
                          "11.0-base-ubuntu20.04", "9.0-cudnn7"}) {
    EXPECT_NE(withdrawn_cuda_tag(tag), "") << tag;
  }
  for (const auto* tag :
       {"11.8.0-base-ubuntu22.04", "12.4.1-runtime-ubuntu22.04", "11.7.1-base", "odd"}) {
    EXPECT_EQ(withdrawn_cuda_tag(tag), "") << tag;
  }
}

TEST(Cuda, ReadsWheelTags) {
  EXPECT_EQ(cuda_of_wheel("2.1.0+cu121"), (CudaVersion{12, 1}));
  EXPECT_EQ(cuda_of_wheel("https://download.pytorch.org/whl/cu92"), (CudaVersion{9, 2}));
  EXPECT_EQ(cuda_of_wheel("==2.8.0+cu130"), (CudaVersion{13, 0}));
  EXPECT_EQ(cuda_of_wheel("https://download.pytorch.org/whl/cpu"), std::nullopt);
  EXPECT_EQ(cuda_of_wheel("focus118"), std::nullopt);
}

}  // namespace
}  // namespace cloche::definition
