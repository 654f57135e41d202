// A training small enough for a test: 12 faces of 32 pixels, networks whose steps take milliseconds.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gan/trainer.h"
#include "tests/support/temp_dir.h"

namespace auforge::gan {

class SmallTraining : public ::testing::Test {
 protected:
  SmallTraining();  // writes the faces into dir_/shards
  // Eight critic steps on them into dir_/run.
  TrainOptions Options(const std::string& run) const;

  const tests::TempDir dir_;
};

TrainSummary TrainQuietly(const TrainOptions& options);

// Every number of a checkpoint: networks, averages, moments.
std::vector<float> StateOf(const std::string& path);

// What `call` throws says; empty when it throws nothing.
template <typename Error, typename Call>
std::string Message(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace auforge::gan
