#include <algorithm>
#include <functional>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "datasets/internal/stored_text.h"
#include "datasets/live_source.h"
#include "features/number.h"

namespace auforge::datasets {
namespace {

std::uint64_t Hash(const std::string& key, std::string_view rest) {
  std::string text = key;
  text.push_back('\0');
  return std::hash<std::string>{}(text.append(rest));
}

std::string_view Text(const std::array<std::uint8_t, 32>& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// "photo.jpg#3" -> 3 and "photo.jpg".
std::optional<std::uint64_t> VersionOf(const std::string& key, std::string& file) {
  const std::size_t mark = key.rfind('#');
  if (mark == std::string::npos || mark == 0) return std::nullopt;
  const auto number = features::ParseCount(key.substr(mark + 1), 1'000'000'000);
  if (!number || *number < 2) return std::nullopt;
  file = key.substr(0, mark);
  return *number;
}

}  // namespace

struct KnownFiles::Impl {
  std::unordered_set<std::uint64_t> states, contents;
  std::unordered_map<std::uint64_t, std::uint64_t> versions;  // of a key: the highest that has a row

  void Add(const std::string& key, const std::string& state, const std::array<std::uint8_t, 32>& sha256,
           std::uint64_t version) {
    states.insert(Hash(key, state));
    if (sha256 != std::array<std::uint8_t, 32>{}) contents.insert(Hash(key, Text(sha256)));
    std::uint64_t& highest = versions[Hash(key, "")];
    highest = std::max(highest, version);
  }
};

KnownFiles::KnownFiles() : impl_(std::make_unique<Impl>()) {}
KnownFiles::KnownFiles(KnownFiles&&) noexcept = default;
KnownFiles& KnownFiles::operator=(KnownFiles&&) noexcept = default;
KnownFiles::~KnownFiles() = default;

void KnownFiles::Learn(const ShardReader& shard) {
  const auto states = shard.ExtraText("/samples/file_state");
  for (std::size_t row = 0; row < shard.SampleCount(); ++row) {
    const SampleRecord& sample = shard.Sample(row);
    const std::string state = states && row < states->values.size() ? states->values[row] : "";
    impl_->Add(sample.key, state, sample.sha256, 1);
    // It may be a version of another file, or a file that is called so.
    std::string file;
    if (const auto version = VersionOf(sample.key, file)) impl_->Add(file, state, sample.sha256, *version);
  }
}

bool KnownFiles::HasState(const std::string& key, const std::string& state) const {
  return impl_->states.contains(Hash(StoredText(key), state));
}

bool KnownFiles::Enter(std::string& key, const std::string& state, const std::array<std::uint8_t, 32>& sha256) {
  const std::string stored = StoredText(key);
  const bool is_known = impl_->contents.contains(Hash(stored, Text(sha256)));
  const auto found = impl_->versions.find(Hash(stored, ""));
  const std::uint64_t version = (found == impl_->versions.end() ? 0 : found->second) + (is_known ? 0 : 1);
  impl_->Add(stored, state, sha256, version);
  if (!is_known && version > 1) key += "#" + std::to_string(version);
  return !is_known;
}

}  // namespace auforge::datasets
