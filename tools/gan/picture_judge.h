// What can be told from the pictures of edits alone, whatever made them: MagicFace's protocol in our terms. The judge of
// AUs is the program's own annotator, which is a relative of every generator that was trained on its labels.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "features/types.h"
#include "tools/gan/judged_pictures.h"

namespace auforge::tools {

// Means over the faces of one AU; each of its own count of faces, 0 where nothing could be measured.
struct PictureFigures {
  int faces = 0;            // found in the picture at 0; the same place is looked at in the others
  double au_mse = 0;        // (asked - measured)^2 over all AUs of the annotator, intensities 0..5; asked: what the picture
                            // at 0 shows, and 5 of this AU
  double rise = 0;          // of the AU asked for, measured, 0..5
  double background = 0;    // RMS difference outside the face, 0..1
  int back_faces = 0;
  double back = 0;          // mean difference of "there and back again" from the picture at 0, grey values 0..255
  int identity_faces = 0;
  double identity = 0;      // distance of the embeddings, where there is a network of them
};

struct PictureJudgeOptions {
  std::string embedding;  // dlib's face recognition network; empty: identity is not measured
};

// pictures: paths by key. Throws BadInputError naming the picture that cannot be read, or that has another size than its
// partner, and when no picture shows a face; UsageError or BadContent for the network. progress: called with pairs done and pairs.
std::map<int, PictureFigures> JudgePictures(const JudgedSet& set, const std::map<std::string, std::string>& pictures,
                                            const PictureJudgeOptions& options,
                                            const std::function<void(std::size_t, std::size_t)>& progress);

// 255 where neither picture shows the face: beyond the hull of both sets of landmarks with the forehead, and a rim.
cv::Mat Background(const features::Landmarks68& before, const features::Landmarks68& after, cv::Size size);
// Root mean square difference (0..1) of two CV_8UC3 pictures of one size where the mask is not 0; 0 where it is empty.
double RmsDifference(const cv::Mat& before, const cv::Mat& after, const cv::Mat& mask);

}  // namespace auforge::tools
