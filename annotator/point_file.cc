#include "annotator/point_file.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/paths.h"
#include "features/number.h"

namespace auforge::annotator {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kFirstPoint = 4, kFirstSeen = kFirstPoint + 2 * features::kLandmarkCount,
                      kColumns = kFirstSeen + features::kLandmarkCount;
constexpr double kFarthest = 1e6;  // pixels

std::string Header() {
  std::string line = "file,yaw,pitch,roll";
  for (std::size_t i = 0; i < features::kLandmarkCount; ++i)
    line += ",x" + std::to_string(i) + ",y" + std::to_string(i);
  for (std::size_t i = 0; i < features::kLandmarkCount; ++i) line += ",v" + std::to_string(i);
  return line;
}

std::vector<std::string> Fields(const std::string& line) {
  std::vector<std::string> fields;
  std::size_t begin = 0;
  for (std::size_t comma = line.find(','); comma != std::string::npos; comma = line.find(',', begin)) {
    fields.push_back(line.substr(begin, comma - begin));
    begin = comma + 1;
  }
  fields.push_back(line.substr(begin));
  return fields;
}

class TableReader {
 public:
  explicit TableReader(std::string path) : path_(std::move(path)) {}

  void Read(std::vector<PointRow>& rows) {
    std::istringstream lines(datasets::storage::ReadFile(path_));
    std::string line;
    while (std::getline(lines, line)) {
      ++line_;
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (line_ == 1) {
        if (line != Header()) Fail("is no table of points (file,yaw,pitch,roll,x0,y0,...,v67)");
      } else if (!line.empty()) {
        rows.push_back(Row(Fields(line)));
      }
    }
    if (line_ == 0) Fail("is empty");
  }

 private:
  [[noreturn]] void Fail(const std::string& fault) const {
    throw datasets::storage::BadContent(path_ + (line_ > 1 ? ":" + std::to_string(line_) : "") + ": " + fault);
  }
  std::optional<float> Number(const std::string& field) const {
    if (field.empty()) return std::nullopt;
    const auto value = features::ParseNumber(field);
    if (!value || std::abs(*value) > kFarthest) Fail("\"" + field + "\" is no number of degrees or pixels");
    return static_cast<float>(*value);
  }
  PointRow Row(const std::vector<std::string>& fields) const {
    if (fields.size() != kColumns)
      Fail("has " + std::to_string(fields.size()) + " fields; needs " + std::to_string(kColumns));
    PointRow row;
    if (fields[0].empty()) Fail("names no picture");
    row.picture = (fs::path(path_).parent_path() / fields[0]).string();
    float* pose[] = {&row.pose.yaw, &row.pose.pitch, &row.pose.roll};
    for (std::size_t i = 0; i < std::size(pose); ++i) *pose[i] = Number(fields[1 + i]).value_or(*pose[i]);
    for (std::size_t i = 0; i < features::kLandmarkCount; ++i) {
      const auto x = Number(fields[kFirstPoint + 2 * i]), y = Number(fields[kFirstPoint + 2 * i + 1]);
      if (x.has_value() != y.has_value()) Fail("half of point " + std::to_string(i) + " is missing");
      row.known[i] = x.has_value();
      row.points[i] = {x.value_or(0), y.value_or(0)};
      const std::string& seen = fields[kFirstSeen + i];
      if (!(seen.empty() || seen == "0" || seen == "1")) Fail("\"" + seen + "\" is neither 0 nor 1");
      row.seen[i] = static_cast<std::int8_t>(seen.empty() ? -1 : seen[0] - '0');
    }
    return row;
  }

  std::string path_;
  std::size_t line_ = 0;
};

}  // namespace

std::vector<PointRow> ReadPointTables(const std::string& path) {
  std::vector<std::string> tables;
  if (datasets::storage::IsThere(path) && fs::is_directory(path)) {
    for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("points_") && name.ends_with(".csv")) tables.push_back(entry.path().string());
    }
    if (tables.empty()) throw std::runtime_error(path + ": holds no points_*.csv; write them with 'auforge synth faces --images'");
    std::sort(tables.begin(), tables.end());
  } else {
    tables = {path};
  }
  std::vector<PointRow> rows;
  for (const std::string& table : tables) TableReader(table).Read(rows);
  return rows;
}

}  // namespace auforge::annotator
