// What the tests of users' commands share: running the programs through a shell, and the small inputs they need.
#pragma once

#include <string>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"

namespace auforge::tests {

// bash: redirections, process substitution, ulimit. "$AUFORGE" is the program, "$GAN" auforge-gan, "$MODEL" the AU
// model that comes with it.
ProgramOutcome InShell(const std::string& script);
// Whether $GAN is built.
bool HasGan();
// A WordNet of two words.
void WriteWordNet(const std::string& folder);
// Drawn people of the documentation, with faces.
std::string PhotoWithFaces();
// Names in a folder that tell of a file that was not finished.
std::string LeftoversIn(const std::string& folder);

}  // namespace auforge::tests
