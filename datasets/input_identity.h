// Whether an input shard is still the one that a finished shard was made from. Cheap first: size and times of its
// files. Where those differ (a file was replaced, but also: copied, touched) the images themselves are compared.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "datasets/image_source.h"
#include "datasets/shard.h"

namespace auforge::datasets {

// A digest of name, size, and times (of content and inode) of every file, hex; one stat a file. Files that are not there
// count as such. Equal digests: nobody has touched the files in between. Of an address nothing but its last part counts.
std::string FileStateDigest(const std::vector<std::string>& files);

enum class Comparison {
  kSame,        // the shard has exactly these images, texts and failures
  kOther,       // it has not
  kUnreadable,  // cannot be told: something that could be read then cannot be read now
  kStopped,
};
// Reads items to the end, or to the first difference. Encoded images are compared by SHA-256. stop is asked for every
// item.
Comparison CompareItems(const ShardReader& shard, ItemReader& items, const std::function<bool()>& stop);

}  // namespace auforge::datasets
