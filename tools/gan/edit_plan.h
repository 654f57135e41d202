// Which photos of a folder are edited, and what the results are called. Stateless.
#pragma once

#include <string>
#include <vector>

namespace auforge::tools {

struct PlannedEdit {
  std::string from;  // the photo
  std::string to;    // the PNG; no two are the same
  int error = 0;     // errno where the photo cannot be read
};

struct EditPlan {
  std::vector<PlannedEdit> edits;
  std::string left_out;  // what else the folder holds, for people; empty when nothing
};

// Photos by the rule of annotation (datasets::ListPictures), those of subfolders into subfolders of the same names:
// d/a.jpg becomes OUTPUT/a.png; where that name would be given twice, it keeps the photo's ending (a.jpg.png). An output
// folder that lies in the folder of photos is not read. Throws UsageError where a photo, or any file that lies in the
// folder of photos, would be overwritten, BadInputError when there is no photo, std::runtime_error when the folder cannot
// be listed.
EditPlan PlanFolderEdit(const std::string& folder, const std::string& output);

// Throws UsageError when both are the same file, whatever their names.
void RefuseToOverwrite(const std::string& photo, const std::string& output);

}  // namespace auforge::tools
