// What a model is worth: its figures on labelled rows.
#include <algorithm>
#include <cmath>

#include "annotator/internal/answers.h"
#include "annotator/internal/quality_head.h"
#include "annotator/internal/training_steps.h"
#include "annotator/metrics.h"

namespace auforge::annotator {
namespace {

AuFigure FigureOf(int au, const std::vector<float>& predicted, const std::vector<float>& label) {
  AuFigure figure;
  figure.au = au;
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (std::isnan(label[i])) continue;
    ++figure.rows;
    figure.active += label[i] >= 1;
    figure.claimed += predicted[i] >= 1;
  }
  figure.r = PearsonR(predicted, label);
  figure.icc = Icc31(predicted, label);
  figure.mae = MeanAbsoluteError(predicted, label);
  figure.auc = AreaUnderCurve(predicted, label);
  figure.f1 = F1(predicted, label);
  figure.best_f1 = BestF1(predicted, label);
  return figure;
}

// Everything that is asked of a model about some rows, so that features are gone through once.
struct Predictions {
  std::vector<float> intensity, seen;  // n x A of the model; seen may be empty
  std::vector<float> quality;          // n; empty where the data has no evidence
};
Predictions PredictionsOf(const AuModel& model, const TrainingData& data,
                          const std::vector<std::size_t>& rows) {
  const std::size_t dimension = data.features.size() / std::max<std::size_t>(1, data.rows);
  Predictions all;
  InPieces(rows, [&](const std::vector<std::size_t>& piece) {
    const std::vector<float> x = Take(data.features, piece, dimension);
    const auto evidence =
        data.evidence.empty() ? std::vector<QualityEvidence>{} : Take(data.evidence, piece, 1);
    for (const auto& e : model.Predict(x, piece.size(), nullptr, evidence)) {
      all.intensity.insert(all.intensity.end(), e.intensity.begin(), e.intensity.end());
      if (!evidence.empty()) all.quality.push_back(e.quality);
    }
    if (data.seen.empty() || model.weights().seen_bias.empty()) return;
    const Answers answers = Answer(model.weights(), x.data(), piece.size(), false);
    all.seen.insert(all.seen.end(), answers.seen.begin(), answers.seen.end());
  });
  return all;
}

// How well the visible share as predicted tells the faces whose region of this AU is hidden.
void JudgeVisibility(const std::vector<float>& predicted, const std::vector<float>& seen, AuFigure& figure) {
  std::vector<float> hidden_score, hidden;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    hidden_score.push_back(-predicted[i]);
    hidden.push_back(seen[i] < kLeastSeen ? 1.0F : 0.0F);
    figure.hidden += seen[i] < kLeastSeen ? 1 : 0;
  }
  figure.hidden_auc = AreaUnderCurve(hidden_score, hidden);
}

std::vector<std::size_t> WithoutCopies(const TrainingData& data) {
  std::vector<std::size_t> rows = AllRows(data.rows);
  if (!data.copy.empty()) std::erase_if(rows, [&data](std::size_t i) { return data.copy[i] != 0; });
  return rows;
}

// Correlation of a and b with what both owe to c taken out.
double Partial(double ab, double ac, double bc) {
  const double rest = (1 - ac * ac) * (1 - bc * bc);
  return rest > 0 ? (ab - ac * bc) / std::sqrt(rest) : 0;
}

// Labels of the model's AUs, n x A of the model; NaN where the data does not know an AU.
std::vector<float> LabelsOf(const features::AuSchema& schema, const TrainingData& data,
                            const std::vector<std::size_t>& rows) {
  std::vector<float> labels;
  for (const std::size_t row : rows) {
    for (const int au : schema.numbers()) {
      const auto column = data.schema.Find(au);
      labels.push_back(column ? data.labels[row * data.schema.size() + *column] : NAN);
    }
  }
  return labels;
}

}  // namespace

