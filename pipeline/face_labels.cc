#include "pipeline/face_labels.h"

#include "annotator/emotions.h"

namespace auforge::pipeline {

std::vector<std::uint8_t> LabelFaces(const annotator::AuModel& model, std::span<const float> rows,
                                     std::span<const annotator::QualityEvidence> evidence,
                                     std::span<datasets::FaceRecord> records) {
  std::vector<std::uint8_t> visible;
  std::vector<features::AuEstimate> estimates = model.Predict(rows, records.size(), &visible, evidence);
  const features::AuSchema& schema = model.info().schema;
  for (std::size_t i = 0; i < records.size(); ++i) {
    datasets::FaceRecord& record = records[i];
    estimates[i].quality *= record.aus.quality;  // what the confirmation left of it
    record.aus = std::move(estimates[i]);
    const auto nearest = annotator::EmotionNearest(schema, record.aus.intensity,
                                                   std::span(visible).subspan(i * schema.size(), schema.size()));
    record.emotion = nearest.category;
    record.emotion_score = nearest.score;
    record.emotion_rule = annotator::EmotionFromAus(schema, record.aus.present).category;
  }
  return visible;
}

}  // namespace auforge::pipeline
