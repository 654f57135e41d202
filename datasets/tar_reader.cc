#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "datasets/content_kind.h"
#include "datasets/internal/crawl_table.h"
#include "datasets/internal/tar_reader.h"
#include "datasets/internal/tar_samples.h"
#include "datasets/internal/tar_stream.h"

namespace auforge::datasets {
namespace {

std::string Normal(const std::string& name) { return std::filesystem::path(name).lexically_normal().generic_string(); }

// First the table and the texts that stand away from their pictures, then the members in order, last what links lead to.
class TarReader : public ItemReader {
 public:
  // fetch: nullopt for a file.
  TarReader(std::string path, std::uint64_t max_bytes, std::optional<FetchOptions> fetch)
      : path_(std::move(path)), max_bytes_(max_bytes), fetch_(std::move(fetch)) {
    std::error_code error;
    reads_once_ = fetch_ || !std::filesystem::is_regular_file(path_, error);
  }

  bool Next(ImageItem& item) override {
    while (ready_.empty() && (phase_ != Phase::kEnd || !linked_names_.empty())) Advance();
    if (ready_.empty()) return false;
    item = std::move(ready_.front());
    ready_.pop_front();
    return true;
  }

  SideNotes Notes() const override {
    SideNotes notes = notes_;
    notes.lone_metadata += texts_.Unused();
    return notes;
  }

  std::string Fault() const override { return fetch_ ? fault_ : ""; }

 private:
  enum class Phase { kBegin, kMembers, kLinks, kEnd };

  void Advance() {
    if (!linked_names_.empty()) return HandOutLinked();
    if (phase_ == Phase::kBegin) {
      if (!fetch_) table_ = CrawlTable(CrawlTable::PathFor(path_));
      table_.AddTo(notes_);
      if (!reads_once_) texts_ = TarTexts::Collect(path_, max_bytes_);
      OpenStream();
      phase_ = Phase::kMembers;
    }
    TarMemberInfo info;
    switch (stream_->Next(info)) {
      case TarStream::Step::kBroken: return Broken();
      case TarStream::Step::kEnd: return phase_ == Phase::kMembers ? EndOfMembers() : EndOfLinks();
      case TarStream::Step::kMember: break;
    }
    if (phase_ == Phase::kLinks) return TakeTarget(info);
    if (!info.link.empty()) {
      links_.emplace(info.link, SplitMemberName(info.name));
    } else if (info.is_file) {
      TakeMember(info);
    } else if (info.is_special) {
      notes_.Leave("pipe, socket or device", info.name);
    }
  }

  void OpenStream() {
    if (fetch_) {
      stream_.emplace(path_, *fetch_);
    } else {
      stream_.emplace(path_);
    }
  }

  void TakeMember(const TarMemberInfo& info) {
    const MemberName name = SplitMemberName(info.name);
    Member member = TellMember(*stream_, info);
    if (!member.is_whole) return Broken();
    if (member.kind == MemberKind::kOther) {
      notes_.Leave(member.what, info.name);
      if (!stream_->Skip()) Broken();
      return;
    }
    if (run_.key != name.key || run_.IsFull(max_bytes_)) Flush();
    run_.key = name.key;
    if (member.kind != MemberKind::kPicture) return TakeText(info, name, member.kind);
    ImageItem item;
    const bool is_whole = ReadPicture(info, std::move(member.head), item);
    run_.bytes += item.bytes.size();
    run_.pictures.push_back(name);
    pictures_.push_back(std::move(item));
    if (!is_whole) Broken();
  }

  void TakeText(const TarMemberInfo& info, const MemberName& name, MemberKind kind) {
    Metadata found;
    if (!ReadMetadataMember(*stream_, info, kind, found)) return Broken();
    ++notes_.metadata;
    if (!found.is_whole) ++notes_.damaged_metadata;
    run_.texts.push_back({name.stem, kind, std::move(found)});
  }

  // false when the archive is broken there.
  bool ReadPicture(const TarMemberInfo& info, std::vector<std::uint8_t> head, ImageItem& item) {
    item.path = path_ + ":" + info.name;
    // A size is known before anything is read: a sparse member may claim terabytes of zeros.
    if (info.size > max_bytes_) {
      item.status = Outcome::kTooLarge;
      item.message = "more than " + std::to_string(max_bytes_) + " bytes";
      return stream_->Skip();
    }
    item.bytes = std::move(head);
    if (stream_->Read(info.size - std::min<std::uint64_t>(item.bytes.size(), info.size), item.bytes)) return true;
    item.bytes.clear();
    item.status = Outcome::kUnreadable;
    item.message = "its data cannot be read from " + path_;
    return false;
  }

  // The run is complete: a member with another key follows.
  void Flush() {
    const TarRun::Pairs pairs = run_.Pair();
    for (std::size_t i = 0; i < pictures_.size(); ++i) {
      bool has_caption = false, has_record = false;
      for (const std::size_t t : pairs.of_picture[i]) {
        Fill(run_.texts[t].found, pictures_[i]);
        (run_.texts[t].kind == MemberKind::kCaption ? has_caption : has_record) = true;
      }
      texts_.Fill(run_.pictures[i], !has_caption, !has_record, pictures_[i]);
      HandOut(run_.pictures[i].key, std::move(pictures_[i]));
    }
    pictures_.clear();
    // Pictures that come later may be theirs; those of a file have been collected before.
    if (reads_once_) texts_.Keep(run_);
    run_ = {};
  }

