#include "cli/commands.h"

#include <array>

#include "cli/command_table.h"

namespace cloche::cli {
namespace {

constexpr std::array<Noun, 6> kNouns = {{
    {"env", "environments: register, look up, compare, share, check"},
    {"image", "images: what was built and fetched; compare, put onto another base"},
    {"job", "jobs: run commands in environments, follow them, look back at them"},
    {"registry", "registries: where workspaces share environments"},
    {"store", "the stores: what they hold and share"},
    {"workspace", "the workspace: where environments are kept"},
}};

constexpr std::array kCommands = {
    &kEnvCreate,     &kEnvShow,       &kEnvList,        &kEnvHistory,
    &kEnvDiff,       &kEnvExplain,    &kEnvUpdate,      &kEnvLabel,
    &kEnvArchive,    &kEnvRestore,    &kEnvCopy,        &kEnvExport,
    &kEnvLint,       &kEnvLock,       &kEnvInstall,     &kEnvBuild,
    &kEnvActivate,   &kEnvShell,      &kEnvSave,        &kEnvLoad,
    &kEnvShare,      &kImageList,     &kImageShow,      &kImageTree,
    &kImageDiff,     &kImageRebase,   &kImagePull,      &kImagePush,
    &kImageImport,   &kImageExport,   &kImageBootstrap, &kImageDelete,
    &kJobCreate,     &kJobList,       &kJobShow,        &kJobStream,
    &kJobCancel,     &kJobDownload,   &kJobCompare,     &kJobRerun,
    &kJobArchive,    &kJobRestore,    &kRegistryCreate, &kRegistryList,
    &kWorkspaceInit, &kWorkspaceShow, &kStoreShow,      &kGc,
    &kRun,           &kWorker,        &kCompletion,
};

}  // namespace

std::span<const Noun> nouns() { return kNouns; }

std::span<const Command* const> commands() { return kCommands; }

}  // namespace cloche::cli
