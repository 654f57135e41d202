#include "tools/gan/gan_metrics.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <stdexcept>

#include "features/align.h"

namespace auforge::tools {
namespace {

// Of a symmetric positive semi-definite matrix.
cv::Mat SquareRoot(const cv::Mat& matrix) {
  cv::Mat values, vectors;
  cv::eigen(matrix, values, vectors);
  for (int i = 0; i < values.rows; ++i) values.at<double>(i) = std::sqrt(std::max(0.0, values.at<double>(i)));
  return vectors.t() * cv::Mat::diag(values) * vectors;
}

void Gaussian(const cv::Mat& rows, cv::Mat& mean, cv::Mat& covariance) {
  cv::calcCovarMatrix(rows, covariance, mean, cv::COVAR_NORMAL | cv::COVAR_ROWS, CV_64F);
  covariance /= rows.rows - 1;
}

}  // namespace

double FrechetDistance(const cv::Mat& real, const cv::Mat& other, int dimensions) {
  if (real.cols != other.cols || real.rows <= dimensions || other.rows <= dimensions ||
      dimensions > real.cols) {
    throw std::invalid_argument("Fréchet distance in " + std::to_string(dimensions) + " dimensions of " +
                                std::to_string(real.rows) + " and " + std::to_string(other.rows) +
                                " rows; give more faces");
  }
  cv::Mat a, b;
  real.convertTo(a, CV_64F);
  other.convertTo(b, CV_64F);
  for (int j = 0; j < a.cols; ++j) {
    cv::Scalar mean, deviation;
    cv::meanStdDev(a.col(j), mean, deviation);
    const double scale = deviation[0] > 1e-9 ? 1 / deviation[0] : 0;
    a.col(j) = (a.col(j) - mean[0]) * scale;
    b.col(j) = (b.col(j) - mean[0]) * scale;
  }
  const cv::PCA pca(a, cv::noArray(), cv::PCA::DATA_AS_ROW, dimensions);
  cv::Mat mean_a, mean_b, cov_a, cov_b;
  Gaussian(pca.project(a), mean_a, cov_a);
  Gaussian(pca.project(b), mean_b, cov_b);
  const cv::Mat root = SquareRoot(cov_a);
  const double cross = cv::trace(SquareRoot(root * cov_b * root))[0];
  const double apart = cv::norm(mean_a - mean_b, cv::NORM_L2SQR);
  return std::max(0.0, apart + cv::trace(cov_a)[0] + cv::trace(cov_b)[0] - 2 * cross);
}

double MovedOutside(const features::Landmarks68& before, const features::Landmarks68& after,
                    const cv::Mat& mask) {
  double sum = 0;
  int count = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const int x = std::clamp(static_cast<int>(before[i].x), 0, mask.cols - 1);
    const int y = std::clamp(static_cast<int>(before[i].y), 0, mask.rows - 1);
    if (mask.at<std::uint8_t>(y, x) != 0) continue;
    sum += static_cast<double>(features::Distance(before[i], after[i]));
    ++count;
  }
  return count == 0 ? 0 : sum / count / static_cast<double>(features::InterOcularDistance(before));
}

double ChangedOutside(const cv::Mat& before, const cv::Mat& after, const cv::Mat& mask) {
  cv::Mat difference;
  cv::absdiff(before, after, difference);
  const cv::Scalar mean = cv::mean(difference, mask == 0);
  return (mean[0] + mean[1] + mean[2]) / 3;
}

}  // namespace auforge::tools
