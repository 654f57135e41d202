#include "tools/crawl/report_html.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "datasets/image_codec.h"
#include "features/au_partition.h"
#include "features/au_schema.h"
#include "tools/crawl/base64.h"
#include "tools/crawl/face_drawing.h"

namespace auforge::tools {
namespace {

constexpr std::size_t kBarsOfAFace = 6;

std::string RegionPolygons(int au, const features::Landmarks68& landmarks) {
  const int group = features::AuGroupOf(au);
  if (group == 0) return "";
  std::string html = "<g class=region>";
  for (const int roi : features::AuGroups()[static_cast<std::size_t>(group - 1)].rois) {
    html += "<polygon points=\"";
    for (const features::Point2& point : features::RoiPolygon(roi, landmarks)) {
      html += HtmlNumber(point.x, 1) + "," + HtmlNumber(point.y, 1) + " ";
    }
    html += "\"/>";
  }
  return html + "</g>";
}

}  // namespace

std::string EscapeHtml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string HtmlNumber(double value, int digits) {
  char text[48];
  std::snprintf(text, sizeof(text), "%.*f", digits, value);
  return text;
}

std::string HtmlCount(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

double ShareOf(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string HtmlTrack(double share, bool strong) {
  return "<div class=track><i" + std::string(strong ? "" : " class=off") +
         " style=\"width:" + HtmlNumber(100 * std::clamp(share, 0.0, 1.0), 1) + "%\"></i></div>";
}

std::string HtmlShareTable(const std::string& head,
                           const std::vector<std::pair<std::string, std::uint64_t>>& rows,
                           std::uint64_t whole) {
  std::string html = "<table><tr><th>" + head + "<th class=n>number<th class=n>share<th></tr>";
  for (const auto& [label, number] : rows) {
    const double share = ShareOf(number, whole);
    html += "<tr><td>" + EscapeHtml(label) + "<td class=n>" + HtmlCount(number) + "<td class=n>" +
            HtmlNumber(100 * share, 1) + " %<td>" + HtmlTrack(share) + "</tr>";
  }
  return html + "</table>";
}

std::string HtmlHistogram(const std::string& title, const std::vector<std::uint64_t>& bins,
                          const std::string& low, const std::string& high, std::size_t first_strong,
                          const std::string& note) {
  const std::uint64_t most = bins.empty() ? 0 : *std::max_element(bins.begin(), bins.end());
  constexpr double kWidth = 200, kHeight = 56;
  const double step = bins.empty() ? kWidth : kWidth / static_cast<double>(bins.size());
  std::ostringstream html;
  html << "<figure class=histogram><figcaption>" << EscapeHtml(title)
       << (note.empty() ? "" : "<small>" + EscapeHtml(note) + "</small>")
       << "</figcaption><svg role=img aria-label=\"" << EscapeHtml(title) << ", " << EscapeHtml(low) << " to "
       << EscapeHtml(high) << ":";
  for (const std::uint64_t bin : bins) html << " " << bin;
  html << "\" viewBox=\"0 0 " << kWidth << " " << kHeight + 14 << "\">";
  for (std::size_t i = 0; i < bins.size(); ++i) {
    // A bin that is not empty can be seen, however full the others are.
    const double height = bins[i] == 0 ? 0 : std::max(1.5, kHeight * ShareOf(bins[i], most));
    html << "<rect class=" << (i < first_strong ? "off" : "on") << " x=\""
         << HtmlNumber(step * static_cast<double>(i) + 0.5, 1) << "\" y=\"" << HtmlNumber(kHeight - height, 1)
         << "\" width=\"" << HtmlNumber(step - 1, 1) << "\" height=\"" << HtmlNumber(height, 1)
         << "\"><title>" << HtmlCount(bins[i]) << "</title></rect>";
  }
  html << "<line x1=0 x2=" << kWidth << " y1=" << kHeight << " y2=" << kHeight
       << " /><text x=0 y=" << kHeight + 12 << ">" << EscapeHtml(low) << "</text><text x=" << kWidth
       << " y=" << kHeight + 12 << " text-anchor=end>" << EscapeHtml(high) << "</text></svg></figure>";
  return html.str();
}

namespace {

// Both halves as they are seen: the subject's right on the picture's left; "" where nothing tells.
std::string HtmlHalves(const AuScore& score) {
  if (std::isnan(score.left)) return "";
  std::string html = "<div class=halves title=\"subject's right " + HtmlNumber(score.right, 1) + ", left " +
                     HtmlNumber(score.left, 1) + "\">";
  for (const float half : {score.right, score.left})
    html += "<i style=\"width:" + HtmlNumber(20 * static_cast<double>(std::clamp(half, 0.0F, 5.0F)), 1) + "%\"></i>";
  return html + "</div>";
}

}  // namespace

std::string HtmlFace(const datasets::ShardReader& shard, std::size_t face, int region_of_au) {
  const std::vector<std::uint8_t> picture = shard.FaceImage(face);
  const features::Landmarks68 landmarks = CropLandmarks(shard, face);
  const datasets::DecodedImage crop = datasets::DecodeImage(picture, {});
  const bool is_png = picture.size() > 1 && picture[0] == 0x89;
  const std::string key = EscapeHtml(shard.Sample(static_cast<std::size_t>(shard.FaceSample()[face])).key);
  std::ostringstream html;
  html << "<div class=face><svg role=img aria-label=\"face of " << key << "\" viewBox=\"0 0 " << crop.width
       << ' ' << crop.height << "\"><title>" << key << "</title><image width=\"" << crop.width
       << "\" height=\"" << crop.height << "\" href=\"data:image/" << (is_png ? "png" : "jpeg") << ";base64,"
       << Base64(picture) << "\"/>" << RegionPolygons(region_of_au, landmarks) << "<g fill=\"var(--point)\">";
  for (const features::Point2& point : landmarks) {
    html << "<circle cx=\"" << HtmlNumber(point.x, 1) << "\" cy=\"" << HtmlNumber(point.y, 1) << "\" r=\""
         << HtmlNumber(crop.width / 115.0, 1) << "\"/>";
  }
  html << "</g></svg><div><dl>";
  const std::vector<AuScore> scores = RankAus(shard, face);
  for (std::size_t i = 0; i < std::min(kBarsOfAFace, scores.size()); ++i) {
    html << "<dt>" << scores[i].name << "<dd title=\"" << HtmlNumber(scores[i].intensity, 2) << "\">"
         << HtmlTrack(scores[i].intensity / 5, scores[i].present) << HtmlHalves(scores[i]) << "</dd>";
  }
  const auto& names = shard.header().emotion_names;
  const std::size_t emotion = shard.Emotion()[face];
  html << "</dl><p>" << EscapeHtml(emotion < names.size() ? names[emotion] : "");
  if (!shard.EmotionScore().empty())
    html << " <small>" << HtmlNumber(100 * static_cast<double>(shard.EmotionScore()[face]), 0) << " %</small>";
  html << "</p></div></div>";
  return html.str();
}

}  // namespace auforge::tools
