#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <new>
#include <span>

#include "datasets/content_kind.h"
#include "datasets/internal/tar_stream.h"

namespace auforge::datasets {
namespace {

constexpr std::int64_t kBombBytes = 1LL << 28;
constexpr std::int64_t kBombRatio = 100;

// "./a//b" and "a/x/../b" are the member "a/b".
std::string Normal(const std::string& name) { return std::filesystem::path(name).lexically_normal().generic_string(); }

std::string Target(archive_entry* entry, const std::string& name) {
  const auto text = [](const char* utf8, const char* bytes) { return std::string(utf8 != nullptr ? utf8 : bytes != nullptr ? bytes : ""); };
  const std::string hard = text(archive_entry_hardlink_utf8(entry), archive_entry_hardlink(entry));
  if (!hard.empty()) return Normal(hard);
  if (archive_entry_filetype(entry) != AE_IFLNK) return {};
  const std::string soft = text(archive_entry_symlink_utf8(entry), archive_entry_symlink(entry));
  return Normal((std::filesystem::path(name).parent_path() / soft).generic_string());
}

}  // namespace

struct TarStream::Fetched {
  Fetched(const std::string& address, FetchOptions options) : stream(address, std::move(options)) {}

  static la_ssize_t Read(archive* reader, void* self, const void** bytes) {
    auto& fetched = *static_cast<Fetched*>(self);
    const std::size_t got = fetched.stream.Read(fetched.buffer);
    const auto head = std::span(fetched.buffer).first(std::min(got, kContentHead));
    if (fetched.head.empty()) fetched.head.assign(head.begin(), head.end());
    *bytes = fetched.buffer.data();
    if (fetched.stream.Fault().empty()) return static_cast<la_ssize_t>(got);
    archive_set_error(reader, EIO, "%s", fetched.stream.Fault().c_str());
    return -1;
  }

  // Of what is no whole archive although its command ended well.
  std::string Fault(const std::string& what) const {
    const ContentKind kind = TellContent(head);
    std::string text = what;
    if (head.empty()) text = "the command of --fetch gave nothing";
    if (IsTextKind(kind)) text = "is no archive but " + std::string(kind.name);
    return text + "; a command must fail where its server does (curl -sf, not curl -s)";
  }