std::vector<AuFigure> FiguresOf(const AuModel& model, const TrainingData& data,
                                const std::vector<std::size_t>& rows) {
  const std::size_t a = data.schema.size();
  const Predictions predicted = PredictionsOf(model, data, rows);
  const features::AuSchema& schema = model.info().schema;
  const std::vector<float> labels = Take(data.labels, rows, a);
  std::vector<AuFigure> figures;
  for (std::size_t j = 0; j < a; ++j) {
    const auto column = schema.Find(data.schema.numbers()[j]);
    if (!column) continue;
    figures.push_back(FigureOf(data.schema.numbers()[j], Column(predicted.intensity, schema.size(), *column),
                               Column(labels, a, j)));
    if (predicted.seen.empty()) continue;
    JudgeVisibility(Column(predicted.seen, schema.size(), *column), Column(Take(data.seen, rows, a), a, j),
                    figures.back());
  }
  return figures;
}

QualityFigure QualityFigureOf(const AuModel& model, const TrainingData& data,
                              const std::vector<std::size_t>& rows) {
  QualityFigure figure;
  if (data.evidence.empty() || rows.empty()) return figure;
  const Predictions predicted = PredictionsOf(model, data, rows);
  const FaceErrors errors =
      ErrorsOfFaces(predicted.intensity, LabelsOf(model.info().schema, data, rows), rows.size());
  std::vector<float> evidence;
  for (const std::size_t row : rows) evidence.push_back(FaceQuality(data.evidence[row]));
  figure.rows = rows.size();
  figure.raw = SpearmanR(predicted.quality, errors.absolute);
  figure.relative = SpearmanR(predicted.quality, errors.relative);
  figure.partial = Partial(figure.raw, SpearmanR(predicted.quality, errors.expression),
                           SpearmanR(errors.absolute, errors.expression));
  figure.evidence = SpearmanR(evidence, errors.absolute);
  std::vector<std::size_t> order = AllRows(rows.size());
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
    return predicted.quality[i] != predicted.quality[j] ? predicted.quality[i] > predicted.quality[j] : i < j;
  });
  for (std::size_t k = 0; k < order.size(); ++k) {
    const float error = errors.absolute[order[k]];
    if (std::isnan(error)) continue;
    const std::size_t fifth = k * figure.error.size() / order.size();
    figure.error[fifth] += static_cast<double>(error);
    figure.quality[fifth] += static_cast<double>(predicted.quality[order[k]]);
    figure.not_poor[fifth] += errors.relative[order[k]] <= kPoorError ? 1 : 0;
    ++figure.faces[fifth];
  }
  for (std::size_t f = 0; f < figure.error.size(); ++f) {
    const double n = std::max<double>(1, static_cast<double>(figure.faces[f]));
    for (auto* sums : {&figure.error, &figure.quality, &figure.not_poor}) (*sums)[f] /= n;
  }
  return figure;
}

std::vector<AuFigure> EvaluateAuModel(const AuModel& model, const TrainingData& data) {
  return FiguresOf(model, data, WithoutCopies(data));
}
QualityFigure EvaluateQuality(const AuModel& model, const TrainingData& data) {
  return QualityFigureOf(model, data, WithoutCopies(data));
}

AuFigure MeanFigure(const std::vector<AuFigure>& figures) {
  AuFigure mean;
  double n = 0;
  for (const AuFigure& f : figures) {
    if (std::isnan(f.auc)) continue;
    ++n;
    mean.rows += f.rows;
    mean.active += f.active;
    mean.claimed += f.claimed;
    mean.r += f.r;
    mean.icc += f.icc;
    mean.mae += f.mae;
    mean.auc += f.auc;
    mean.f1 += f.f1;
    mean.best_f1 = (n == 1 ? 0 : mean.best_f1) + f.best_f1;
  }
  double judged = 0;
  for (const AuFigure& f : figures) {
    mean.hidden += f.hidden;
    if (std::isnan(f.hidden_auc)) continue;
    mean.hidden_auc = (judged == 0 ? 0 : mean.hidden_auc) + f.hidden_auc;
    ++judged;
  }
  if (judged > 0) mean.hidden_auc /= judged;
  if (n == 0) return mean;
  for (double* value : {&mean.r, &mean.icc, &mean.mae, &mean.auc, &mean.f1, &mean.best_f1}) *value /= n;
  return mean;
}

}  // namespace auforge::annotator
