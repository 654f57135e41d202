// Videos as cameras write them, made by a test.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

namespace auforge::tests {

// An AVI of motion JPEG, frames CV_8UC3 of one size.
void WriteVideo(const std::string& path, const std::vector<cv::Mat>& frames);
// Frame n (from 1) is of one grey value: 20 + 5 n. 64 x 48 pixels.
std::vector<cv::Mat> NumberedFrames(int count);
// The number of such a frame, by its middle pixel.
int NumberOfFrame(const cv::Mat& frame);
// Makes these frames of such an AVI (from 1) undecodable where they stand: their pictures no longer begin as JPEGs do.
void DamageFrames(const std::string& path, const std::vector<int>& frames);
// Cuts a file to that share of its bytes, 0..1.
void CutShort(const std::string& path, double share);

}  // namespace auforge::tests
