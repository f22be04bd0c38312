// How the process gets its memory from the kernel.
#pragma once

namespace cloche::io {

// Lets the heap grow in steps of many megabytes that huge pages may back (Linux, THP): a solve
// touches 20 to 40 MB once, and asking for them 4 KB at a time took a fifth of its time. Costs
// address space, and up to 2 MB of memory in a command that needs less. Once, at the beginning of
// main(), before there are other threads. Where the process's memory is limited (ulimit), nothing
// changes; where the kernel has no huge pages, little.
void prepare_heap();

}  // namespace cloche::io
