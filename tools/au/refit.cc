#include "tools/au/refit.h"

namespace auforge::tools {

annotator::Refitted RefitToData(const annotator::AuModel& model, const std::vector<std::string>& data,
                                const FaceSearch& faces, const annotator::ReadoutOptions& options, int jobs,
                                const Log& log) {
  FaceSearch search = faces;
  UseLandmarksOf(model, search);
  const annotator::TrainingData photos = LoadTrainingData(data, model.info().features, search, jobs, log);
  NameAusWithoutModel(photos, model.info().schema, log);
  return annotator::RefitOnPhotos(model, photos, options, log);
}

std::string OptionText(const std::string& option, const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += " " + option + " " + value;
  return text;
}

}  // namespace auforge::tools
