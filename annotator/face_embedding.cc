#include "annotator/face_embedding.h"

#include <dlib/dnn.h>
#include <dlib/image_processing/full_object_detection.h>
#include <dlib/image_transforms.h>
#include <dlib/opencv.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>

#include "datasets/storage/bad_content.h"

namespace auforge::annotator {
namespace {

// The network as its weights were published: residual blocks of two 3x3 convolutions, batch norms folded to affine
// layers.
template <int N, int stride, typename Below>
using Block = dlib::affine<dlib::con<N, 3, 3, 1, 1, dlib::relu<dlib::affine<dlib::con<N, 3, 3, stride, stride, Below>>>>>;
template <int N, typename Below>
using Residual = dlib::relu<dlib::add_prev1<Block<N, 1, dlib::tag1<Below>>>>;
template <int N, typename Below>
using Halving = dlib::relu<dlib::add_prev2<dlib::avg_pool<2, 2, 2, 2, dlib::skip1<dlib::tag2<Block<N, 2, dlib::tag1<Below>>>>>>>;

template <typename Below>
using Level32 = Residual<32, Residual<32, Residual<32, Below>>>;
template <typename Below>
using Level64 = Residual<64, Residual<64, Residual<64, Halving<64, Below>>>>;
template <typename Below>
using Level128 = Residual<128, Residual<128, Halving<128, Below>>>;
template <typename Below>
using Level256 = Halving<256, Residual<256, Residual<256, Halving<256, Below>>>>;
using Stem = dlib::max_pool<3, 3, 2, 2, dlib::relu<dlib::affine<dlib::con<32, 7, 7, 2, 2, dlib::input_rgb_image_sized<150>>>>>;
using Network =
    dlib::loss_metric<dlib::fc_no_bias<128, dlib::avg_pool_everything<Level256<Level128<Level64<Level32<Stem>>>>>>>;

constexpr unsigned long kChip = 150;    // pixels
constexpr double kPadding = 0.25;       // of the face, on each side

}  // namespace

struct FaceEmbedder::Impl {
  Network network;
};

FaceEmbedder::FaceEmbedder(const std::string& path) : impl_(std::make_unique<Impl>()) {
  std::ifstream file(path, std::ios::binary);
  if (!file || file.peek() == std::ifstream::traits_type::eof())
    throw std::runtime_error(path + ": cannot be read: " + (file ? "it is empty" : std::strerror(errno)));
  try {
    dlib::deserialize(impl_->network, file);
  } catch (const dlib::serialization_error& error) {
    throw datasets::storage::BadContent(path + ": not dlib's face recognition network (dlib_face_recognition_resnet_model_v1.dat): " +
                                        error.what());
  }
}
FaceEmbedder::~FaceEmbedder() = default;

std::vector<float> FaceEmbedder::Embed(const cv::Mat& bgr, const features::Landmarks68& landmarks) {
  std::vector<dlib::point> parts;
  // dlib's pixel centres are whole numbers.
  for (const features::Point2& p : landmarks) parts.emplace_back(std::lround(p.x - 0.5F), std::lround(p.y - 0.5F));
  const dlib::full_object_detection shape(dlib::rectangle(), parts);
  dlib::matrix<dlib::rgb_pixel> chip;
  dlib::extract_image_chip(dlib::cv_image<dlib::bgr_pixel>(bgr), dlib::get_face_chip_details(shape, kChip, kPadding), chip);
  const dlib::matrix<float, 0, 1> found = impl_->network(chip);
  return {found.begin(), found.end()};
}

double EmbeddingDistance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

}  // namespace auforge::annotator