  FetchStream stream;
  std::array<std::uint8_t, 1 << 16> buffer{};
  std::vector<std::uint8_t> head;  // the first bytes
};

TarStream::TarStream(std::string address, FetchOptions fetch) : TarStream(std::move(address)) {
  fetched_ = std::make_unique<Fetched>(path_, std::move(fetch));
}

TarStream::TarStream(std::string path) : path_(std::move(path)), archive_(archive_read_new(), archive_read_free) {
  if (!archive_) throw std::bad_alloc();
  archive_read_support_format_tar(archive_.get());
  archive_read_support_format_empty(archive_.get());
  archive_read_support_filter_all(archive_.get());
  // Two archives written one after the other into one file are read as one.
  archive_read_set_options(archive_.get(), "read_concatenated_archives");
}

TarStream::~TarStream() = default;

bool TarStream::Open() {
  opened_ = true;
  if (fetched_) return archive_read_open(archive_.get(), fetched_.get(), nullptr, Fetched::Read, nullptr) == ARCHIVE_OK;
  return archive_read_open_filename(archive_.get(), path_.c_str(), 1 << 16) == ARCHIVE_OK;
}

TarStream::Step TarStream::Broken() {
  GiveUp();
  // What is no archive may be the beginning of a failure, which its command's end tells.
  constexpr int kMostReads = 16;
  const void* ignored = nullptr;
  for (int i = 0; fetched_ && i < kMostReads && Fetched::Read(archive_.get(), fetched_.get(), &ignored) > 0; ++i) {
  }
  return Step::kBroken;
}

bool TarStream::IsWholeFetch() {
  // Behind the last member stand two blocks of zeros; the end of an archive was looked for from the first of them on.
  constexpr la_int64_t kBlock = 512;
  const bool has_end = archive_filter_bytes(archive_.get(), 0) - archive_read_header_position(archive_.get()) >= kBlock;
  if (fetched_->head.empty() || !has_end) is_cut_ = true;
  // What a command still says behind the archive: only its end tells whether it did well.
  for (const void* ignored = nullptr; !is_cut_ && Fetched::Read(archive_.get(), fetched_.get(), &ignored) > 0;) {
  }
  return !is_cut_ && fetched_->stream.Fault().empty();
}

TarStream::Step TarStream::Next(TarMemberInfo& member) {
  if (!opened_ && !Open()) return Broken();
  archive_entry* entry = nullptr;
  const int status = archive_read_next_header(archive_.get(), &entry);
  if (status == ARCHIVE_EOF) return !fetched_ || IsWholeFetch() ? Step::kEnd : Step::kBroken;
  if (status < ARCHIVE_WARN || IsBomb()) return Broken();
  const char* name = archive_entry_pathname_utf8(entry);
  if (name == nullptr) name = archive_entry_pathname(entry);
  member = {};
  if (name == nullptr) return Step::kMember;
  member.name = name;
  member.link = Target(entry, member.name);
  member.is_file = member.link.empty() && archive_entry_filetype(entry) == AE_IFREG;
  member.is_special = member.link.empty() && !member.is_file && archive_entry_filetype(entry) != AE_IFDIR;
  const std::int64_t size = archive_entry_size_is_set(entry) != 0 ? archive_entry_size(entry) : 0;
  member.size = size < 0 ? UINT64_MAX : static_cast<std::uint64_t>(size);
  return Step::kMember;
}

bool TarStream::Read(std::size_t most, std::vector<std::uint8_t>& bytes) {
  // Grows with what is really there: the size may be a lie.
  constexpr std::size_t kStep = 1 << 20;
  for (std::size_t left = most; left > 0;) {
    const std::size_t have = bytes.size();
    bytes.resize(have + std::min(left, kStep));
    const la_ssize_t got = archive_read_data(archive_.get(), bytes.data() + have, bytes.size() - have);
    if (got < 0 || IsBomb()) return GiveUp();
    bytes.resize(have + static_cast<std::size_t>(got));
    if (got == 0) break;
    left -= static_cast<std::size_t>(got);
  }
  return true;
}

bool TarStream::Skip() {
  if (archive_filter_count(archive_.get()) <= 1)
    return archive_read_data_skip(archive_.get()) >= ARCHIVE_WARN || GiveUp();
  // Compressed: all of it must be unpacked to get past it, under watch.
  for (;;) {
    const void* block = nullptr;
    std::size_t length = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(archive_.get(), &block, &length, &offset);
    if (status == ARCHIVE_EOF) return true;
    if (status < ARCHIVE_WARN || IsBomb()) return GiveUp();
  }
}

bool TarStream::GiveUp() const {
  if (archive_errno(archive_.get()) == ENOMEM) throw std::bad_alloc();
  return false;
}

// Images hardly compress: who unpacks to a hundred times its size is no archive of images.
bool TarStream::IsBomb() {
  const la_int64_t unpacked = archive_filter_bytes(archive_.get(), 0);
  const la_int64_t packed = archive_filter_bytes(archive_.get(), -1);
  is_bomb_ = is_bomb_ || (unpacked > kBombBytes && unpacked / kBombRatio > packed);
  return is_bomb_;
}

std::string TarStream::Fault() const {
  if (is_bomb_) return (fetched_ ? path_ + ": " : "") + "it unpacks to more than a hundred times its size";
  if (fetched_ && !fetched_->stream.Fault().empty()) return fetched_->stream.Fault();
  if (fetched_) return path_ + ": " + fetched_->Fault(is_cut_ ? "ends without an archive's end" : Reason());
  return Reason();
}

std::string TarStream::Reason() const {
  const char* reason = archive_error_string(archive_.get());
  return reason != nullptr ? reason : "unexpected end";
}

}  // namespace auforge::datasets
