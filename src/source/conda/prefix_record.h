// What an environment says of itself in conda-meta/, such that conda and mamba know it as theirs
// (CEP 32).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "package/conda/record.h"
#include "source/conda/package_files.h"

namespace cloche::source {

// What a record holds besides the channel's own facts.
struct InstalledPackage {
  const conda::PackageRecord& record;
  const std::vector<PlacedPath>& paths;
  std::span<const std::string> bytecode;  // .pyc files that were made, relative to the prefix
  std::span<const std::string> requested_specs;
  std::string prefix;  // as files name it
};

// The text of conda-meta/NAME-VERSION-BUILD.json. Dependencies are the channel's. The package cache
// that it must name is a constant below the prefix, which does not exist: the same on any machine.
std::string prefix_record(const InstalledPackage& package);

// One action block of conda-meta/history.
struct HistoryEntry {
  std::int64_t time_ms = 0;
  std::string command;              // "cloche env lock"; one line
  std::string tool;                 // "cloche version: 0.1.0"
  std::vector<std::string> linked;  // "conda-forge/linux-64::numpy-1.26.4-py311h64a7726_0"
  std::vector<std::string> specs;   // what the user asked for
};
std::string history_block(const HistoryEntry& entry);

// As conda's history names a package: the channel's short name where it has one, else its URL.
std::string history_name(const conda::PackageRecord& record);

}  // namespace cloche::source
