#include "datasets/input_identity.h"

#include <sys/stat.h>

#include "datasets/internal/stored_text.h"
#include "datasets/storage/checksum.h"

namespace auforge::datasets {
namespace {

// False where the item could not be read although it could be then.
bool IsReadable(const ImageItem& item, const SampleRecord& sample) {
  return item.status != Outcome::kUnreadable || sample.status == Outcome::kUnreadable;
}

bool IsSame(const ImageItem& item, const SampleRecord& sample) {
  if (StoredText(item.key) != sample.key || StoredText(item.url) != sample.url ||
      StoredText(item.keywords) != sample.keywords || StoredText(item.licence) != sample.licence ||
      StoredText(item.robots) != sample.robots) {
    return false;
  }
  if (item.status != Outcome::kOk) return item.status == sample.status;
  return storage::Sha256(item.bytes) == sample.sha256;
}

}  // namespace

std::string FileStateDigest(const std::vector<std::string>& files) {
  std::string text;
  for (const std::string& file : files) {
    struct stat status {};
    text += file.substr(file.rfind('/') + 1);
    if (stat(file.c_str(), &status) == 0) {
      for (const std::int64_t number :
           {std::int64_t{status.st_size}, std::int64_t{status.st_mtim.tv_sec}, std::int64_t{status.st_mtim.tv_nsec},
            std::int64_t{status.st_ctim.tv_sec}, std::int64_t{status.st_ctim.tv_nsec}}) {
        text += " " + std::to_string(number);
      }
    }
    text += "\n";
  }
  return storage::Sha256Hex(text).substr(0, 32);
}

Comparison CompareItems(const ShardReader& shard, ItemReader& items, const std::function<bool()>& stop) {
  std::size_t row = 0;
  for (ImageItem item; items.Next(item); ++row) {
    if (stop && stop()) return Comparison::kStopped;
    // An archive that cannot be read to its end says so in one more item, whose key no image has.
    const bool is_known = row < shard.SampleCount();
    if (item.status == Outcome::kUnreadable && (!is_known || !IsReadable(item, shard.Sample(row))))
      return Comparison::kUnreadable;
    if (!is_known || !IsSame(item, shard.Sample(row))) return Comparison::kOther;
    item = {};
  }
  if (stop && stop()) return Comparison::kStopped;
  if (!items.Fault().empty()) return Comparison::kUnreadable;
  return row == shard.SampleCount() ? Comparison::kSame : Comparison::kOther;
}

}  // namespace auforge::datasets
