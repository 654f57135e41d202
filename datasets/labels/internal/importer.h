// What the importers share: looking for pictures, checking values, collecting faults.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/labels/internal/text_table.h"
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

// An empty set whose values are read on the scale that the options say.
LabelSet EmptySet(const LabelOptions& options);

// A whole number of 0..1e9, a year of video; "12.0" is one.
std::optional<long> FrameNumber(std::string_view text);
// "FILE:LINE: text" to the faults; line 0 = the whole file.
void AddFault(LabelSet& set, const std::string& file, std::size_t line, const std::string& text);
// An intensity on the set's scale as a label of 0..5; anything else is a fault and NaN.
float CheckedIntensity(LabelSet& set, const std::string& file, std::size_t line, int au, double value);
// How tables write that nothing is known: "", nan, NA, null, none, 999.
bool IsUnknown(const std::string& field);
// A table's field as an intensity: what is no number is a fault and NaN, what says that nothing is known ("", NA, nan) NaN.
float IntensityOf(LabelSet& set, const TextTable& table, std::size_t line, int au, const std::string& field);

// Folders and files of a folder, sorted by name; empty when there is none.
std::vector<std::string> SubFolders(const std::string& folder);
std::vector<std::string> FilesWith(const std::string& folder, const std::vector<std::string>& extensions);
// Those that are pictures, as annotate tells them: by content.
std::vector<std::string> PicturesOf(const std::string& folder);
// Endings of pictures' names, "" first: for those that are looked for by a name without it.
inline constexpr std::array kPictureEndings{"",      ".jpg", ".jpeg", ".jpe",  ".jfif", ".png", ".bmp", ".webp",
                                            ".tif", ".tiff", ".gif", ".JPG", ".JPEG", ".PNG", ".BMP", ".TIF"};
// Pictures of a folder by the last number in their name: a video taken apart. Files with the same number are a fault
// that names both, and neither is given.
std::map<long, std::string> FramesOf(const std::string& folder, LabelSet& set);
// The last run of digits in a file's stem.
std::optional<long> LastNumber(const std::string& stem);
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
