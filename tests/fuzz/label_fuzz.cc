// Label files of every layout: the first byte chooses the layout, the rest is the content of its label file, in a folder
// where everything else is in order. What is accepted has intensities in range, and every fault has a text.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "datasets/labels/label_set.h"

namespace {

namespace fs = std::filesystem;

struct Layout {
  const char* source;
  const char* file;                   // what the input becomes, below the layout's folder
  bool by_file;                       // the importer is given the file, not the folder
  std::vector<const char*> pictures;  // empty files
};

const std::vector<Layout>& Layouts() {
  static const std::vector<Layout> layouts = {
      {"csv", "labels.csv", true, {"a.jpg"}},
      {"openface", "a.csv", true, {"a.jpg", "a/frame_0001.jpg"}},
      {"emotionet", "manual.csv", true, {"N_1.jpg"}},
      {"emotionet-auto", "automatic.txt", true, {"N_1.jpg"}},
      {"cfee", "summary.csv", true, {"s110/09_110_2555.jpg"}},
      {"ganimation", "aus_openface.csv", false, {"imgs/one.jpg"}},
      {"disfa", "ActionUnit_Labels/SN001/SN001_au12.txt", false, {"Videos_LeftCamera/LeftVideoSN001_comp/00001.png"}},
      {"disfaplus", "Labels/SN001/A1/AU12.txt", false, {"Images/SN001/A1/000.jpg"}},
      {"unbc", "Frame_Labels/FACS/042-ll042/ll042t1/ll042t1001_facs.txt", false, {"Images/042-ll042/ll042t1/ll042t1001.png"}},
      {"ckplus", "FACS/S005/001/S005_001_00000011_facs.txt", false, {"cohn-kanade-images/S005/001/S005_001_00000011.png"}},
      {"bp4d", "AUCoding/AU_OCC/F001_T1.csv", false, {"F001/T1/0010.jpg"}}};
  return layouts;
}

// A folder for each layout, made once and removed at the end.
class Folders {
 public:
  Folders() : root_((fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()) /
                    ("auforge-label-fuzz-" + std::to_string(getpid()))) {
    for (const Layout& layout : Layouts()) {
      for (const char* picture : layout.pictures) Write(Of(layout) / picture, "picture");
      Write(Of(layout) / layout.file, "");
    }
    Write(Of(Layouts()[5]) / "train_ids.csv", "one.jpg\n");
  }
  ~Folders() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  Folders(const Folders&) = delete;
  Folders& operator=(const Folders&) = delete;

  fs::path Of(const Layout& layout) const { return root_ / layout.source; }
  static void Write(const fs::path& path, std::string_view text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
  }

 private:
  fs::path root_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace auforge::datasets;
  static const Folders folders;
  if (size == 0) return 0;
  const Layout& layout = Layouts()[data[0] % Layouts().size()];
  const fs::path file = folders.Of(layout) / layout.file;
  Folders::Write(file, {static_cast<const char*>(static_cast<const void*>(data + 1)), size - 1});
  try {
    const LabelSet set = ImportLabels(layout.source, (layout.by_file ? file : folders.Of(layout)).string(), {});
    for (const LabelledImage& image : set.images) {
      if (image.image.empty() || image.intensity.size() != set.schema.size()) std::abort();
      for (const float value : image.intensity) {
        if (!std::isnan(value) && !(value >= 0 && value <= 5)) std::abort();
      }
    }
    for (const std::string& fault : set.faults) {
      if (fault.empty()) std::abort();
    }
  } catch (const std::runtime_error& error) {
    if (std::string_view(error.what()).empty()) std::abort();
  }
  return 0;
}
