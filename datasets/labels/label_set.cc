#include "datasets/labels/label_set.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <stdexcept>

#include "datasets/labels/internal/importer.h"
#include "datasets/labels/internal/picture_index.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/paths.h"
#include "features/number.h"

namespace auforge::datasets {
namespace {

struct Known {
  const char* name;
  const char* what;
  labels::Importer import;
  bool is_table = false;  // names its pictures one by one, wherever they are
};
constexpr std::array<Known, 11> kKnown{{
    {"bp4d",
     "AUCoding/AU_OCC/F001_T1.csv, AUCoding/AU_INT/AU06/F001_T1*.csv, frames in F001/T1/ or images=DIR",
     labels::ImportBp4d},
    {"cfee",
     "CSV export of AU_annotation_all_subjects.xls (sheet summary); pictures below its folder or images=DIR",
     labels::ImportCfee,
     true},
    {"ckplus", "FACS/S005/001/*_facs.txt and cohn-kanade-images/", labels::ImportCkPlus},
    {"csv",
     "header image[,subject],AU1,AU12,...; pictures by name or key beside the file or in images=DIR|TAR; scale=3: "
     "levels 0..3",
     labels::ImportPlainCsv,
     true},
    {"disfa", "ActionUnit_Labels/SN001/SN001_au1.txt and Videos_LeftCamera/LeftVideoSN001_comp.avi or a folder of frames",
     labels::ImportDisfa},
    {"disfaplus", "Labels/SNxxx/<trial>/AU1.txt and Images/SNxxx/<trial>/", labels::ImportDisfaPlus},
    {"emotionet", "the manual CSV: URL,URL orig,'AU 1',...; pictures in images=DIR",
     labels::ImportEmotioNetManual,
     true},
    {"emotionet-auto", "the automatic TAB file: URL, original URL, AU1..AU60; pictures in images=DIR",
     labels::ImportEmotioNetAutomatic,
     true},
    {"ganimation", "imgs/, train_ids.csv, test_ids.csv and aus_openface.csv or OpenFace files",
     labels::ImportGanimation},
    {"openface", "an OpenFace CSV or a folder of them; pictures or the video beside them, or images=DIR|VIDEO",
     labels::ImportOpenFace},
    {"unbc", "Frame_Labels/FACS/ and Images/", labels::ImportUnbc},
}};

const Known* Find(const std::string& name) {
  for (const Known& known : kKnown) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

// The folds that papers on DISFA use.
constexpr std::array<std::array<int, 9>, 3> kDisfaFolds{{{2, 10, 1, 26, 27, 32, 30, 9, 16},
                                                         {13, 18, 11, 28, 12, 6, 31, 21, 24},
                                                         {3, 29, 23, 25, 8, 5, 7, 17, 4}}};

int DisfaFold(const std::string& subject) {
  const std::size_t digits = std::min(subject.find_first_of("0123456789"), subject.size());
  const std::size_t end = std::min(subject.find_first_not_of("0123456789", digits), subject.size());
  const auto number = features::ParseWhole(std::string_view(subject).substr(digits, end - digits)).value_or(0);
  for (std::size_t f = 0; f < kDisfaFolds.size(); ++f) {
    if (std::find(kDisfaFolds[f].begin(), kDisfaFolds[f].end(), number) != kDisfaFolds[f].end()) {
      return static_cast<int>(f) + 1;
    }
  }
  return 0;
}

// Labels that look as if 1 stood for the most intense. A face at rest looks like that on FACS's scale, too, so it is
// said and not guessed.
void NoteScale(const std::string& path, LabelSet& set) {
  if (!set.graded) return;
  bool is_any = false, is_between = false;
  for (const LabelledImage& image : set.images) {
    for (const float value : image.intensity) {
      if (value > 1) return;
      is_any = is_any || value > 0;
      is_between = is_between || (value > 0 && value < 1);
    }
  }
  // Codes of DISFA and the like are FACS grades; those of a table of one's own may say presence.
  const bool may_be_presence = set.source == "csv" || set.source == "ganimation";
  if (!is_between && !(is_any && may_be_presence)) return;
  set.notes.push_back(path + ": every label " + (is_between ? "lies within 0..1" : "is 0 or 1") +
                      "; taken as FACS intensities of 0..5, where 1 is the faintest. If 1 stands for the most "
                      "intense, say scale=1; scale=5 says that this is right");
}

}  // namespace

std::string NameOf(const LabelledImage& image) {
  return image.image + (image.member.empty() ? "" : ":" + image.member) +
         (image.frame > 0 ? ":" + std::to_string(image.frame) : "");
}

std::string KeyOf(const LabelledImage& image) {
  return labels::PictureKey(image.member.empty() ? image.image : image.member);
}

LabelPart PartOf(const LabelledImage& image) {
  const std::string digest = storage::Sha256Hex(image.subject.empty() ? KeyOf(image) : image.subject);
  std::uint32_t number = 0;
  for (const char c : digest.substr(0, 4)) number = 16 * number + static_cast<std::uint32_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  return static_cast<double>(number) / 65536 < kJudgeShare ? LabelPart::kJudge : LabelPart::kLearn;
}

void SelectPart(LabelSet& set, LabelPart part) {
  if (part == LabelPart::kAll) return;
  std::erase_if(set.images, [part](const LabelledImage& image) { return PartOf(image) != part; });
}

void LabelOptions::Validate() const {
  const auto need = [](bool good, const std::string& text) {
    if (!good) throw std::invalid_argument("labels." + text);
  };
  need(folds >= 2 && folds <= 1000, "folds = " + std::to_string(folds) + "; must be 2..1000");
  need(fold >= 0 && fold <= folds,
       "fold = " + std::to_string(fold) + "; must be 0.." + std::to_string(folds));
  need(every >= 1, "every = " + std::to_string(every) + "; must be >= 1");
  need(scale == 0 || scale == 1 || scale == 3 || scale == kMostIntense,
       "scale = " + std::to_string(scale) + "; must be 1 or 5, the value of the most intense, or 3 for levels");
  need(camera == "left" || camera == "right", "camera = " + camera + "; must be left or right");
}

void LabelOptions::ValidateFor(const std::string& source) const {
  Validate();
  const Known* known = Find(source);
  const auto need = [&](bool good, const std::string& text) {
    if (!good) throw std::invalid_argument("labels." + text);
  };
  need(scale != 3 || source == "csv", "scale = 3: levels are for csv; " + source + " has a scale of its own");
  need(!drop_doubts || source == "csv", "doubt: is for csv; " + source + " has no doubts");
  need(part == LabelPart::kAll || source != "ganimation",
       "part: ganimation brings its own two lists; choose train or test");
  need(images.size() <= 1 || (known != nullptr && known->is_table), "images: " + source + " takes one folder");
}

const std::vector<LabelSource>& LabelSources() {
  static const std::vector<LabelSource> sources = [] {
    std::vector<LabelSource> all;
    for (const Known& known : kKnown) all.push_back({known.name, known.what});
    return all;
  }();
  return sources;
}

bool IsLabelSource(const std::string& name) { return Find(name) != nullptr; }

LabelSet ImportLabels(const std::string& source, const std::string& path, const LabelOptions& options) {
  const Known* known = Find(source);
  if (known == nullptr) throw std::invalid_argument("labels: unknown source " + source);
  options.ValidateFor(source);
  for (const std::string& place : options.images) {
    if (!storage::Exists(place)) throw std::runtime_error(place + ": no such folder or tar of pictures");
  }
  storage::RequireThere(path, "no such file or folder");
  LabelSet set = known->import(path, options);
  set.source = source;
  if (options.scale == 0) {
    NoteScale(path, set);
  } else if (!set.graded) {
    throw std::invalid_argument("labels.scale: " + source + " says presence only, there is nothing to scale");
  }
  // GANimation's folders bring their own two lists.
  if (options.fold > 0 && source != "ganimation") SelectFold(set, options);
  SelectPart(set, options.part);
  return set;
}

void SelectFold(LabelSet& set, const LabelOptions& options) {
  // Subjects in order of name are dealt out in turn; pictures of unknown people are people of their own.
  std::set<std::string> names;
  for (const LabelledImage& image : set.images)
    names.insert(image.subject.empty() ? NameOf(image) : image.subject);
  const std::vector<std::string> order(names.begin(), names.end());
  const bool disfa = set.source == "disfa" && options.folds == 3;
  std::erase_if(set.images, [&](const LabelledImage& image) {
    const std::string name = image.subject.empty() ? NameOf(image) : image.subject;
    int fold = disfa ? DisfaFold(name) : 0;
    if (!disfa) {
      const auto at = std::lower_bound(order.begin(), order.end(), name) - order.begin();
      fold = static_cast<int>(at % options.folds) + 1;
    }
    return (fold == options.fold) == options.train;
  });
}

}  // namespace auforge::datasets
