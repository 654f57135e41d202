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
constexpr std::size_t kFirstPoint = 4, kFirstDense = 1;  // columns
constexpr double kFarthest = 1e6;  // pixels

std::string Header(std::string line, std::size_t points) {
  for (std::size_t i = 0; i < points; ++i) line += ",x" + std::to_string(i) + ",y" + std::to_string(i);
  for (std::size_t i = 0; i < points; ++i) line += ",v" + std::to_string(i);
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
    ReadLines("file,yaw,pitch,roll", features::kLandmarkCount, "is no table of points (file,yaw,pitch,roll,x0,y0,...,v67)", [&](const auto& fields) {
      PointRow& row = rows.emplace_back();
      row.picture = Picture(fields);
      float* pose[] = {&row.pose.yaw, &row.pose.pitch, &row.pose.roll};
      for (std::size_t i = 0; i < std::size(pose); ++i) *pose[i] = Number(fields[1 + i]).value_or(*pose[i]);
      TakePoints(fields, kFirstPoint, row.points, row.seen, [&](std::size_t i, bool known) { row.known[i] = known; });
    });
  }
  void Read(std::vector<DenseRow>& rows) {
    ReadLines("file", features::kDenseCount, "is no table of dense points (file,x0,y0,...,v81)", [&](const auto& fields) {
      DenseRow& row = rows.emplace_back();
      row.picture = Picture(fields);
      TakePoints(fields, kFirstDense, row.points, row.seen, [&](std::size_t i, bool known) {
        if (!known) Fail("point " + std::to_string(i) + " is missing");
      });
    });
  }

 private:
  [[noreturn]] void Fail(const std::string& fault) const {
    throw datasets::storage::BadContent(path_ + (line_ > 1 ? ":" + std::to_string(line_) : "") + ": " + fault);
  }
  template <typename Take>
  void ReadLines(const std::string& before, std::size_t points, const std::string& other, const Take& take) {
    const std::string header = Header(before, points);
    const auto columns = static_cast<std::size_t>(std::count(header.begin(), header.end(), ',')) + 1;
    std::istringstream lines(datasets::storage::ReadFile(path_));
    std::string line;
    while (std::getline(lines, line)) {
      ++line_;
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (line_ == 1) {
        if (line != header) Fail(other);
      } else if (!line.empty()) {
        const std::vector<std::string> fields = Fields(line);
        if (fields.size() != columns)
          Fail("has " + std::to_string(fields.size()) + " fields; needs " + std::to_string(columns));
        take(fields);
      }
    }
    if (line_ == 0) Fail("is empty");
  }
  std::optional<float> Number(const std::string& field) const {
    if (field.empty()) return std::nullopt;
    const auto value = features::ParseNumber(field);
    if (!value || std::abs(*value) > kFarthest) Fail("\"" + field + "\" is no number of degrees or pixels");
    return static_cast<float>(*value);
  }
  std::string Picture(const std::vector<std::string>& fields) const {
    if (fields[0].empty()) Fail("names no picture");
    return (fs::path(path_).parent_path() / fields[0]).string();
  }
  template <std::size_t kCount, typename Known>
  void TakePoints(const std::vector<std::string>& fields, std::size_t first, std::array<features::Point2, kCount>& points,
                  std::array<std::int8_t, kCount>& seen, const Known& known) const {
    for (std::size_t i = 0; i < kCount; ++i) {
      const auto x = Number(fields[first + 2 * i]), y = Number(fields[first + 2 * i + 1]);
      if (x.has_value() != y.has_value()) Fail("half of point " + std::to_string(i) + " is missing");
      known(i, x.has_value());
      points[i] = {x.value_or(0), y.value_or(0)};
      const std::string& v = fields[first + 2 * kCount + i];
      if (!(v.empty() || v == "0" || v == "1")) Fail("\"" + v + "\" is neither 0 nor 1");
      seen[i] = static_cast<std::int8_t>(v.empty() ? -1 : v[0] - '0');
    }
  }

  std::string path_;
  std::size_t line_ = 0;
};

template <typename Row>
std::vector<Row> ReadTables(const std::string& path, const std::string& begin) {
  std::vector<std::string> tables;
  if (datasets::storage::IsThere(path) && fs::is_directory(path)) {
    for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(begin) && name.ends_with(".csv")) tables.push_back(entry.path().string());
    }
    if (tables.empty()) throw datasets::storage::BadContent(path + ": holds no " + begin + "*.csv; write them with 'auforge synth faces --images'");
    std::sort(tables.begin(), tables.end());
  } else {
    tables = {path};
  }
  std::vector<Row> rows;
  for (const std::string& table : tables) TableReader(table).Read(rows);
  return rows;
}

}  // namespace

std::vector<PointRow> ReadPointTables(const std::string& path) { return ReadTables<PointRow>(path, "points_"); }
std::vector<DenseRow> ReadDenseTables(const std::string& path) { return ReadTables<DenseRow>(path, "dense_"); }

}  // namespace auforge::annotator
