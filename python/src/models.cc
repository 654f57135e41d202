// auforge._core.refit (an AU model taught by labelled photographs) and FaceStudio (faces by computer graphics).
#include "src/models.h"

#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "annotator/au_model.h"
#include "annotator/photo_readout.h"
#include "datasets/storage/atomic_file.h"
#include "features/au_schema.h"
#include "src/block.h"
#include "src/errors.h"
#include "tools/au/refit.h"
#include "tools/cli/cli.h"
#include "tools/synth/synth_generators.h"

namespace py = pybind11;

namespace auforge::python {
namespace {

namespace synthetic = datasets::synthetic;

py::list Refit(const std::vector<std::string>& data, const std::string& model_path, const std::string& output,
               const tools::FaceSearch& faces, const annotator::ReadoutOptions& readout, int jobs,
               const std::function<void(const std::string&)>& say) {
  std::vector<annotator::ReadoutFigure> figures;
  {
    const py::gil_scoped_release release;
    datasets::storage::RequireSeekableFile(output, "a model");
    readout.Validate();
    const annotator::AuModel model =
        annotator::AuModel::Load(model_path.empty() ? annotator::DefaultAuModelPath() : model_path);
    const annotator::Refitted refitted =
        tools::RefitToData(model, data, faces, readout, jobs > 0 ? jobs : tools::AvailableCores(), say);
    refitted.model.WithProvenance(model.info().provenance + "; calibrate" + tools::OptionText("--data", data)).Save(output);
    figures = refitted.figures;
  }
  py::list said;
  for (const annotator::ReadoutFigure& f : figures) {
    py::dict row;
    row["au"] = "AU" + std::to_string(f.au);
    row["rows"] = f.rows;
    row["present"] = f.present;
    row["refitted"] = f.refitted;
    row["why"] = f.why;
    row["auc_before"] = f.auc_before;
    row["auc_after"] = f.auc_after;
    row["share"] = f.share;
    row["share_before"] = f.share_before;
    said.append(row);
  }
  return said;
}

// A face model, ready to be drawn with.
class FaceStudio {
 public:
  FaceStudio(const std::string& face_model, int size) {
    const py::gil_scoped_release release;
    tools::GeneratorArguments arguments;
    arguments.method = "cg";
    arguments.face_model = face_model;
    arguments.reconstruct.size = size;
    arguments.quiet = true;
    loaded_ = tools::LoadGenerator(arguments, "render_face");
  }

  py::dict Draw(std::uint64_t seed, float melanin, const std::map<std::string, float>& left,
                const std::map<std::string, float>& right, const std::vector<float>& pose) const {
    const synthetic::Expression expression{Intensities(left), Intensities(right)};
    synthetic::SyntheticFace face;
    {
      const py::gil_scoped_release release;
      face = loaded_.cg->Draw(seed, melanin, expression, {pose.at(0), pose.at(1), pose.at(2)});
    }
    std::vector<std::uint8_t> rgb(face.image.total() * 3);
    for (int y = 0; y < face.image.rows; ++y) {
      const auto* in = face.image.ptr<std::uint8_t>(y);
      auto* out = rgb.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(face.image.cols) * 3;
      for (int x = 0; x < 3 * face.image.cols; ++x) out[x] = in[x / 3 * 3 + 2 - x % 3];
    }
    std::vector<float> points;
    for (const features::Point2& point : face.landmarks) points.insert(points.end(), {point.x, point.y});
    const auto aus = static_cast<py::ssize_t>(face.au.size());
    py::dict drawn;
    drawn["image"] = MakeBlock<std::uint8_t>(rgb, {face.image.rows, face.image.cols, 3});
    drawn["landmarks"] = MakeBlock<float>(points, {features::kLandmarkCount, 2});
    drawn["au_intensity"] = MakeBlock<float>(face.au, {aus});
    drawn["au_left"] = MakeBlock<float>(face.au_left, {aus});
    drawn["au_right"] = MakeBlock<float>(face.au_right, {aus});
    return drawn;
  }

 private:
  static std::vector<float> Intensities(const std::map<std::string, float>& aus) {
    const features::AuSchema& schema = features::CatalogueSchema();
    std::vector<float> values(schema.size());
    for (const auto& [name, value] : aus) {
      const auto number = features::ParseAu(name);
      const auto column = number ? schema.Find(*number) : std::nullopt;
      if (!column) Refuse(name + ": not an AU of the catalogue; write AU12, as of " + Names(schema));
      if (!(value >= 0 && value <= 5)) Refuse(name + " = " + std::to_string(value) + "; must be 0..5");
      values[*column] = value;
    }
    return values;
  }
  static std::string Names(const features::AuSchema& schema) {
    std::string text;
    for (const std::string& name : schema.Names()) text += (text.empty() ? "" : " ") + name;
    return text;
  }

  tools::LoadedGenerator loaded_;
};

tools::FaceSearch SearchOf(const std::string& detector, const std::string& detector_model, int min_face) {
  tools::FaceSearch search;
  search.detector = detector;
  search.detector_model = detector_model;
  search.min_face = min_face;
  search.Validate();
  return search;
}

}  // namespace

void BindModels(py::module_& module) {
  module.def(
      "refit",
      [](const std::vector<std::string>& data, const std::string& model, const std::string& output,
         const std::string& detector, const std::string& detector_model, int min_face, int folds, int least_present,
         double most_lost, int jobs, const std::function<void(const std::string&)>& say) {
        annotator::ReadoutOptions readout;
        readout.folds = folds;
        readout.least_present = least_present;
        readout.most_lost = most_lost;
        return Refit(data, model, output, SearchOf(detector, detector_model, min_face), readout, jobs, say);
      },
      py::arg("data"), py::arg("model"), py::arg("output"), py::arg("detector"), py::arg("detector_model"),
      py::arg("min_face"), py::arg("folds"), py::arg("least_present"), py::arg("most_lost"), py::arg("jobs"), py::arg("say"));
  module.attr("catalogue") = py::tuple(py::cast(features::CatalogueSchema().Names()));
  py::class_<FaceStudio>(module, "FaceStudio")
      .def(py::init<const std::string&, int>())
      .def("draw", &FaceStudio::Draw, py::arg("seed"), py::arg("melanin"), py::arg("left"), py::arg("right"), py::arg("pose"));
}

}  // namespace auforge::python
