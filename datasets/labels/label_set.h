// AU labels as published, from the layouts of the field: which picture, which person, which intensities.
//
//   LabelSet set = ImportLabels("disfa", "/data/DISFA", {});
//
// Nothing that is missing or malformed is passed over in silence: every such file or line is a fault with its
// name, and rows whose picture is not there stay out of the set. Not thread-safe objects; plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "features/au_schema.h"
#include "features/types.h"

namespace auforge::datasets {

// What a label says of an AU that is there but was not graded (CK+'s 0, EmotioNet's 1): FACS C, the middle
// of 1..5.
inline constexpr float kUngradedIntensity = 3;
inline constexpr int kMostIntense = 5;  // FACS E

struct LabelledImage {
  std::string image;                               // path of the picture, or of the video that holds it
  std::string subject;                             // whom it shows; "" = not known: a person of its own
  std::vector<float> intensity;                    // per AU of the set's schema, 0..5; NaN = not scored
  std::optional<features::Landmarks68> landmarks;  // where the label file brings them, pixels of the picture
  long frame = 0;                                  // of the video, from 1; 0: `image` is a picture
  std::string member = {};                         // of the tar that `image` then is: the picture's name in it
};

struct LabelSet {
  std::string source;         // "disfa", …
  features::AuSchema schema;  // the AUs that the source scores
  bool graded = true;         // false: presence only; 0 or kUngradedIntensity
  int scale = kMostIntense;   // what the label file writes for FACS E: 1 or 5
  std::vector<LabelledImage> images;
  std::vector<std::string> faults;       // "FILE: what is wrong", one each, in order
  std::vector<std::string> notes;        // "FILE: how it was understood", where that is worth a look
  // Videos whose labels speak of every frame: how many those are. Another number of frames is another video.
  std::map<std::string, long> frames_of_video;
  std::size_t labels_without_image = 0;  // rows left out for that
  std::size_t images_without_label = 0;  // pictures beside the labelled ones that no label speaks of
  std::size_t labelled_twice = 0;        // rows left out because an earlier row has their picture
};
// "FILE", "TAR:member" or "FILE:frame", for people.
std::string NameOf(const LabelledImage& image);
// What crawls call the picture: its file name, in a tar or not, without folders and without the ending of a picture.
std::string KeyOf(const LabelledImage& image);

// A fixed split that needs no list and knows nobody: whoever has the same pictures has the same parts. The part
// is that of a name: the subject where the labels name one, else the picture's file name without folder and
// ending. The first 16 bits of the name's SHA-256, as a number / 65536, are below kJudgeShare: to judge by.
enum class LabelPart { kAll, kLearn, kJudge };
inline constexpr double kJudgeShare = 0.30;
// The part of one image: kLearn or kJudge.
LabelPart PartOf(const LabelledImage& image);

struct LabelOptions {
  int fold = 0;                 // 0 = everything; 1..folds: the part of the subjects that fold tests on
  int folds = 3;                // DISFA: the usual three; elsewhere subjects dealt out in turn, 2..1000
  bool train = false;           // with a fold: everything but that part
  std::int64_t every = 1;       // of videos: every n-th labelled frame, >= 1
  std::string camera = "left";  // DISFA: left or right
  // Where the pictures are, if not where they are published. Tables (csv, cfee, emotionet) look in several
  // places, folders with everything below or tars; the other sources take one folder,
  // openface also the video.
  std::vector<std::string> images;
  // What graded labels write for the most intense: 1, or 5; 0: not said, 5 with a note where they look like 1. csv:
  // also 3, levels 0, 1 (A to B), 2 (C) and 3 (D to E), read as 0, 1.5, 3 and 4.5.
  int scale = 0;
  bool drop_doubts = false;  // csv: values that the column doubt names ("AU2 AU15"; 1: all of the row; 0, empty:
                             // none) are not known
  LabelPart part = LabelPart::kAll;  // not for ganimation, whose folders bring their own two lists
  void Validate() const;  // throws std::invalid_argument naming field and value
  void ValidateFor(const std::string& source) const;  // likewise, also for what this source does not have
};

struct LabelSource {
  std::string name;  // as in SPEC: "disfa"
  std::string what;  // one line: the layout that is expected
};
// Every source, in order of name.
const std::vector<LabelSource>& LabelSources();
bool IsLabelSource(const std::string& name);

// Throws std::invalid_argument for an unknown source, std::runtime_error when `path` is not there or holds
// nothing of that source; the message names what was looked for.
LabelSet ImportLabels(const std::string& source, const std::string& path, const LabelOptions& options);

// Keeps a subject-independent part of the images, as `options` says.
void SelectFold(LabelSet& set, const LabelOptions& options);
// Keeps the images of that part.
void SelectPart(LabelSet& set, LabelPart part);

}  // namespace auforge::datasets
