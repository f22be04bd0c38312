#include "debian_channel/elf_file.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include <elf.h>

#include "core/text.h"

namespace cloche::debian_channel {
namespace {

constexpr std::uint64_t kPage = 0x1000;

Error broken(std::string_view what) {
  return fail(ErrorKind::kCorrupt, "the ELF file's {} leads outside of it", what);
}

// The tables of a file, found and checked once. Offsets are into the file.
class ElfLayout {
 public:
  // nullopt: see read_elf().
  static Result<std::optional<ElfLayout>> find(std::string_view bytes) {
    Elf64_Ehdr header;
    if (bytes.size() < sizeof header) {
      return std::optional<ElfLayout>();
    }
    std::memcpy(&header, bytes.data(), sizeof header);
    const bool mine = std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
                      header.e_ident[EI_CLASS] == ELFCLASS64 &&
                      header.e_ident[EI_DATA] == ELFDATA2LSB;
    const bool linked = header.e_type == ET_DYN || header.e_type == ET_EXEC;
    if (!mine || !linked) {
      return std::optional<ElfLayout>();
    }
    ElfLayout layout;
    layout.header = header;
    TRY(layout.read_segments(bytes));
    TRY(layout.read_dynamic(bytes));
    return layout.dynamic.empty() ? std::nullopt : std::optional(std::move(layout));
  }

  // Where an address of the loaded program stands in the file.
  std::optional<std::uint64_t> offset_of(std::uint64_t address) const {
    for (const Elf64_Phdr& segment : segments) {
      if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
          address - segment.p_vaddr < segment.p_filesz) {
        return segment.p_offset + (address - segment.p_vaddr);
      }
    }
    return std::nullopt;
  }

  const Elf64_Dyn* entry(std::int64_t tag) const {
    const auto found = std::ranges::find(dynamic, tag, &Elf64_Dyn::d_tag);
    return found == dynamic.end() ? nullptr : &*found;
  }

  Result<std::string> text_at(std::string_view bytes, std::uint64_t at) const {
    if (at >= strings_bytes) {
      return broken("string table");
    }
    const std::string_view table = bytes.substr(strings_offset, strings_bytes);
    const std::size_t end = table.find('\0', at);
    if (end == std::string_view::npos) {
      return broken("string table");
    }
    return std::string(table.substr(at, end - at));
  }

  Elf64_Ehdr header{};
  std::vector<Elf64_Phdr> segments;
  std::uint64_t dynamic_offset = 0;
  std::vector<Elf64_Dyn> dynamic;  // with the empty entries at its end
  std::uint64_t strings_offset = 0;
  std::uint64_t strings_bytes = 0;

 private:
  Status read_segments(std::string_view bytes) {
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phoff > bytes.size() ||
        header.e_phnum > (bytes.size() - header.e_phoff) / sizeof(Elf64_Phdr)) {
      return broken("list of segments");
    }
    segments.resize(header.e_phnum);
    std::memcpy(segments.data(), bytes.data() + header.e_phoff,
                segments.size() * sizeof(Elf64_Phdr));
    for (const Elf64_Phdr& segment : segments) {
      if (segment.p_offset > bytes.size() || segment.p_filesz > bytes.size() - segment.p_offset) {
        return broken("segment");
      }
    }
    return {};
  }

  Status read_dynamic(std::string_view bytes) {
    const auto found = std::ranges::find(segments, Elf64_Word{PT_DYNAMIC}, &Elf64_Phdr::p_type);
    if (found == segments.end() || found->p_filesz == 0) {
      return {};
    }
    dynamic_offset = found->p_offset;
    dynamic.resize(found->p_filesz / sizeof(Elf64_Dyn));
    std::memcpy(dynamic.data(), bytes.data() + dynamic_offset, dynamic.size() * sizeof(Elf64_Dyn));
    const Elf64_Dyn* table = entry(DT_STRTAB);
    const Elf64_Dyn* size = entry(DT_STRSZ);
    if (table == nullptr || size == nullptr) {
      dynamic.clear();  // a static program that is position independent
      return {};
    }
    const std::optional<std::uint64_t> offset = offset_of(table->d_un.d_ptr);
    if (!offset || size->d_un.d_val > bytes.size() - *offset) {
      return broken("string table");
    }
    strings_offset = *offset;
    strings_bytes = size->d_un.d_val;
    return {};
  }
};

template <class T>
void put(std::string& bytes, std::uint64_t at, const T& value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

template <class T>
void put_all(std::string& bytes, std::uint64_t at, const std::vector<T>& values) {
  std::memcpy(bytes.data() + at, values.data(), values.size() * sizeof(T));
}

// The one path entry becomes DT_RPATH at `at`; without one, a spare entry does.
void set_path_entry(std::vector<Elf64_Dyn>& dynamic, std::uint64_t at) {
  std::erase_if(dynamic, [](const Elf64_Dyn& one) {
    return one.d_tag == DT_RPATH || one.d_tag == DT_RUNPATH;
  });
  auto end = std::ranges::find(dynamic, std::int64_t{DT_NULL}, &Elf64_Dyn::d_tag);
  dynamic.insert(end, Elf64_Dyn{.d_tag = DT_RPATH, .d_un = {.d_val = at}});
}

// Back to the size that the dynamic section has in the file, ending with DT_NULL.
bool fit(std::vector<Elf64_Dyn>& dynamic, std::size_t size) {
  const auto used = [&] {
    return static_cast<std::size_t>(
        std::ranges::find(dynamic, std::int64_t{DT_NULL}, &Elf64_Dyn::d_tag) - dynamic.begin());
  };
  if (used() + 1 > size) {
    std::erase_if(dynamic, [](const Elf64_Dyn& one) { return one.d_tag == DT_RELACOUNT; });
  }
  const bool fits = used() + 1 <= size;
  dynamic.resize(size);
  return fits;
}

std::uint64_t end_of_memory(const std::vector<Elf64_Phdr>& segments) {
  std::uint64_t end = 0;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_LOAD) {
      end = std::max(end, segment.p_vaddr + segment.p_memsz);
    }
  }
  return end;
}

