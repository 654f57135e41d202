// What has come in since the last round.
#pragma once

#include <string>
#include <vector>

#include "tools/loop/plan.h"
#include "tools/loop/work_folder.h"

namespace auforge::tools {

struct NewInputs {
  std::vector<InputFile> files;  // sorted by path: pictures, tars, videos
  std::size_t known = 0;         // files that earlier rounds have had
  std::size_t young = 0;         // left for the next round
};

// Looks through the plan's inputs. A file is known by its path, size and time of change; one of a known path that has
// changed is new. Throws std::runtime_error naming an input of which nothing is there yet, or that cannot be listed.
NewInputs FindNewInputs(const LoopPlan& plan, const WorkFolder& work);

}  // namespace auforge::tools
