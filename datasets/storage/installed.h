// What lies beside the program that runs: its models and the programs that belong to it, found relative to itself, so
// that an installation may be moved. Stateless; thread-safe.
//
//   PREFIX/bin/auforge, PREFIX/share/auforge/default.h5        an installation
//   PREFIX/libexec/auforge/auforge (started by PREFIX/bin/auforge)   the archive that brings its own libraries
//   auforge/_core.so, auforge/models/landmarks.net         Python's package
#pragma once

#include <string>

namespace auforge::datasets::storage {

// The file of the program that runs, links resolved; also where a loader was started with the program as its argument.
// Empty where the system does not tell.
std::string ProgramPath();
// A program that comes with this one, "auforge-gan"; empty where there is none beside it.
std::string ProgramBeside(const std::string& name);
// A file of PREFIX/share/auforge, or of Python's package; empty where the program is not installed or lacks it.
std::string InstalledFile(const std::string& name);

}  // namespace auforge::datasets::storage
