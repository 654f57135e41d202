// An editor of faces as another program: auforge-gan answers over a pipe, so that auforge itself links no
// LibTorch.
//
// The protocol (auforge-gan edit-server): lines of text, numbers in decimal, pictures as that many bytes.
//   server:  READY 1 2 4 …                      FACS numbers it can be asked for
//   client:  EDIT <bytes> <n>\n, n lines "<FACS> <shown 0..5> <wanted 0..5>\n", the crop (JPEG or PNG)
//   server:  OK <bytes>\n and a PNG, or ERROR <message>\n
#pragma once

#include <memory>
#include <string>

#include "tools/crawl/explorer.h"

namespace auforge::tools {

// Starts the program (beside this one, or on the PATH) and waits until it is ready. Throws std::runtime_error
// with what it said when it is not built or refuses the checkpoint. The editor ends it when destroyed.
// method, checkpoint: as `gan edit` has them, each may be empty.
std::unique_ptr<FaceEditor> StartEditor(const std::string& method, const std::string& checkpoint);
// The same with another program in its place (tests).
std::unique_ptr<FaceEditor> StartEditor(const std::vector<std::string>& command, int seconds_to_start,
                                        int seconds_to_edit);

}  // namespace auforge::tools
