#include "src/images.h"

#include <pybind11/stl.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datasets/outcome.h"
#include "src/errors.h"
#include "src/text.h"

namespace py = pybind11;

namespace auforge::python {
namespace {

using datasets::ImageItem;

// A buffer that an object lends, given back with the GIL held.
class Lent {
 public:
  explicit Lent(py::handle object) {
    if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_RECORDS_RO) != 0) throw py::error_already_set();
  }
  ~Lent() { PyBuffer_Release(&view_); }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  const Py_buffer* operator->() const { return &view_; }

 private:
  Py_buffer view_{};
};

std::string DescribeArray(const Lent& view, py::handle object) {
  std::string text = "an array of shape (";
  for (int i = 0; i < view->ndim; ++i) text += (i > 0 ? ", " : "") + std::to_string(view->shape[i]);
  const std::string type = py::hasattr(object, "dtype") ? std::string(py::str(object.attr("dtype"))) : std::string(view->format);
  return text + ") and type " + type;
}

// Elements of one unsigned byte.
bool IsBytes(const Lent& view) {
  const std::string format = view->format == nullptr ? "B" : view->format;
  return view->itemsize == 1 && (format == "B" || format == "=B" || format == "<B" || format == "|B" || format == "c");
}

void CheckPixels(const Lent& view, py::handle object) {
  const auto refuse = [&](const std::string& why) { Refuse(DescribeArray(view, object) + " is no picture: " + why); };
  if (!IsBytes(view)) refuse("its elements must be uint8, 0..255; convert it, as (image * 255).astype('uint8') where they are 0..1");
  if (view->ndim < 2 || view->ndim > 3) refuse("it must be H x W x 3 (RGB) or H x W (grey)");
  for (int i = 0; i < view->ndim; ++i) {
    if (view->shape[i] == 0) refuse("it holds no pixel");
    if (view->shape[i] > (1 << 30)) refuse("it is too large");
  }
  if (view->ndim == 2 || view->shape[2] == 3 || view->shape[2] == 1) return;
  if (view->shape[2] == 4) refuse("four channels; leave out the last, image[..., :3], or lay it on white first");
  if (view->shape[0] == 3 || view->shape[0] == 1) refuse("its channels come first; they must come last, image.transpose(1, 2, 0)");
  refuse("it must have three channels (RGB), or one (grey)");
}

// Any strides, also negative ones, to BGR.
cv::Mat CopyPixels(const Lent& view) {
  const py::ssize_t rows = view->shape[0], columns = view->shape[1];
  const bool is_grey = view->ndim == 2 || view->shape[2] == 1;
  const py::ssize_t row_step = view->strides[0], step = view->strides[1], channel = is_grey ? 0 : view->strides[2];
  cv::Mat bgr(static_cast<int>(rows), static_cast<int>(columns), CV_8UC3);
  for (py::ssize_t y = 0; y < rows; ++y) {
    const auto* in = static_cast<const std::uint8_t*>(view->buf) + y * row_step;
    auto* out = bgr.ptr<std::uint8_t>(static_cast<int>(y));
    for (py::ssize_t x = 0; x < columns; ++x, in += step, out += 3) {
      out[2] = in[0];
      out[1] = in[channel];
      out[0] = in[2 * channel];
    }
  }
  return bgr;
}

ImageItem FromBuffer(py::handle object, std::uint64_t max_bytes) {
  const Lent view(object);
  ImageItem item;
  if (view->ndim == 1 && IsBytes(view)) {  // an encoded picture
    if (static_cast<std::uint64_t>(view->len) > max_bytes) {
      item.status = datasets::Outcome::kTooLarge;
      item.message = std::to_string(view->len) + " bytes; the limit is " + std::to_string(max_bytes);
      return item;
    }
    item.bytes.resize(static_cast<std::size_t>(view->len));
    if (view->len > 0 && PyBuffer_ToContiguous(item.bytes.data(), const_cast<Py_buffer*>(view.operator->()), view->len, 'C') != 0)
      throw py::error_already_set();
    return item;
  }
  CheckPixels(view, object);
  const py::gil_scoped_release release;
  item.pixels = CopyPixels(view);
  return item;
}

