#include "tests/support/tar_file.h"

#include <archive.h>
#include <archive_entry.h>

#include <stdexcept>

namespace auforge::tests {

void WriteTar(const std::string& path, const std::vector<TarMember>& members) {
  archive* tar = archive_write_new();
  archive_write_set_format_pax_restricted(tar);
  if (archive_write_open_filename(tar, path.c_str()) != ARCHIVE_OK) throw std::runtime_error(path);
  for (const TarMember& member : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, member.name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(member.content.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    if (!member.hard_link.empty()) archive_entry_set_hardlink(entry, member.hard_link.c_str());
    if (!member.soft_link.empty()) {
      archive_entry_set_filetype(entry, AE_IFLNK);
      archive_entry_set_symlink(entry, member.soft_link.c_str());
    }
    archive_write_header(tar, entry);
    archive_write_data(tar, member.content.data(), member.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(tar);
  archive_write_free(tar);
}

}  // namespace auforge::tests