// Tools that read section headers find the string table where the loader does.
void move_section(std::string& bytes, const ElfLayout& layout, std::uint64_t from, std::uint64_t to,
                  std::uint64_t address, std::uint64_t size) {
  const Elf64_Ehdr& header = layout.header;
  if (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shoff > bytes.size() ||
      header.e_shnum > (bytes.size() - header.e_shoff) / sizeof(Elf64_Shdr)) {
    return;
  }
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const std::uint64_t at = header.e_shoff + i * sizeof(Elf64_Shdr);
    Elf64_Shdr section;
    std::memcpy(&section, bytes.data() + at, sizeof section);
    if (section.sh_type == SHT_STRTAB && section.sh_offset == from) {
      section.sh_offset = to;
      section.sh_addr = address;
      section.sh_size = size;
      put(bytes, at, section);
    }
  }
}

}  // namespace

Result<std::optional<ElfFacts>> read_elf(std::string_view bytes) {
  const std::optional<ElfLayout> layout = TRY(ElfLayout::find(bytes));
  if (!layout) {
    return std::optional<ElfFacts>();
  }
  ElfFacts facts;
  const Elf64_Dyn* path = layout->entry(DT_RUNPATH);
  path = path != nullptr ? path : layout->entry(DT_RPATH);
  if (path != nullptr) {
    const std::string text = TRY(layout->text_at(bytes, path->d_un.d_val));
    for (const std::string_view part : split(text, ':')) {
      facts.run_path.emplace_back(part);
    }
  }
  for (const Elf64_Dyn& one : layout->dynamic) {
    if (one.d_tag == DT_NULL) {
      break;
    }
    if (one.d_tag == DT_NEEDED) {
      facts.needed.push_back(TRY(layout->text_at(bytes, one.d_un.d_val)));
    } else if (one.d_tag == DT_SONAME) {
      facts.soname = TRY(layout->text_at(bytes, one.d_un.d_val));
    }
  }
  return std::optional(std::move(facts));
}

Result<std::string> with_run_path(std::string bytes, std::string_view run_path) {
  std::optional<ElfLayout> layout = TRY(ElfLayout::find(bytes));
  if (!layout) {
    return fail(ErrorKind::kUnsupported, "it is not dynamically linked");
  }
  const auto note = std::ranges::find(layout->segments.rbegin(), layout->segments.rend(),
                                      Elf64_Word{PT_NOTE}, &Elf64_Phdr::p_type);
  const std::size_t size = layout->dynamic.size();
  set_path_entry(layout->dynamic, layout->strings_bytes);
  if (note == layout->segments.rend() || !fit(layout->dynamic, size)) {
    return fail(ErrorKind::kUnsupported, "there is no room for a run path");
  }
  std::string table = bytes.substr(layout->strings_offset, layout->strings_bytes);
  table += run_path;
  table += '\0';
  // Offset and address agree modulo the page, so that the file can be mapped.
  bytes.resize((bytes.size() + kPage - 1) / kPage * kPage, '\0');
  const std::uint64_t offset = bytes.size();
  const std::uint64_t address = (end_of_memory(layout->segments) + kPage - 1) / kPage * kPage;
  for (Elf64_Dyn& one : layout->dynamic) {
    if (one.d_tag == DT_STRTAB) {
      one.d_un.d_ptr = address;
    } else if (one.d_tag == DT_STRSZ) {
      one.d_un.d_val = table.size();
    }
  }
  // PT_LOAD headers must stand in the order of their addresses, so the new one follows the last.
  layout->segments.erase(std::next(note).base());
  const auto last = std::ranges::find(layout->segments.rbegin(), layout->segments.rend(),
                                      Elf64_Word{PT_LOAD}, &Elf64_Phdr::p_type);
  layout->segments.insert(last.base(), Elf64_Phdr{.p_type = PT_LOAD,
                                                  .p_flags = PF_R,
                                                  .p_offset = offset,
                                                  .p_vaddr = address,
                                                  .p_paddr = address,
                                                  .p_filesz = table.size(),
                                                  .p_memsz = table.size(),
                                                  .p_align = kPage});
  put_all(bytes, layout->header.e_phoff, layout->segments);
  put_all(bytes, layout->dynamic_offset, layout->dynamic);
  move_section(bytes, *layout, layout->strings_offset, offset, address, table.size());
  bytes += table;
  return bytes;
}

}  // namespace cloche::debian_channel
