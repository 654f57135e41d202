// One face as text: a JSON object, a CSV row. What comes from the crawl is escaped. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "datasets/shard.h"

namespace auforge::datasets {

// Everything the shard says of the face but its picture, on one line:
// {"shard":"00000.h5","face":0,"key":…,"url":…,"keywords":…,"licence":…,"robots":…,"image":{"width","height","sha256"},"face_index":0,
//  "box":[x,y,w,h],"pose":{"yaw","pitch","roll"},"quality","detector_score","emotion",
//  "emotion_score","emotion_rule","aus":{"AU1":{"intensity","probability","present","left","right"},…},"landmarks":[[x,y],…],"crop_from_image":[[…],[…]]}
// Numbers have the fewest digits that give the same float back.
std::string FaceJson(const ShardReader& shard, std::size_t face);

// One image that was labelled just now, on one line: {"image":NUMBER,"key":…,"url":…,"keywords":…,"licence":…,"robots":…,"status":"ok",
// "width","height","sha256","faces":[{…},…]}, each face with the members of FaceJson from face_index on; "message" where
// the status is another. header: of the faces.
std::string ImageJson(std::uint64_t number, const SampleRecord& sample, const std::string& message,
                      std::span<const FaceRecord> faces, const ShardHeader& header);

// Whether the shard tells the halves of its faces apart.
inline bool HasHalves(const ShardReader& shard) { return !shard.AuLeft().empty(); }

// RFC 4180 rows. The header and a row end without a line break. with_halves: at the end AU1_left … and AU1_right … of
// the AUs that have sides, empty where the shard does not tell.
std::string FaceCsvHeader(const features::AuSchema& schema, bool with_halves);
std::string FaceCsvRow(const ShardReader& shard, std::size_t face, bool with_halves);

// Quoted for JSON, bytes that are not UTF-8 replaced.
std::string JsonText(std::string_view text);
// Quoted for CSV where needed. A text that a spreadsheet would run as a formula (it starts with = + - @ or a
// tab) gets an apostrophe in front.
std::string CsvText(std::string_view text);
// The same text, bytes that are not UTF-8 replaced.
std::string CleanText(const std::string& text);
// The shortest decimal that gives the same float back; 0 for what is not finite.
std::string NumberText(float value);

}  // namespace auforge::datasets
