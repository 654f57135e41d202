// auforge._core.Shard, and finding faces by the query language.
#include "src/shards.h"

#include <pybind11/stl.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "datasets/query/face_index.h"
#include "datasets/query/search.h"
#include "datasets/shard.h"
#include "datasets/shard_outline.h"
#include "datasets/storage/bad_content.h"
#include "features/dense_points.h"
#include "src/block.h"
#include "src/errors.h"
#include "src/faces.h"
#include "src/text.h"

namespace py = pybind11;

namespace auforge::python {
namespace {

namespace query = datasets::query;
using datasets::ShardReader;

constexpr std::ptrdiff_t kDenseRow = 2 * features::kDenseCount;

class Shard {
 public:
  explicit Shard(const std::string& path) : reader_(Open(path)) {
    const py::gil_scoped_release release;
    if (const auto visible = reader_.Extra("/faces/au_visible")) visible_ = visible->values;
    const std::size_t expected = reader_.FaceCount() * Aus();
    if (!visible_.empty() && visible_.size() != expected) {
      throw datasets::storage::BadContent(path + ": /faces/au_visible has " + std::to_string(visible_.size()) +
                                          " entries, expected " + std::to_string(expected));
    }
    if (const auto dense = reader_.Extra("/faces/landmarks_dense")) dense_ = dense->values;
    if (!dense_.empty() && dense_.size() != reader_.FaceCount() * kDenseRow)
      throw datasets::storage::BadContent(path + ": /faces/landmarks_dense has another size than its faces ask for");
  }

  // Rows of the shard, packed as PackFaces does, and their samples (a dict each).
  py::dict Faces(const std::vector<std::size_t>& rows, bool with_crops) const {
    std::vector<datasets::FaceRecord> faces;
    std::vector<float> visible, dense;
    {
      const py::gil_scoped_release release;
      for (const std::size_t row : rows) {
        faces.push_back(reader_.Face(row));
        if (with_crops && reader_.header().has_crops) faces.back().image = reader_.FaceImage(row);
        if (!dense_.empty()) {
          const auto begin = dense_.begin() + static_cast<std::ptrdiff_t>(row * kDenseRow);
          dense.insert(dense.end(), begin, begin + kDenseRow);
        }
        if (!visible_.empty()) {
          const auto begin = visible_.begin() + static_cast<std::ptrdiff_t>(row * Aus());
          visible.insert(visible.end(), begin, begin + static_cast<std::ptrdiff_t>(Aus()));
        }
      }
    }
    py::dict packed = PackFaces(faces, visible, Aus(), dense);
    py::list samples;
    for (const datasets::FaceRecord& face : faces) {
      py::dict sample;
      PackSample(reader_.Sample(static_cast<std::size_t>(face.sample)), sample);
      samples.append(sample);
    }
    packed["samples"] = samples;
    return packed;
  }

  py::bytes Crop(std::size_t row) const {
    std::vector<std::uint8_t> image;
    {
      const py::gil_scoped_release release;
      image = reader_.FaceImage(row);
    }
    return {reinterpret_cast<const char*>(image.data()), image.size()};
  }

 private:
  static ShardReader Open(const std::string& path) {
    const py::gil_scoped_release release;
    return ShardReader(path);
  }
  std::size_t Aus() const { return reader_.header().schema.size(); }