std::optional<std::string> PathOf(py::handle object) {
  const auto path = py::reinterpret_steal<py::object>(PyOS_FSPath(object.ptr()));
  if (!path) {
    PyErr_Clear();
    return std::nullopt;
  }
  PyObject* bytes = nullptr;
  if (PyUnicode_FSConverter(path.ptr(), &bytes) == 0) throw py::error_already_set();
  return std::string(py::reinterpret_steal<py::bytes>(bytes));
}

// The images of some inputs, one after the other, in the order in which the programs read them.
class ImageReader {
 public:
  ImageReader(const std::vector<std::string>& inputs, std::uint64_t max_bytes)
      : source_(Plan(inputs, max_bytes)) {}

  // nullptr at the end.
  std::unique_ptr<ImageItem> Next() {
    const py::gil_scoped_release release;
    auto item = std::make_unique<ImageItem>();
    while (reader_ || shard_ < source_.Shards().size()) {
      if (!reader_) reader_ = source_.Open(source_.Shards()[shard_++]);
      if (reader_->Next(*item)) return item;
      reader_.reset();
    }
    return nullptr;
  }

 private:
  static datasets::ImageSource Plan(const std::vector<std::string>& inputs, std::uint64_t max_bytes) {
    const py::gil_scoped_release release;
    datasets::SourceOptions options;
    options.max_bytes = max_bytes;
    return datasets::ImageSource::Plan(inputs, options);
  }

  datasets::ImageSource source_;
  std::size_t shard_ = 0;
  std::unique_ptr<datasets::ItemReader> reader_;
};

}  // namespace

ImageItem ToImage(py::handle object, std::uint64_t max_bytes) {
  if (py::isinstance<ImageItem>(object)) return py::cast<const ImageItem&>(object);
  // numpy's strings lend their letters.
  const bool is_text = PyUnicode_Check(object.ptr()) != 0;
  if (!is_text && PyObject_CheckBuffer(object.ptr()) != 0) return FromBuffer(object, max_bytes);
  if (const auto path = PathOf(object)) {
    const py::gil_scoped_release release;
    return datasets::ReadImageFile(*path, max_bytes);
  }
  Refuse(std::string("an image is a path, the bytes of a picture file or an array of pixels, not ") +
         Py_TYPE(object.ptr())->tp_name);
}

void BindImages(py::module_& module) {
  py::class_<ImageItem>(module, "SourceImage")
      .def_property_readonly("key", [](const ImageItem& item) { return Text(item.key); })
      .def_property_readonly("path", [](const ImageItem& item) { return Text(item.path); })
      .def_property_readonly("data", [](const ImageItem& item) {
        return py::bytes(reinterpret_cast<const char*>(item.bytes.data()), item.bytes.size());
      })
      .def_property_readonly("url", [](const ImageItem& item) { return Text(item.url); })
      .def_property_readonly("keywords", [](const ImageItem& item) { return Text(item.keywords); })
      .def_property_readonly("licence", [](const ImageItem& item) { return Text(item.licence); })
      .def_property_readonly("robots", [](const ImageItem& item) { return Text(item.robots); })
      .def_readonly("frame", &ImageItem::frame)
      .def_readonly("timestamp", &ImageItem::timestamp)
      .def_property_readonly("status", [](const ImageItem& item) { return std::string(datasets::OutcomeName(item.status)); })
      .def_property_readonly("message", [](const ImageItem& item) { return Text(item.message); });
  py::class_<ImageReader>(module, "ImageReader")
      .def(py::init<const std::vector<std::string>&, std::uint64_t>(), py::arg("inputs"), py::arg("max_bytes"))
      .def("__iter__", [](py::object self) { return self; })
      .def("__next__", [](ImageReader& reader) {
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
        auto item = reader.Next();
        if (!item) throw py::stop_iteration();
        return item;
      });
}

}  // namespace auforge::python
