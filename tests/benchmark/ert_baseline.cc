// The baseline of docs/landmarks.md: dlib's own trainer of regression trees (Kazemi & Sullivan, CVPR 2014) on the tables of points
// that the nets of `auforge train-landmarks` have learnt from. What it writes is a file for `--landmarks dlib:FILE`.
//   ert_baseline OUT.dat TABLE... [--most FACES] [--copies N] [--trees N] [--depth N] [--splits N]
// Every table gives as many faces, evenly taken. A face is shown in the box that a detector would draw and in `copies` - 1 others that
// dlib shifts and scales; cascades: 10.
#include <dlib/image_processing/shape_predictor_trainer.h>
#include <dlib/image_transforms/assign_image.h>
#include <dlib/opencv/cv_image.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <map>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "annotator/landmarker.h"
#include "annotator/point_file.h"

namespace {

using namespace auforge;

// dlib's points lie on pixel centres that are whole numbers.
dlib::full_object_detection Truth(const annotator::PointRow& row) {
  const features::Box box = annotator::BoxAround(row.points);
  std::vector<dlib::point> parts;
  for (std::size_t i = 0; i < features::kLandmarkCount; ++i) {
    const dlib::point at(std::lround(row.points[i].x - 0.5F), std::lround(row.points[i].y - 0.5F));
    parts.push_back(row.known[i] ? at : dlib::OBJECT_PART_NOT_PRESENT);
  }
  const auto left = std::lround(box.x), top = std::lround(box.y), side = std::lround(box.width);
  return {dlib::rectangle(left, top, left + side - 1, top + side - 1), parts};
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::size_t> options{{"--most", 3000}, {"--copies", 3}, {"--trees", 300}, {"--depth", 4}, {"--splits", 15}};
  std::vector<std::string> names;
  for (int i = 1; i < argc; ++i) {
    const bool is_option = options.contains(argv[i]) && i + 1 < argc;
    if (is_option) {
      options[argv[i]] = std::stoul(argv[i + 1]);
      ++i;
    } else {
      names.emplace_back(argv[i]);
    }
  }
  if (names.size() < 2) {
    std::fprintf(stderr, "ert_baseline OUT.dat TABLE... [--most FACES] [--copies N] [--trees N] [--depth N] [--splits N]\n");
    return 2;
  }
  dlib::array<dlib::array2d<unsigned char>> pictures;
  std::vector<std::vector<dlib::full_object_detection>> faces;
  const std::size_t each = options["--most"] / (names.size() - 1);
  for (std::size_t t = 1; t < names.size(); ++t) {
    const std::vector<annotator::PointRow> rows = annotator::ReadPointTables(names[t]);
    const std::size_t taken = std::min(each, rows.size());
    for (std::size_t i = 0; i < taken; ++i) {
      const annotator::PointRow& row = rows[i * rows.size() / taken];
      cv::Mat grey = cv::imread(row.picture, cv::IMREAD_GRAYSCALE);
      if (grey.empty()) continue;
      dlib::array2d<unsigned char> picture;
      dlib::assign_image(picture, dlib::cv_image<unsigned char>(grey));
      pictures.push_back(picture);
      faces.push_back({Truth(row)});
    }
  }
  dlib::shape_predictor_trainer trainer;
  trainer.set_cascade_depth(10);
  trainer.set_num_trees_per_cascade_level(options["--trees"]);
  trainer.set_tree_depth(options["--depth"]);
  trainer.set_num_test_splits(options["--splits"]);
  trainer.set_oversampling_amount(options["--copies"]);
  trainer.set_oversampling_translation_jitter(0.1);
  trainer.set_random_seed("16");
  trainer.set_num_threads(1);
  const std::clock_t start = std::clock();
  const dlib::shape_predictor trees = trainer.train(pictures, faces);
  dlib::serialize(names[0]) << trees;
  std::printf("%zu faces, %.0f s of processor time\n", faces.size(), static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  return 0;
}
