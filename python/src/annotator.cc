// auforge._core.Labeller and LabelStream: pictures in, packed faces out, by the threads and the code of `auforge annotate`.
#include "src/annotator.h"

#include <pybind11/stl.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "annotator/emotions.h"
#include "datasets/image_codec.h"
#include "pipeline/label_stream.h"
#include "src/block.h"
#include "src/errors.h"
#include "src/faces.h"
#include "src/images.h"
#include "src/text.h"
#include "tools/cli/cli.h"

namespace py = pybind11;

namespace auforge::python {
namespace {

// How long we wait for threads before we look whether Ctrl-C was pressed.
constexpr std::chrono::milliseconds kLookForSignals{50};

struct AnnotatorOptions {
  pipeline::LabelOptions label;
  int jobs = 0;
  int batch = 16;
  float min_quality = 0;
  std::uint64_t max_bytes = datasets::SourceOptions{}.max_bytes;
};

class Labeller {
 public:
  explicit Labeller(const AnnotatorOptions& options) : options_(options) {
    const py::gil_scoped_release release;
    tools::CheckEnvironment();
    if (options_.jobs == 0) options_.jobs = tools::AvailableCores();
    const auto require = [](bool good, const std::string& text) {
      if (!good) throw tools::UsageError(text);
    };
    require(options_.jobs >= 1 && options_.jobs <= 1024, "jobs = " + std::to_string(options.jobs) + "; must be 0..1024");
    require(options_.batch >= 1 && options_.batch <= 1024, "batch = " + std::to_string(options.batch) + "; must be 1..1024");
    require(options_.min_quality >= 0 && options_.min_quality <= 1,
            "min-quality = " + std::to_string(options.min_quality) + "; must be 0..1");
    const auto labeller = std::make_shared<const pipeline::Labeller>(options_.label);
    labeller->landmarker();  // is missing now or never
    // Detectors unpack what they share with the first picture, behind a lock that a fork must not find taken.
    annotator::MakeDetector(options_.label.Detector())->Detect(cv::Mat::zeros(100, 100, CV_8UC3));
    pool_ = std::make_unique<pipeline::LabelPool>(labeller, options_.jobs);
  }

  const AnnotatorOptions& options() const { return options_; }
  pipeline::LabelPool& pool() { return *pool_; }
  const annotator::AuModelInfo& model() const { return pool_->labeller().model().info(); }
  const std::string& detector() const { return pool_->labeller().detector_name(); }
  const std::string& landmarks() const { return pool_->labeller().landmark_file(); }
  void Stop() {
    const py::gil_scoped_release release;
    pool_->Stop();
  }

 private:
  AnnotatorOptions options_;
  std::unique_ptr<pipeline::LabelPool> pool_;
};

class Stream {
 public:
  explicit Stream(std::shared_ptr<Labeller> labeller) : labeller_(std::move(labeller)), stream_(labeller_->pool()) {}

  void Add(const py::object& image) {
    datasets::ImageItem item = ToImage(image, labeller_->options().max_bytes);
    bytes_ += item.bytes.size() + item.pixels.total() * item.pixels.elemSize();
    next_.push_back(std::move(item));
    if (next_.size() >= static_cast<std::size_t>(labeller_->options().batch) || bytes_ >= pipeline::kMostGroupBytes) Flush();
  }
  void Flush() {
    if (next_.empty()) return;
    const py::gil_scoped_release release;
    stream_.Push(std::move(next_));
    next_.clear();
    bytes_ = 0;
  }
  bool Full() const { return stream_.Full(); }
  bool Empty() const { return stream_.InFlight() == 0; }

  // The oldest group's images, a dict each.
  py::list Pop() {
    std::unique_ptr<pipeline::ExaminedGroup> group;
    while (!group) {
      {
        const py::gil_scoped_release release;
        group = stream_.Pop(kLookForSignals);
      }
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    }
    py::list images;
    for (pipeline::ExaminedImage& image : group->images) images.append(Pack(image));
    return images;
  }

