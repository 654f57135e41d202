#include "gan/internal/deferred_terms.h"

namespace auforge::gan {

void DeferredTerms::Add(const LossTerms& terms) {
  if (terms.empty()) return;
  Update update;
  std::vector<torch::Tensor> values;
  for (const auto& [name, term] : terms) {
    update.factors.emplace_back(name, term.factor);
    values.push_back(term.value.to(torch::kFloat));
  }
  update.values = torch::stack(values);
  updates_.push_back(std::move(update));
}

std::vector<std::map<std::string, double>> DeferredTerms::Read() {
  std::vector<std::map<std::string, double>> all;
  if (updates_.empty()) return all;
  std::vector<torch::Tensor> parts;
  for (const Update& update : updates_) parts.push_back(update.values);
  const torch::Tensor values = torch::cat(parts).to(torch::kCPU);
  const float* next = values.data_ptr<float>();
  for (const Update& update : updates_) {
    auto& terms = all.emplace_back();
    for (const auto& [name, factor] : update.factors) terms[name] = factor * static_cast<double>(*next++);
  }
  updates_.clear();
  return all;
}

}  // namespace auforge::gan
