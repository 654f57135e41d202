// What the importers share: text tables, looking for pictures, collecting faults.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/labels/label_set.h"

namespace auforge::datasets::labels {

using Importer = LabelSet (*)(const std::string& path, const LabelOptions& options);
LabelSet ImportDisfa(const std::string& path, const LabelOptions& options);
LabelSet ImportDisfaPlus(const std::string& path, const LabelOptions& options);
LabelSet ImportUnbc(const std::string& path, const LabelOptions& options);
LabelSet ImportCfee(const std::string& path, const LabelOptions& options);
LabelSet ImportEmotioNetAutomatic(const std::string& path, const LabelOptions& options);
LabelSet ImportEmotioNetManual(const std::string& path, const LabelOptions& options);
LabelSet ImportCkPlus(const std::string& path, const LabelOptions& options);
LabelSet ImportBp4d(const std::string& path, const LabelOptions& options);
LabelSet ImportOpenFace(const std::string& path, const LabelOptions& options);
LabelSet ImportGanimation(const std::string& path, const LabelOptions& options);
LabelSet ImportPlainCsv(const std::string& path, const LabelOptions& options);

// Lines without their ends (\n or \r\n); a byte order mark is dropped. nullopt when the file cannot be read.
std::optional<std::vector<std::string>> ReadLines(const std::string& path);
// Fields of one line, quotes removed ("" inside quotes is one quote), blanks around them trimmed.
std::vector<std::string> SplitFields(std::string_view line, char separator);
// Fields between runs of blanks.
std::vector<std::string> SplitBlanks(std::string_view line);
// The whole text as a number; nullopt for anything else, and for what is not finite.
std::optional<double> ParseNumber(std::string_view text);
// "FILE:LINE: text" to the faults; line 0 = the whole file.
void AddFault(LabelSet& set, const std::string& file, std::size_t line, const std::string& text);
// An intensity of 0..5 as a label; anything else is a fault and NaN.
float CheckedIntensity(LabelSet& set, const std::string& file, std::size_t line, int au, double value);

// Folders and files of a folder, sorted by name; empty when there is none.
std::vector<std::string> SubFolders(const std::string& folder);
std::vector<std::string> FilesWith(const std::string& folder, const std::vector<std::string>& extensions);
// Pictures of a folder (jpg, jpeg, png) by the last number in their name: a video taken apart.
std::map<long, std::string> FramesOf(const std::string& folder);
// "SN001" of "…/SN001_au1.txt" and the like.
std::string Stem(const std::string& path);
// The first of the candidates that exists; "" when none does.
std::string FirstExisting(const std::vector<std::string>& candidates);
// The folder that options name for the pictures, else the published one.
std::string ImagesOr(const LabelOptions& options, const std::string& published);
// Joins a name to a folder unless it is absolute.
std::string Under(const std::string& folder, const std::string& name);

// Adds a row, or counts it as a label without its picture (with a fault for the first few of a source).
void AddImage(LabelSet& set, LabelledImage image);
// Throws std::runtime_error: "PATH: no … found; looked for …".
[[noreturn]] void NothingFound(const std::string& path, const std::string& looked_for);

}  // namespace auforge::datasets::labels