  ShardReader reader_;
  std::vector<float> visible_;
  std::vector<float> dense_;  // F x 82 x 2, or empty
};

py::dict Outline(const std::string& path) {
  std::optional<datasets::ShardOutline> outline;
  {
    const py::gil_scoped_release release;
    outline = datasets::ReadOutline(path);
  }
  const datasets::ShardHeader& header = outline->header;
  py::dict said;
  said["faces"] = outline->faces;
  said["au_names"] = header.schema.Names();
  said["emotion_names"] = header.emotion_names;
  said["model_digest"] = header.model_digest;
  said["detector"] = header.detector;
  said["source"] = Text(header.source);
  said["created"] = header.created;
  said["tool_version"] = header.tool_version;
  return said;
}

bool SignalCame() {
  const py::gil_scoped_acquire acquire;
  return PyErr_CheckSignals() != 0;
}

// An index of files that are no folder's: in memory, and by their paths.
query::FaceIndex IndexFiles(const std::vector<std::string>& paths) {
  query::IndexStore store(":memory:");
  for (const std::string& path : paths) {
    if (SignalCame()) throw query::QueryStopped("stopped");
    query::ShardRows rows = query::RowsOfShard(ShardReader(path));
    rows.shard.name = path;
    store.Put(std::move(rows.shard), rows.columns, rows.texts);
  }
  return query::FaceIndex(std::move(store));
}

query::FaceIndex OpenIndex(const std::string& folder, const std::vector<std::string>& paths) {
  if (folder.empty()) return IndexFiles(paths);
  query::IndexOptions options;
  options.stop = SignalCame;
  return query::FaceIndex(folder, options);
}

// folder: of the shards `paths`, whose index is kept there; empty: files from anywhere. (path, row) in the order asked
// for: the position of the path in `paths`, rows in it.
std::pair<Block, Block> FindFaces(const std::string& folder, const std::vector<std::string>& paths,
                                  const std::string& where, const std::string& sort) {
  std::vector<std::int64_t> shards, rows;
  try {
    const py::gil_scoped_release release;
    const query::Expression expression = query::ParseExpression(where);  // a mistake is said before the index is built
    const query::Order order = query::ParseOrder(sort);
    const query::FaceIndex index = OpenIndex(folder, paths);
    std::map<std::string, std::int64_t> place;
    for (std::size_t i = 0; i < paths.size(); ++i) place[paths[i]] = static_cast<std::int64_t>(i);
    std::vector<std::int64_t> position;  // in paths, of each shard of the index
    for (std::size_t i = 0; i < index.shards().size(); ++i) {
      const auto at = place.find(folder.empty() ? index.shards()[i].name : index.ShardPath(i));
      position.push_back(at == place.end() ? -1 : at->second);
    }
    const query::Selection found = query::Find(index, expression, order, SignalCame);
    for (const query::FaceReference& face : found.Page(0, found.Count())) {
      if (position[face.shard] < 0) continue;
      shards.push_back(position[face.shard]);
      rows.push_back(face.face);
    }
  } catch (const query::QueryStopped&) {
    if (PyErr_Occurred() != nullptr) throw py::error_already_set();
    throw;
  } catch (const query::ExpressionError& error) {
    Refuse(error.column == 0 ? std::string(error.what()) : "--where is not understood\n" + query::Explain(where, error));
  }
  const auto n = static_cast<py::ssize_t>(rows.size());
  return {MakeBlock<std::int64_t>(shards, {n}), MakeBlock<std::int64_t>(rows, {n})};
}

}  // namespace

void BindShards(py::module_& module) {
  py::class_<Shard>(module, "Shard")
      .def(py::init<const std::string&>())
      .def("faces", &Shard::Faces, py::arg("rows"), py::arg("with_crops"))
      .def("crop", &Shard::Crop);
  module.def("outline", &Outline);
  module.def("find_shards", [](const std::vector<std::string>& paths) {
    std::vector<std::string> found;
    {
      const py::gil_scoped_release release;
      found = datasets::FindShards(paths);
    }
    py::list texts;
    for (const std::string& path : found) texts.append(Text(path));
    return texts;
  });
  module.def("find_faces", &FindFaces, py::arg("folder"), py::arg("paths"), py::arg("where"), py::arg("sort"));
  module.def("check_query", [](const std::string& where) {
    try {
      query::ParseExpression(where);
    } catch (const query::ExpressionError& error) {
      Refuse("--where is not understood\n" + query::Explain(where, error));
    }
  });
}

}  // namespace auforge::python
