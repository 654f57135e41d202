// `gan eval --judge`: figures of edits that lie in files, whoever made them.
#pragma once

#include <string>

namespace auforge::tools {

struct JudgeArguments {
  std::string judge = {};      // "mesh:POINTS.h5" or "annotator"
  std::string pictures = {};   // folder of pictures; may be empty for mesh
  std::string renderer = {};   // CSV of the renderer's movements; empty: the one that comes with the program
  std::string movements = {};  // CSV to write; empty: none
  std::string embedding = {};  // dlib's face recognition network; empty: identity is not measured
  std::string json_file = {};
  bool json = false, quiet = false;
};

// Prints the figures. Throws UsageError for the arguments, BadInputError and BadContent for what is in the files.
int RunJudge(const JudgeArguments& arguments);

}  // namespace auforge::tools
