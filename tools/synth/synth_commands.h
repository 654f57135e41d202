// The commands below `auforge synth`, one file each.
#pragma once

#include "tools/cli/cli.h"

namespace auforge::tools {

void AddSynthFaces(Command& synth);
void AddSynthSheet(Command& synth);
void AddSynthStats(Command& synth);

}  // namespace auforge::tools
