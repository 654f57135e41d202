// Writes the pictures that `gan eval --judge` judges: every face of a folder of photos at 0 and at 1 of each AU.
#pragma once

#include <string>

#include "tools/gan/expression_editor.h"

namespace auforge::tools {

struct JudgedWriterOptions {
  std::string photos;  // a folder of photos
  std::string output;  // a folder, new or empty: edits of two generators are not mixed
  std::string aus;     // "AU1,AU12"; empty: those that the judge knows movements of
  int count = 60;      // photos, spread evenly over those there are
  int min_face = 60;   // pixels
  bool quiet = false;
};

// Writes OUTPUT/original, OUTPUT/AU12_0, … (judged_pictures.h), PNGs named as the photos, and says on stdout how many.
// Photos that cannot be read or show no face are named on stderr and left out. Throws UsageError for the options,
// BadInputError when nothing is left.
int WriteJudgedPictures(const JudgedWriterOptions& options, const ExpressionEditor& editor);

}  // namespace auforge::tools
