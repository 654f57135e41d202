// libsvm's epsilon-SVR, one for each AU, on one precomputed RBF kernel. The support vectors of all AUs become the
// model's shared centres, so that prediction stays two matrix products.
#include <libsvm/svm.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>

#include "annotator/internal/learner.h"

namespace auforge::annotator {
namespace {

void Quiet(const char*) {}

struct ModelDeleter {
  void operator()(svm_model* model) const { svm_free_and_destroy_model(&model); }
};
using SvmModel = std::unique_ptr<svm_model, ModelDeleter>;

// A problem over a precomputed kernel: node 0 holds the row's serial number, nodes 1..n the kernel values.
struct Problem {
  std::vector<std::vector<svm_node>> nodes;
  std::vector<svm_node*> rows;
  std::vector<double> targets;
  std::vector<std::size_t> source;  // row of the problem -> row of the kernel
  svm_problem raw{};
};

Problem MakeProblem(const std::vector<float>& kernel, std::size_t n, const LearnerInput& input,
                    const std::vector<std::size_t>& chosen, std::size_t au) {
  Problem problem;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t at = chosen[i] * input.aus + au;
    if (std::isnan(input.labels[at]) || input.weights[at] <= 0) continue;
    problem.source.push_back(i);
    problem.targets.push_back(input.labels[at]);
  }
  const std::size_t rows = problem.source.size();
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<svm_node> nodes(rows + 2);
    nodes[0] = {0, static_cast<double>(i + 1)};
    for (std::size_t j = 0; j < rows; ++j) {
      nodes[j + 1] = {static_cast<int>(j + 1), kernel[problem.source[i] * n + problem.source[j]]};
    }
    nodes[rows + 1] = {-1, 0};
    problem.nodes.push_back(std::move(nodes));
  }
  for (auto& nodes : problem.nodes) problem.rows.push_back(nodes.data());
  problem.raw = {static_cast<int>(rows), problem.targets.data(), problem.rows.data()};
  return problem;
}

svm_parameter Parameters(const TrainOptions& options) {
  svm_parameter parameter{};
  parameter.svm_type = EPSILON_SVR;
  parameter.kernel_type = PRECOMPUTED;
  parameter.C = options.svm_c;
  parameter.p = options.svm_epsilon;
  parameter.eps = 1e-3;
  parameter.cache_size = 200;
  parameter.shrinking = 1;
  return parameter;
}

}  // namespace

void LearnSvm(const LearnerInput& input, const TrainOptions& options, Head& head,
              const std::function<void(const std::string&)>& log) {
  svm_set_print_string_function(Quiet);
  const auto chosen = ChooseRows(input.n, static_cast<std::size_t>(options.svm_rows), options.seed);
  const std::size_t n = chosen.size();
  std::vector<float> rows(n * input.components);
  for (std::size_t i = 0; i < n; ++i) {
    std::copy_n(input.rows.begin() + static_cast<std::ptrdiff_t>(chosen[i] * input.components), input.components,
                rows.begin() + static_cast<std::ptrdiff_t>(i * input.components));
  }
  const std::vector<float> kernel = RbfKernel(rows.data(), n, rows.data(), n, input.components, input.gamma);

  std::vector<std::vector<float>> coefficients(input.aus, std::vector<float>(n, 0.0F));
  head.bias.assign(input.aus, 0.0F);
  std::vector<bool> is_centre(n, false);
  for (std::size_t au = 0; au < input.aus; ++au) {
    Problem problem = MakeProblem(kernel, n, input, chosen, au);
    if (problem.source.size() < 2) continue;
    const svm_parameter parameter = Parameters(options);
    if (const char* fault = svm_check_parameter(&problem.raw, &parameter)) {
      throw std::invalid_argument(std::string("svm: ") + fault);
    }
    const SvmModel model(svm_train(&problem.raw, &parameter));
    for (int s = 0; s < model->l; ++s) {
      const std::size_t row = problem.source[static_cast<std::size_t>(model->sv_indices[s] - 1)];
      coefficients[au][row] = static_cast<float>(model->sv_coef[0][s]);
      is_centre[row] = true;
    }
    head.bias[au] = static_cast<float>(-model->rho[0]);
    if (log) log("svm: " + std::to_string(au + 1) + " of " + std::to_string(input.aus) + " AUs, " + std::to_string(model->l) + " support vectors");
  }
  head.centres.clear();
  head.coefficients.clear();
  for (std::size_t i = 0; i < n; ++i) {
    if (!is_centre[i]) continue;
    head.centres.insert(head.centres.end(), rows.begin() + static_cast<std::ptrdiff_t>(i * input.components),
                           rows.begin() + static_cast<std::ptrdiff_t>((i + 1) * input.components));
    for (std::size_t au = 0; au < input.aus; ++au) head.coefficients.push_back(coefficients[au][i]);
  }
  head.centre_count = head.centres.size() / input.components;
}

}  // namespace auforge::annotator
