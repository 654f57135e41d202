// Lists of paths, names and the kinds of files: any bytes give paths that are not empty and lie in the list, and a name's
// ending is part of the name.
#include <cstdlib>
#include <string_view>

#include "datasets/content_kind.h"
#include "datasets/internal/input_list.h"
#include "datasets/internal/tar_samples.h"
#include "datasets/internal/text_encoding.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace auforge::datasets;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string text = WithoutMark(bytes);
  for (const ListLine& line : ReadListLines(bytes)) {
    if (line.path.empty() || line.verbatim.find(line.path) == std::string::npos) std::abort();
    if (text.find(line.verbatim) == std::string::npos) std::abort();
    const std::string_view stem = WithoutEnding(line.path);
    if (!line.path.starts_with(stem) || (stem.empty() && NamePromisesPicture(line.path))) std::abort();
    const MemberName name = SplitMemberName(line.path);
    if (!name.stem.starts_with(name.sample) || (name.key != name.sample && name.key != name.stem)) std::abort();
    IsPictureFile(line.path, TellContent({data, std::min(size, kContentHead)}));
  }
  return 0;
}
