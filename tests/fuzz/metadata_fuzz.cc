// Captions and JSON records beside images: any bytes give texts that are UTF-8 and no longer than a shard keeps, soon.
#include <cstdlib>
#include <string_view>

#include "datasets/internal/metadata.h"
#include "datasets/internal/shard_layout.h"
#include "datasets/internal/text_encoding.h"

namespace {

void Check(const auforge::datasets::Metadata& found) {
  for (const std::string* text : {&found.url, &found.caption, &found.licence, &found.robots}) {
    if (text->size() > auforge::datasets::layout::kLongestText || !auforge::datasets::IsUtf8(*text)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Check(auforge::datasets::ReadJsonRecord(bytes));
  Check(auforge::datasets::ReadCaption(bytes));
  return 0;
}
