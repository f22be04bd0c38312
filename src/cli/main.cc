#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string_view>
#include <vector>

#include "cli/app.h"
#include "cli/terminal.h"
#include "io/disk_files.h"
#include "io/heap.h"

int main(int argc, char** argv) {
  // A reader that goes away (`| head`) is noticed by the write, after everything was stored.
  std::signal(SIGPIPE, SIG_IGN);
  cloche::io::prepare_heap();
  try {
    cloche::cli::SystemTerminal terminal;
    cloche::io::DiskFiles files;
    const std::vector<std::string_view> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    return cloche::cli::run_program(words, terminal, files);
  } catch (const std::bad_alloc&) {
    std::fputs("error: out of memory\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\nhint: this is a bug in cloche; please report it\n",
                 error.what());
  }
  return 70;
}
