// Perceptual hashes of pictures: bits that stay the same when one is scaled, compressed or cut at its borders, and differ for
// another picture. Pure functions; safe to call from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <opencv2/core/mat.hpp>

#include "features/image_hash.h"
#include "features/types.h"

namespace auforge::features {

// Of a whole image: the DCT hash (Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010), longer.
// The brightness at 32 x 32, its cosine transform, of that the 256 lowest frequencies but for the mean; a bit says whether one
// is above the median of them all. Cutting borders off changes it. image: CV_8UC1 or CV_8UC3 (BGR), not empty; throws
// std::invalid_argument otherwise.
ImageHash HashOf(const cv::Mat& image);

// The same frequencies of a face, brought to the place of the mean face by all its inner landmarks so that borders and small
// errors of single points do not count, in units of their root mean square. image: as above, landmarks in its pixels.
std::array<float, kHashBits> FaceWaves(const cv::Mat& image, const Landmarks68& landmarks);
// A bit says whether a frequency is above what it is in half of all faces: what faces have in common does not make them alike.
ImageHash FaceHashOf(const cv::Mat& image, const Landmarks68& landmarks);

// Whether two hashes of faces are of one picture: at most kNearBits differ, and the hashes share one of kHashBands runs of bits,
// by which a copy is found among millions (datasets/near_duplicates.h). docs/near-duplicates.md has what that finds.
inline constexpr int kNearBits = 40;
inline constexpr std::size_t kHashBands = 15;
inline constexpr std::size_t kBandBits = 17;
std::array<std::uint32_t, kHashBands> BandsOf(const ImageHash& hash);
bool AreNearDuplicates(const ImageHash& a, const ImageHash& b);

// Whether two hashes of whole images are of one picture, uncut.
inline constexpr int kNearImageBits = 24;
inline bool AreNearImages(const ImageHash& a, const ImageHash& b) { return HashDistance(a, b) <= kNearImageBits; }

}  // namespace auforge::features