  void HandOut(const std::string& name, ImageItem item) {
    const std::string key = name.empty() ? "__unnamed__" : name;
    if (const Metadata* found = table_.Find(key)) datasets::Fill(*found, item);
    item.key = key;
    for (int n = 2; !keys_.insert(item.key).second; ++n) item.key = key + "#" + std::to_string(n);
    ready_.push_back(std::move(item));
  }

  void EndOfMembers() {
    Flush();
    // A pipe is read once; an address can be read again, for as much as it costs.
    if (links_.empty() || (reads_once_ && !fetch_) || !Fault().empty()) return EndOfLinks();
    ResolveChains();
    OpenStream();
    phase_ = Phase::kLinks;
  }

  // A link may lead to another one.
  void ResolveChains() {
    std::map<std::string, std::string> next;
    for (const auto& [target, name] : links_) next.emplace(Normal(name.name), target);
    std::multimap<std::string, MemberName> resolved;
    for (auto& [target, name] : links_) {
      std::string end = target;
      constexpr int kLongestChain = 8;
      auto step = next.find(end);
      for (int i = 0; i < kLongestChain && step != next.end(); ++i, step = next.find(end)) end = step->second;
      resolved.emplace(std::move(end), std::move(name));
    }
    links_ = std::move(resolved);
  }

  // On the second way through: a member that links may lead to.
  void TakeTarget(const TarMemberInfo& info) {
    const auto [begin, end] = links_.equal_range(Normal(info.name));
    if (begin == end || !info.is_file) {
      if (!stream_->Skip()) Broken();
      return;
    }
    for (auto link = begin; link != end; ++link) linked_names_.push_back(std::move(link->second));
    links_.erase(begin, end);
    std::reverse(linked_names_.begin(), linked_names_.end());  // they are taken from the end
    Member member = TellMember(*stream_, info);
    bool is_whole = member.is_whole;
    if (member.kind == MemberKind::kPicture) {
      is_whole = ReadPicture(info, std::move(member.head), linked_);
    } else {
      for (const MemberName& name : linked_names_) notes_.Leave("link", name.name);
      linked_names_.clear();
      is_whole = is_whole && stream_->Skip();
    }
    if (!is_whole) Broken();
  }

  // One copy at a time, whatever the number of links to a picture.
  void HandOutLinked() {
    const MemberName name = std::move(linked_names_.back());
    linked_names_.pop_back();
    ImageItem copy = linked_;
    copy.path = path_ + ":" + name.name;
    texts_.Fill(name, true, true, copy);
    HandOut(name.key, std::move(copy));
  }

  void EndOfLinks() {
    phase_ = Phase::kEnd;
    for (const auto& [target, name] : links_) {
      if (!NamePromisesPicture(name.name)) {
        notes_.Leave("link", name.name);
        continue;
      }
      ImageItem item;
      item.path = path_ + ":" + name.name;
      item.status = Outcome::kUnreadable;
      item.message = "is a link to " + target + ", which was not found in the archive";
      HandOut(name.key, std::move(item));
    }
    links_.clear();
    if (fault_.empty() || fetch_) return;
    ImageItem item;
    item.path = path_;
    item.status = Outcome::kUnreadable;
    item.message = path_ + ": the archive is damaged here: " + fault_ + "; what came before was read";
    HandOut("__archive__", std::move(item));
  }

  // What came before is whole, also what links there lead to.
  void Broken() {
    if (fault_.empty()) fault_ = stream_->Fault();
    if (phase_ == Phase::kMembers) return EndOfMembers();
    EndOfLinks();
  }

  std::string path_;
  std::uint64_t max_bytes_;
  std::optional<FetchOptions> fetch_;
  bool reads_once_ = false;
  Phase phase_ = Phase::kBegin;
  std::optional<TarStream> stream_;
  CrawlTable table_;
  TarTexts texts_;
  TarRun run_;                       // that is being collected
  std::vector<ImageItem> pictures_;  // its pictures
  std::multimap<std::string, MemberName> links_;  // by the member that they lead to
  std::vector<MemberName> linked_names_;          // of links to linked_, to be handed out
  ImageItem linked_;
  std::string fault_;                             // of a broken archive
  std::set<std::string> keys_;
  std::deque<ImageItem> ready_;
  SideNotes notes_;
};

}  // namespace

std::unique_ptr<ItemReader> OpenTar(const std::string& path, std::uint64_t max_bytes) {
  return std::make_unique<TarReader>(path, max_bytes, std::nullopt);
}

std::unique_ptr<ItemReader> FetchTar(const std::string& address, const FetchOptions& fetch, std::uint64_t max_bytes) {
  return std::make_unique<TarReader>(address, max_bytes, fetch);
}

}  // namespace auforge::datasets
