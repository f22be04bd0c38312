// The commands' constants, for commands.cc. Each is defined in the file of its verb.
#pragma once

#include "cli/command.h"

namespace cloche::cli {

extern const Command kCompletion;
extern const Command kEnvArchive;
extern const Command kEnvCopy;
extern const Command kEnvBuild;
extern const Command kEnvCreate;
extern const Command kEnvDiff;
extern const Command kEnvExplain;
extern const Command kEnvExport;
extern const Command kEnvHistory;
extern const Command kEnvActivate;
extern const Command kEnvInstall;
extern const Command kEnvLabel;
extern const Command kEnvLint;
extern const Command kEnvList;
extern const Command kEnvLoad;
extern const Command kEnvLock;
extern const Command kEnvRestore;
extern const Command kEnvSave;
extern const Command kEnvShare;
extern const Command kEnvShell;
extern const Command kEnvShow;
extern const Command kEnvUpdate;
extern const Command kGc;
extern const Command kImageBootstrap;
extern const Command kImageDelete;
extern const Command kImageDiff;
extern const Command kImageExport;
extern const Command kImageImport;
extern const Command kImageList;
extern const Command kImagePull;
extern const Command kImagePush;
extern const Command kImageRebase;
extern const Command kImageShow;
extern const Command kImageTree;
extern const Command kJobArchive;
extern const Command kJobCancel;
extern const Command kJobCompare;
extern const Command kJobCreate;
extern const Command kJobDownload;
extern const Command kJobList;
extern const Command kJobRerun;
extern const Command kJobRestore;
extern const Command kJobShow;
extern const Command kJobStream;
extern const Command kRegistryCreate;
extern const Command kRegistryList;
extern const Command kRun;
extern const Command kStoreShow;
extern const Command kWorker;
extern const Command kWorkspaceInit;
extern const Command kWorkspaceShow;

}  // namespace cloche::cli
