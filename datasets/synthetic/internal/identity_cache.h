// What pictures of one person share, made once by whichever thread comes first and kept while it is in use.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace auforge::datasets::synthetic::internal {

// Thread-safe. make() must depend on the key alone, so that it does not matter who calls it.
template <typename T>
class IdentityCache {
 public:
  template <typename Make>
  std::shared_ptr<const T> Get(std::uint64_t seed, std::uint64_t identity, const Make& make) {
    std::shared_ptr<Entry> entry;
    {
      const std::lock_guard lock(mutex_);
      auto& slot = entries_[{seed, identity}];
      if (!slot) slot = std::make_shared<Entry>();
      entry = slot;
      entry->used = ++clock_;
      while (entries_.size() > kMost) {
        entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                        [](const auto& a, const auto& b) { return a.second->used < b.second->used; }));
      }
    }
    const std::lock_guard lock(entry->mutex);
    if (!entry->value) entry->value = make();
    return entry->value;
  }

 private:
  static constexpr std::size_t kMost = 24;
  struct Entry {
    std::mutex mutex;
    std::shared_ptr<const T> value;
    std::uint64_t used = 0;  // guarded by the cache's mutex
  };
  std::mutex mutex_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::shared_ptr<Entry>> entries_;
  std::uint64_t clock_ = 0;
};

}  // namespace auforge::datasets::synthetic::internal
