// Training GANimation on shards: resumable, watched, and safe against numbers that run away.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "datasets/storage/bad_content.h"
#include "features/au_schema.h"
#include "gan/communicator.h"
#include "gan/options.h"

namespace auforge::gan {

struct TrainOptions {
  std::vector<std::string> shards;  // shards or folders of them; may be empty when there are pairs
  // Shards of scenes drawn with several expressions, whose faces are told the answer (weights.paired > 0; with 0 they are
  // faces like all others).
  std::vector<std::string> pairs;
  double photo_share = 0.25;           // of a batch, faces of `shards` where there are pairs, 0..1
  std::int64_t paired_only_steps = 0;  // the first ones update the generator by the answers alone, without the critic
  float unsure_label = 1;              // see FaceDatasetOptions
  std::string run;         // folder of checkpoints, metrics and samples; training goes on where it stopped
  std::string start_from;  // a run or a file of weights that a new training begins with; empty: at random
  std::string lineage;     // what checkpoints say of where they come from (datasets/storage/lineage.h); empty: what they said
  features::AuSchema schema =
      features::GanSchema();  // what the generator is told; network.aus follows from it
  NetworkOptions network;
  LossWeights weights;
  AdamOptions adam;
  CriticStep critic_step = CriticStep::kSummed;
  Precision precision = Precision::kFloat;
  double average = 0;     // decay of the averaged generator that edits use, 0..1 a generator step; 0: none
  int batch = 25;         // faces, of all processes together, >= 1
  int epochs = 30;        // >= 1
  int decay_epochs = 10;  // the rate falls linearly over the last ones; 0: never
  int critic_steps = 5;   // critic updates for one generator update, >= 1
  float target_noise = 0.1F;  // on the AUs asked for, half width, 0..1
  float min_quality = 0;      // faces below are left out
  bool flip = true;
  float colour_cast = 0;  // see LoaderOptions, 0..0.9
  std::uint64_t seed = 1;
  int jobs = 1;                // threads
  double max_minutes = 0;      // stop after this long, with a checkpoint; 0: no limit
  std::int64_t max_steps = 0;  // stop after this many steps (critic updates) in all; 0: no limit
  double save_minutes = 10;    // between checkpoints, > 0
  int keep = 2;                // checkpoints kept, >= 1; the best one besides, as best.h5
  std::string device = "cpu";  // or cuda
  // Faces decoded once and kept as bytes where the computing is (S x S x 3 each) instead of decoded for every batch: "yes",
  // "no", or "auto": on a GPU when they take less than half of its free memory. The same batches either way.
  std::string data_on_device = "auto";
  Rendezvous processes;        // of a data-parallel training
  int samples = 6;             // faces of the sample sheets that are drawn with every checkpoint; 0: none
  void Validate() const;       // throws std::invalid_argument naming field, value and constraint
};

struct TrainProgress {
  std::int64_t step = 0, steps_expected = 0;  // critic updates, and paired-only ones
  int epoch = 0;                              // 1-based
  double rate = 0, seconds = 0;
  std::map<std::string, double> terms;  // weighted loss terms, averaged since the last report
  double attention_mean = 0, attention_low = 0, attention_high = 0;
  double data_wait = 0;  // share of the time spent waiting for faces, 0..1
};

struct TrainSummary {
  std::int64_t steps = 0;
  double seconds = 0;
  std::string checkpoint;
  bool finished = false;  // all epochs (or max_steps) are done; false when time or a signal ended it
  bool stopped = false;   // stop_requested
};

// A loss term is not a number. The last checkpoint is whole; the message names the term and says what to do.
struct TrainingDiverged : datasets::storage::BadContent {
  using BadContent::BadContent;
};

// RUN/checkpoint_NNNNNNNN.h5 is the state after N steps. RUN/best.h5 is the one with the lowest AU, cycle and
// paired L1 loss of the generator, averaged since the checkpoint before it. metrics.csv, TensorBoard events
// and samples/ lie beside them.
//
// start_from: the weights alone, with fresh optimisers, for the same AUs and networks; a generator without a flow may get
// one. A file without a critic starts a new one and may be of another image size. A run that has a checkpoint goes on from that
// instead.
//
// report: now and then, from the calling thread. warn: a line of advice. stop_requested: polled at every
// step; when it turns true a checkpoint is written and the call returns. Throws std::runtime_error for data
// and files, std::invalid_argument for options that differ from the run's.
TrainSummary Train(const TrainOptions& options, const std::function<void(const TrainProgress&)>& report,
                   const std::function<void(const std::string&)>& warn,
                   const std::function<bool()>& stop_requested);

}  // namespace auforge::gan