 private:
  py::dict Pack(pipeline::ExaminedImage& image) const {
    const std::size_t aus = labeller_->model().schema.size();
    pipeline::DropPoorFaces(image, aus, labeller_->options().min_quality);
    std::vector<float> visible(image.au_visible.begin(), image.au_visible.end());
    std::vector<float> dense;
    for (const features::DensePoints& points : image.dense) {
      for (const features::Point2& p : points) dense.insert(dense.end(), {p.x, p.y});
    }
    py::dict packed = PackFaces(image.faces, visible, aus, dense);
    PackSample(image.sample, packed);
    packed["message"] = Text(image.message);
    return packed;
  }

  std::shared_ptr<Labeller> labeller_;
  pipeline::LabelStream stream_;
  std::vector<datasets::ImageItem> next_;
  std::size_t bytes_ = 0;
};

AnnotatorOptions OptionsOf(const py::dict& given) {
  AnnotatorOptions options;
  pipeline::LabelOptions& label = options.label;
  const auto read = [&given](const char* name, auto& value) {
    if (given.contains(name)) value = py::cast<std::remove_reference_t<decltype(value)>>(given[name]);
  };
  bool full_size = false;
  read("model", label.model);
  read("landmarks", label.landmarks);
  read("dense", label.dense);
  read("detector", label.detector);
  read("detector_model", label.detector_model);
  read("detector_threshold", label.detector_threshold);
  read("min_face", label.min_face);
  read("crop_size", label.crop.size);
  read("jpeg_quality", label.jpeg_quality);
  read("max_pixels", label.decode.max_pixels);
  read("full_size", full_size);
  read("jobs", options.jobs);
  read("batch", options.batch);
  read("min_quality", options.min_quality);
  read("max_bytes", options.max_bytes);
  label.reduce = !full_size;
  return options;
}

Block DecodeRgb(const py::bytes& encoded) {
  const std::string_view bytes(encoded);
  datasets::DecodedImage image;
  {
    const py::gil_scoped_release release;
    image = datasets::DecodeImage({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, {.min_side = 1});
    for (int y = 0; y < image.bgr.rows; ++y) {
      auto* row = image.bgr.ptr<std::uint8_t>(y);
      for (int x = 0; x < image.bgr.cols; ++x) std::swap(row[3 * x], row[3 * x + 2]);
    }
  }
  if (image.status != datasets::Outcome::kOk) throw tools::BadInputError(image.message);
  return MakeBlock<std::uint8_t>({image.bgr.data, image.bgr.total() * 3}, {image.bgr.rows, image.bgr.cols, 3});
}

// Of an array of pixels, as ToImage takes it.
void WritePng(const std::string& path, const py::object& pixels) {
  const datasets::ImageItem item = ToImage(pixels, datasets::SourceOptions{}.max_bytes);
  if (item.pixels.empty()) throw tools::UsageError("an array of pixels was expected");
  datasets::WritePng(path, item.pixels);
}

}  // namespace

void BindAnnotator(py::module_& module) {
  py::class_<Labeller, std::shared_ptr<Labeller>>(module, "Labeller")
      .def(py::init([](const py::dict& options) { return std::make_shared<Labeller>(OptionsOf(options)); }))
      .def_property_readonly("au_names", [](const Labeller& self) { return self.model().schema.Names(); })
      .def_property_readonly("model_digest", [](const Labeller& self) { return self.model().digest; })
      .def_property_readonly("provenance", [](const Labeller& self) { return Text(self.model().provenance); })
      .def_property_readonly("detector", &Labeller::detector)
      .def_property_readonly("landmarks", [](const Labeller& self) { return Text(self.landmarks()); })
      .def_property_readonly("jobs", [](const Labeller& self) { return self.options().jobs; })
      .def("stop", &Labeller::Stop);
  py::class_<Stream>(module, "LabelStream")
      .def(py::init<std::shared_ptr<Labeller>>())
      .def("add", &Stream::Add)
      .def("flush", &Stream::Flush)
      .def_property_readonly("full", &Stream::Full)
      .def_property_readonly("empty", &Stream::Empty)
      .def("pop", &Stream::Pop);
  module.def("decode_rgb", &DecodeRgb);
  module.def("write_png", &WritePng);
  module.def("emotion_names", &annotator::EmotionNames);
}

}  // namespace auforge::python
