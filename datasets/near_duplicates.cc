#include "datasets/near_duplicates.h"

#include <algorithm>

namespace auforge::datasets {
namespace {

// A band's values are far from evenly spread: many faces share theirs.
std::size_t Slot(std::uint32_t band, std::size_t slots) {
  return static_cast<std::size_t>((std::uint64_t{band} * 0x9E3779B97F4A7C15U) >> 32) & (slots - 1);
}

}  // namespace

template <typename Visit>
void NearDuplicateSet::VisitCandidates(const features::ImageHash& hash, const Visit& visit) const {
  if (hash.IsNone() || hashes_.empty()) return;
  const auto bands = features::BandsOf(hash);
  for (std::size_t b = 0; b < bands.size(); ++b) {
    const Band& band = bands_[b];
    for (std::uint32_t at = band.first[Slot(bands[b], band.first.size())]; at != 0; at = band.next[at - 1]) {
      if (features::AreNearDuplicates(hash, hashes_[at - 1])) visit(at - 1);
    }
  }
}

std::optional<std::uint32_t> NearDuplicateSet::Find(const features::ImageHash& hash) const {
  std::optional<std::uint32_t> first;
  VisitCandidates(hash, [&first](std::uint32_t found) { first = std::min(first.value_or(found), found); });
  return first;
}

std::vector<std::uint32_t> NearDuplicateSet::FindAll(const features::ImageHash& hash) const {
  std::vector<std::uint32_t> all;
  VisitCandidates(hash, [&all](std::uint32_t found) { all.push_back(found); });
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void NearDuplicateSet::Insert(const features::ImageHash& hash) {
  hashes_.push_back(hash);
  if (hashes_.size() > bands_[0].first.size()) return Grow();
  const auto bands = features::BandsOf(hash);
  for (std::size_t b = 0; b < bands.size(); ++b) {
    std::uint32_t& first = bands_[b].first[Slot(bands[b], bands_[b].first.size())];
    bands_[b].next.push_back(first);
    first = static_cast<std::uint32_t>(hashes_.size());
  }
}

void NearDuplicateSet::Grow() {
  const std::size_t slots = std::max<std::size_t>(1024, 2 * bands_[0].first.size());
  for (Band& band : bands_) {
    band.first.assign(slots, 0);
    band.next.assign(hashes_.size(), 0);
  }
  for (std::size_t i = 0; i < hashes_.size(); ++i) {
    const auto bands = features::BandsOf(hashes_[i]);
    for (std::size_t b = 0; b < bands.size(); ++b) {
      std::uint32_t& first = bands_[b].first[Slot(bands[b], slots)];
      bands_[b].next[i] = first;
      first = static_cast<std::uint32_t>(i + 1);
    }
  }
}

}  // namespace auforge::datasets
