#include "tests/gan/faces.h"

#include <algorithm>

#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "tests/support/faces.h"

namespace auforge::tests {

void WriteFaces(const std::string& folder, int count, const features::AuSchema& schema) {
  datasets::ShardHeader header;
  header.schema = schema;
  header.model_digest = "m";
  header.detector = "none";
  header.config_digest = "c";
  header.emotion_names = {"neutral"};
  datasets::ShardWriter writer(folder, 0, header);
  for (int i = 0; i < count; ++i) {
    datasets::SampleRecord sample;
    sample.key = "k" + std::to_string(i);
    datasets::FaceRecord face;
    face.sample = writer.AddSample(sample);
    face.image = datasets::EncodeJpeg(Texture(40, 40, 3, static_cast<std::uint64_t>(i) + 1), 90);
    for (std::size_t j = 0; j < schema.size(); ++j) {
      const auto intensity = static_cast<float>((i * 7 + static_cast<int>(j) * 3) % 6);
      face.aus.intensity.push_back(std::min(5.0F, intensity));
      face.aus.probability.push_back(0.5F);
      face.aus.present.push_back(intensity >= 1 ? 1 : 0);
    }
    face.aus.quality = 1;
    face.landmarks = NeutralFace();
    face.box = {0, 0, 40, 40};
    writer.AddFace(std::move(face));
  }
  writer.Finish();
}

}  // namespace auforge::tests
