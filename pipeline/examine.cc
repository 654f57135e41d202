#include "pipeline/examine.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "annotator/face_quality.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/memory_fault.h"
#include "features/align.h"
#include "features/picture_hash.h"
#include "pipeline/face_labels.h"
#include "pipeline/stopwatch.h"

namespace auforge::pipeline {
namespace {

using datasets::Outcome;

// Landmarks of a face are as good as they get from this many pixels on.
constexpr double kFaceForLandmarks = 80;
// The width of a face's box in inter-ocular distances.
constexpr double kBoxInEyes = 2.5;
// No face is looked for that is smaller than this share of its picture's side: it bounds time and memory of
// pictures of tens of megapixels.
constexpr double kLeastShare = 1.0 / 64;
// Pictures of more pixels are decoded and searched one at a time.
constexpr std::uint64_t kLargeImage = 24'000'000;
// Decoded pictures that wait for company, pixels of all together.
constexpr std::size_t kMostWaitingPixels = 4'000'000;

double LeastFace(const LabelOptions& options, double width, double height) {
  return std::max<double>(options.min_face, kLeastShare * std::sqrt(width * height));
}

// The scale at which a face of that many pixels still has all that landmarks and crop can use.
double LeastScale(const LabelOptions& options, double least_face) {
  const double for_crop = kBoxInEyes * options.crop.size * options.crop.inter_ocular;
  return std::min(1.0, std::max(kFaceForLandmarks, for_crop) / least_face);
}

features::Box Scaled(const features::Box& box, double factor) {
  const auto scale = [factor](float v) { return static_cast<float>(v * factor); };
  return {scale(box.x), scale(box.y), scale(box.width), scale(box.height)};
}

datasets::PictureSize SizeOf(const datasets::ImageItem& item) {
  if (item.pixels.empty()) return datasets::PeekSize(item.bytes);
  return {static_cast<std::uint64_t>(item.pixels.cols), static_cast<std::uint64_t>(item.pixels.rows)};
}

void Fail(ExaminedImage& image, Outcome status, const char* stage, std::string message) {
  image.sample.status = status;
  image.stage = stage;
  image.message = std::move(message);
  image.faces.clear();
  image.trust.clear();
  image.dense.clear();
}

}  // namespace

void KeepFaces(ExaminedImage& image, std::size_t aus, const std::vector<bool>& is_kept) {
  std::vector<datasets::FaceRecord> kept;
  std::vector<std::uint8_t> visible;
  std::vector<float> trust;
  std::vector<features::DensePoints> dense;
  for (std::size_t i = 0; i < image.faces.size(); ++i) {
    if (!is_kept[i]) continue;
    if (!image.dense.empty()) dense.push_back(image.dense[i]);
    if (!image.trust.empty()) trust.push_back(image.trust[i]);
    image.faces[i].face_index = static_cast<std::int32_t>(kept.size());
    kept.push_back(std::move(image.faces[i]));
    const auto begin = image.au_visible.begin() + static_cast<std::ptrdiff_t>(i * aus);
    visible.insert(visible.end(), begin, begin + static_cast<std::ptrdiff_t>(aus));
  }
  image.faces = std::move(kept);
  image.au_visible = std::move(visible);
  image.trust = std::move(trust);
  image.dense = std::move(dense);
}

void DropPoorFaces(ExaminedImage& image, std::size_t aus, float least_quality) {
  std::vector<bool> is_good;
  for (const datasets::FaceRecord& face : image.faces) is_good.push_back(face.aus.quality >= least_quality);
  const bool had_faces = !image.faces.empty();
  KeepFaces(image, aus, is_good);
  if (had_faces && image.faces.empty())
    Fail(image, Outcome::kLowQuality, "classify", "every face is below the least quality");
}

Examiner::Examiner(ExamineShared& shared) : shared_(shared), detector_(annotator::MakeDetector(shared.options.Detector())) {}

std::unique_ptr<ExaminedGroup> Examiner::Examine(std::unique_ptr<Group> group, StopRequest& stop) {
  stop_ = &stop;
  result_ = std::make_unique<ExaminedGroup>();
  result_->kind = group->kind;
  result_->shard = group->shard;
  result_->notes = std::move(group->notes);
  result_->fault = std::move(group->fault);
  result_->input = std::move(group->input);
  Seconds(Stage::kRead) = group->read_seconds;
  result_->images.reserve(group->items.size());
  for (std::size_t i = 0; i < group->items.size(); ++i) {
    if (Abandoned()) break;
    datasets::ImageItem item = std::move(group->items[i]);
    ExaminedImage& image = result_->images.emplace_back();
    image.sample.key = item.key;
    image.sample.url = item.url;
    image.sample.keywords = item.keywords;
    image.sample.status = item.status;
    image.sample.frame = item.frame;
    image.sample.timestamp = item.timestamp;
    image.sample.licence = item.licence;
    image.sample.robots = item.robots;
    image.file_state = item.file_state;
    image.message = item.message;
    image.stage = "read";
    if (!group->digests.empty()) image.sample.sha256 = group->digests[i];
    if (item.status != Outcome::kOk) continue;
    if (group->digests.empty() && item.pixels.empty()) {
      const Stopwatch watch(Seconds(Stage::kRead));
      image.sample.sha256 = datasets::storage::Sha256(item.bytes);
    }
    try {
      ExamineImage(item, i);
    } catch (const std::exception& error) {
      if (datasets::storage::IsOutOfMemory(error)) throw;
      // One image that a library chokes on must not end a run of a million.
      Fail(image, Outcome::kUndecodable, "decode", error.what());
    }
  }
  Flush();
  return std::move(result_);
}

void Examiner::ExamineImage(const datasets::ImageItem& item, std::size_t index) {
  ExaminedImage& image = result_->images[index];
  const datasets::PictureSize size = SizeOf(item);
  std::unique_lock<std::mutex> large(shared_.large_image, std::defer_lock);
  if (size.width > 0 && size.height > kLargeImage / size.width) large.lock();
  if (Abandoned()) return;  // the wait may have been long
  const double least_face =
      LeastFace(shared_.options, static_cast<double>(size.width), static_cast<double>(size.height));
  Picture picture;
  picture.image = index;
  {
    const Stopwatch watch(Seconds(Stage::kDecode));
    datasets::DecodeOptions decode = shared_.options.decode;
    decode.least_scale = shared_.options.reduce ? LeastScale(shared_.options, least_face) : 1;
    picture.decoded = item.pixels.empty() ? datasets::DecodeImage(item.bytes, decode)
                                          : datasets::TakePixels(item.pixels, decode);
  }
  image.scale = static_cast<float>(picture.decoded.scale);
  image.sample.width = picture.decoded.width;
  image.sample.height = picture.decoded.height;
  if (picture.decoded.status != Outcome::kOk)
    return Fail(image, picture.decoded.status, "decode", picture.decoded.message);
  if (Abandoned()) return;
  {
    const Stopwatch watch(Seconds(Stage::kDecode));
    image.sample.hash = features::HashOf(picture.decoded.bgr);
  }
  {
    const Stopwatch watch(Seconds(Stage::kDetect));
    picture.found = annotator::DetectFaces(*detector_, picture.decoded.bgr, least_face * picture.decoded.scale);
  }
  if (picture.found.empty()) {
    return Fail(image, Outcome::kNoFace, "detect",
                "no face of " + std::to_string(static_cast<int>(least_face)) + " pixels or more was found");
  }
  waiting_pixels_ += picture.decoded.bgr.total();
  waiting_.push_back(std::move(picture));
  if (waiting_pixels_ > kMostWaitingPixels) Flush();
}

std::vector<Examiner::Face> Examiner::FindLandmarks() {
  std::vector<Face> faces;
  std::vector<annotator::FaceCandidate> candidates;
  for (const Picture& picture : waiting_) {
    for (const features::Detection& detection : picture.found) {
      faces.push_back({picture.image, &picture.decoded, detection});
      candidates.push_back({&picture.decoded.bgr, detection});
    }
  }
  const Stopwatch watch(Seconds(Stage::kLandmarks));
  const auto confirmed = annotator::LandmarksOf(shared_.landmarker, *detector_, candidates);
  std::vector<Face> kept;
  for (std::size_t f = 0; f < faces.size(); ++f) {
    if (!confirmed[f].is_face) continue;
    kept.push_back(std::move(faces[f]));
    kept.back().landmarks = confirmed[f].landmarks;
    kept.back().trust = confirmed[f].Trust();
  }
  return kept;
}

features::DensePoints Examiner::DenseOf(const Face& face) {
  const Stopwatch watch(Seconds(Stage::kLandmarks));
  features::DensePoints points = shared_.dense->Find(face.decoded->bgr, face.landmarks);
  const auto enlarge = static_cast<float>(1 / face.decoded->scale);
  for (features::Point2& p : points) p = {p.x * enlarge, p.y * enlarge};
  return points;
}

datasets::FaceRecord Examiner::Crop(const Face& face, std::span<float> features,
                                    annotator::QualityEvidence& evidence) {
  datasets::FaceRecord record;
  const double scale = face.decoded->scale;
  record.detector_score = face.detection.score;
  features::AlignedFace aligned;
  {
    const Stopwatch watch(Seconds(Stage::kCrop));
    aligned = features::AlignFace(face.decoded->bgr, face.landmarks, shared_.options.crop);
  }
  cv::Mat crop;
  {
    // Features are of the crop as it is stored, which models are trained on: what a JPEG loses would move an AU by a tenth
    // now and then, and a shard's AUs could not be computed again from it (relabel.cc).
    const Stopwatch watch(Seconds(Stage::kCrop));
    record.image = datasets::EncodeJpeg(aligned.crop, shared_.options.jpeg_quality);
    crop = datasets::DecodeImage(record.image, {}).bgr;
  }
  {
    const Stopwatch watch(Seconds(Stage::kFeatures));
    shared_.extractor.Extract(crop, features::Transform(aligned.crop_from_image, face.landmarks), features);
  }
  const Stopwatch watch(Seconds(Stage::kCrop));
  record.hash = features::FaceHashOf(aligned.crop, features::Transform(aligned.crop_from_image, face.landmarks));
  if (!shared_.options.store_crops) record.image.clear();
  evidence = annotator::EvidenceOf(crop, face.landmarks, detector_->HogScore(face.detection.score));
  record.pose = evidence.pose;
  record.aus.quality = face.trust;
  // From the pixels that were decoded to those of the image.
  record.box = Scaled(face.detection.box, 1 / scale);
  const auto enlarge = static_cast<float>(1 / scale), shrink = static_cast<float>(scale);
  record.landmarks = features::Transform({enlarge, 0, 0, 0}, face.landmarks);
  record.crop_from_image = aligned.crop_from_image;
  record.crop_from_image.a *= shrink;
  record.crop_from_image.b *= shrink;
  return record;
}

bool Examiner::Abandoned() {
  if ((*stop_)()) result_->abandoned = true;
  return result_->abandoned;
}

void Examiner::Flush() {
  if (!waiting_.empty() && !Abandoned()) FinishWaiting();
  waiting_.clear();
  waiting_pixels_ = 0;
}

void Examiner::FinishWaiting() {
  const std::vector<Face> faces = FindLandmarks();
  const std::size_t dimension = shared_.extractor.Dimension();
  std::vector<float> rows(faces.size() * dimension);
  std::vector<datasets::FaceRecord> records;
  std::vector<std::size_t> image_of;  // of each record; likewise below
  std::vector<float> trust;
  std::vector<features::DensePoints> dense;
  std::vector<annotator::QualityEvidence> evidence;
  for (const Face& face : faces) {
    if (Abandoned()) return;
    ExaminedImage& image = result_->images[face.image];
    try {
      annotator::QualityEvidence known;
      records.push_back(Crop(face, std::span(rows).subspan(records.size() * dimension, dimension), known));
      if (shared_.dense != nullptr) dense.push_back(DenseOf(face));
      image_of.push_back(face.image);
      trust.push_back(face.trust);
      evidence.push_back(known);
    } catch (const std::exception& error) {
      if (datasets::storage::IsOutOfMemory(error)) throw;
      Fail(image, Outcome::kUndecodable, "features", error.what());
    }
  }
  if (Abandoned()) return;
  std::vector<std::uint8_t> visible;
  if (!records.empty()) {
    rows.resize(records.size() * dimension);
    const Stopwatch watch(Seconds(Stage::kClassify));
    visible = LabelFaces(shared_.model, rows, evidence, records);
  }
  for (std::size_t i = 0; i < records.size(); ++i) {
    ExaminedImage& image = result_->images[image_of[i]];
    if (image.sample.status != Outcome::kOk) continue;
    records[i].face_index = static_cast<std::int32_t>(image.faces.size());
    image.faces.push_back(std::move(records[i]));
    image.trust.push_back(trust[i]);
    if (!dense.empty()) image.dense.push_back(dense[i]);
    const std::size_t a = visible.size() / records.size();
    const auto begin = visible.begin() + static_cast<std::ptrdiff_t>(i * a);
    image.au_visible.insert(image.au_visible.end(), begin, begin + static_cast<std::ptrdiff_t>(a));
  }
  for (const Picture& picture : waiting_) {
    ExaminedImage& image = result_->images[picture.image];
    if (image.sample.status != Outcome::kOk || !image.faces.empty()) continue;
    Fail(image, Outcome::kNoFace, "landmarks", "what the detector found is no face, or stands on its head");
  }
}

}  // namespace auforge::pipeline
