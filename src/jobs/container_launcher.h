// Jobs in containers: images of the workspace, run by the module `runtime`.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/progress.h"
#include "image/layout.h"
#include "jobs/launcher.h"
#include "runtime/engine.h"

namespace cloche::jobs {

class ContainerLauncher : public Launcher {
 public:
  // `cache`: where unpacked layers and containers are; `layout` has the images.
  ContainerLauncher(std::string cache, image::Layout layout)
      : cache_(std::move(cache)), layout_(std::move(layout)) {}

  bool contained() const override { return true; }

  // Unpacks the image's layers where that was not done yet. kUnsupported: this host runs no
  // containers, or cannot impose a limit; kNotFound: the image is gone.
  Status start(const Launch& launch) override;
  Result<Ending> wait(const std::string& id, const std::stop_token& stop) override;
  Status signal(const std::string& id, int number) override;
  Status remove(const std::string& id) override;

 private:
  Result<const runtime::Engine*> engine();

  std::string cache_;
  image::Layout layout_;
  Progress progress_;  // nobody listens
  std::mutex mutex_;   // guards the engine's finding
  std::optional<runtime::Engine> engine_;
};

}  // namespace cloche::jobs
