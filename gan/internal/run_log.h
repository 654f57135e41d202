// What a training writes down about itself: RUN/metrics.csv, TensorBoard events, samples/. Used by one
// thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gan/event_writer.h"
#include "gan/trainer.h"

namespace auforge::gan {

// Means of the loss terms since the last Take.
class TermAverages {
 public:
  // Throws TrainingDiverged naming a term that is not finite.
  void Add(const std::map<std::string, double>& terms);
  std::map<std::string, double> Take();

 private:
  std::map<std::string, std::pair<double, double>> sums_;
};

class RunLog {
 public:
  // Lines of steps that a resumed training will do again are dropped from the table.
  // has_pairs: the table has their terms' columns, too.
  RunLog(const std::string& run, std::int64_t resumed_at, bool has_pairs = false, bool has_flow = false);
  void Write(const TrainProgress& progress);
  // grid: CV_8UC3, into samples/NNNNNNNN.png and the events.
  void Samples(std::int64_t step, const cv::Mat& grid);

 private:
  std::string run_, table_;
  std::vector<std::string> terms_;  // columns
  bool has_header_ = false;
  EventWriter events_;
};

}  // namespace auforge::gan
