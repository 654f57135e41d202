#include "gan/internal/run_log.h"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "datasets/image_codec.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/paths.h"
#include "features/number.h"

namespace auforge::gan {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTerms[] = {"d_real",        "d_fake",          "d_cond",         "d_gp",
                                  "g_masked_fake", "g_masked_cond",   "g_cyc",          "g_mask_1",
                                  "g_mask_2",      "g_mask_1_smooth", "g_mask_2_smooth"};
constexpr const char* kPairTerms[] = {"g_pair_l1", "g_pair_feature", "g_pair_attention"};
constexpr const char* kFlowTerms[] = {"g_pair_flow", "g_pair_flow_smooth"};

}  // namespace

void TermAverages::Add(const std::map<std::string, double>& terms) {
  for (const auto& [name, value] : terms) {
    if (!std::isfinite(value)) {
      throw TrainingDiverged("the loss term " + name +
                             " is not a number; the last checkpoint is whole. Go on from it "
                             "with a lower --rate, or look for broken AUs in the shards with auforge verify");
    }
    auto& [sum, count] = sums_[name];
    sum += value;
    ++count;
  }
}

std::map<std::string, double> TermAverages::Take() {
  std::map<std::string, double> means;
  for (const auto& [name, entry] : sums_) means[name] = entry.first / entry.second;
  sums_.clear();
  return means;
}

RunLog::RunLog(const std::string& run, std::int64_t resumed_at, bool has_pairs, bool has_flow)
    : run_(run),
      table_((fs::path(run) / "metrics.csv").string()),
      terms_(std::begin(kTerms), std::end(kTerms)),
      events_(run, resumed_at) {
  if (has_pairs) terms_.insert(terms_.end(), std::begin(kPairTerms), std::end(kPairTerms));
  if (has_pairs && has_flow) terms_.insert(terms_.end(), std::begin(kFlowTerms), std::end(kFlowTerms));
  if (!datasets::storage::IsThere(table_)) return;
  std::istringstream old(datasets::storage::ReadFile(table_));
  std::string kept, line;
  while (std::getline(old, line)) {
    const auto step = features::ParseWhole(std::string_view(line).substr(0, line.find(',')));
    if (line.starts_with("step,") || (step && *step <= resumed_at)) kept += line + "\n";
  }
  datasets::storage::WriteFileAtomically(table_, kept);
  has_header_ = !kept.empty();
}

void RunLog::Write(const TrainProgress& p) {
  std::ofstream file(table_, std::ios::app);
  if (!has_header_) {
    file << "step,epoch,rate,attention_mean,attention_low,attention_high";
    for (const std::string& name : terms_) file << ',' << name;
    file << ",data_wait\n";
    has_header_ = true;
  }
  file << p.step << ',' << p.epoch << ',' << p.rate << ',' << p.attention_mean << ',' << p.attention_low
       << ',' << p.attention_high;
  for (const std::string& name : terms_) {
    const auto found = p.terms.find(name);
    file << ',';
    if (found != p.terms.end()) file << found->second;
  }
  file << ',' << p.data_wait << '\n';
  file.close();
  if (!file) throw std::runtime_error(table_ + ": cannot be written: " + std::strerror(errno));
  std::map<std::string, double> scalars{{"train/rate", p.rate},
                                        {"train/epoch", p.epoch},
                                        {"train/data_wait", p.data_wait},
                                        {"attention/mean", p.attention_mean},
                                        {"attention/low", p.attention_low},
                                        {"attention/high", p.attention_high}};
  for (const auto& [name, value] : p.terms) scalars["loss/" + name] = value;
  events_.Scalars(p.step, scalars);
}

void RunLog::Samples(std::int64_t step, const cv::Mat& grid) {
  const fs::path folder = fs::path(run_) / "samples";
  datasets::storage::MakeFolder(folder.string());
  char name[32];
  std::snprintf(name, sizeof(name), "%08lld.png", static_cast<long long>(step));
  datasets::WritePng((folder / name).string(), grid);
  events_.Image(step, "samples", grid);
}

}  // namespace auforge::gan
