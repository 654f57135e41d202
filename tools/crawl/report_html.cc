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

// Colours are roles, so that dark mode swaps them in one place.
constexpr const char* kStyle = R"css(
:root{color-scheme:light dark;--ground:#fbfbfa;--card:#fff;--ink:#1d2126;--soft:#5d6671;--line:#e3e3e0;--bar:#e07834;--bar2:#b9c2cc;--point:#2bd95a;--region:#3aa0ff;--link:#1f5fbf}
@media(prefers-color-scheme:dark){:root{--ground:#15181c;--card:#1d2126;--ink:#eceae6;--soft:#a2abb5;--line:#32383f;--bar:#f08f4f;--bar2:#59636e;--link:#8ab6ff}}
@media print{:root{color-scheme:light;--ground:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#ccc;--bar:#e07834;--bar2:#b9c2cc}nav{display:none}
main{max-width:none!important;padding:0!important}h2{break-after:avoid}tr,figure{break-inside:avoid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1120px;margin:0 auto;padding:24px 20px 60px}h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:36px 0 10px}h3{font-size:15px;margin:18px 0 8px}
h3 small{color:var(--soft);font-weight:400}a{color:var(--link)}nav{margin:12px 0 0;display:flex;flex-wrap:wrap;gap:4px 16px}
p.sub{color:var(--soft);margin:0 0 18px}.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:12px;margin-top:18px}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px}.card b{display:block;font-size:24px;line-height:1.2}
.card span{color:var(--soft);font-size:13px}table{border-collapse:collapse;width:100%;background:var(--card)}
th,td{text-align:left;padding:4px 8px;border-bottom:1px solid var(--line);vertical-align:middle}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
td.long{overflow-wrap:anywhere}.track{background:var(--line);height:10px;border-radius:5px;overflow:hidden;min-width:90px}.track i{display:block;height:100%;background:var(--bar)}
.track i.off{background:var(--bar2)}.faces{display:grid;grid-template-columns:repeat(auto-fill,minmax(250px,1fr));gap:12px}
.face{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:10px;break-inside:avoid;display:flex;gap:10px}
.face svg{width:128px;height:128px;flex:none;border-radius:6px}.face>div{flex:1;min-width:0;font-size:12px}.face dl{margin:0;display:grid;grid-template-columns:34px minmax(0,1fr);gap:0 6px;align-items:center}
.face dt{color:var(--soft)}.face dd{margin:0}.face .track{height:7px;min-width:0}.halves{display:grid;grid-template-columns:1fr 1fr;gap:2px;margin-top:1px}.halves i{display:block;height:3px;background:var(--bar2)}.halves i:first-child{justify-self:end}.face p{margin:3px 0 0;font-weight:600;line-height:1.25}
.region{fill:var(--region);fill-opacity:.25;stroke:var(--region);stroke-width:.5}
.histograms{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px}.histogram{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:8px 12px}
.histogram svg{width:100%;display:block}.histogram figcaption{font-size:13px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}.histogram small{display:block;color:var(--soft)}.histogram text{font-size:10px;fill:var(--soft)}.histogram line{stroke:var(--soft)}
.on{fill:var(--bar)}.off{fill:var(--bar2)}
.scroll{overflow-x:auto}td.h,th.h{min-width:26px;text-align:center;font-size:11px;padding:4px 2px}.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(320px,100%),1fr));gap:0 24px}.two>div{min-width:0}
)css";

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

std::string HtmlStyle() { return kStyle; }

std::string HtmlCard(const std::string& value, const std::string& label) {
  return "<div class=card><b>" + value + "</b><span>" + label + "</span></div>";
}

std::string HtmlSection(const std::string& id, const std::string& title, const std::string& sub,
                        const std::string& content) {
  return "<section id=" + id + "><h2>" + title + "</h2>" +
         (sub.empty() ? "" : "<p class=sub>" + sub + "</p>") + content + "</section>";
}

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

// Nothing where the shard has no crops: the landmarks then stand alone.
std::string HtmlPicture(const datasets::ShardReader& shard, std::size_t face, cv::Size size) {
  if (!shard.header().has_crops) return "";
  const std::vector<std::uint8_t> picture = shard.FaceImage(face);
  const bool is_png = picture.size() > 1 && picture[0] == 0x89;
  return "<image width=\"" + std::to_string(size.width) + "\" height=\"" + std::to_string(size.height) +
         "\" href=\"data:image/" + (is_png ? "png" : "jpeg") + ";base64," + Base64(picture) + "\"/>";
}

}  // namespace

std::string HtmlFace(const datasets::ShardReader& shard, std::size_t face, int region_of_au) {
  const features::Landmarks68 landmarks = CropLandmarks(shard, face);
  const cv::Mat crop = FacePicture(shard, face);
  const std::string key = EscapeHtml(shard.Sample(static_cast<std::size_t>(shard.FaceSample()[face])).key);
  std::ostringstream html;
  html << "<div class=face><svg role=img aria-label=\"face of " << key << "\" viewBox=\"0 0 " << crop.cols << ' '
       << crop.rows << "\"><title>" << key << "</title>" << HtmlPicture(shard, face, crop.size())
       << RegionPolygons(region_of_au, landmarks) << "<g fill=\"var(--point)\">";
  for (const features::Point2& point : landmarks) {
    html << "<circle cx=\"" << HtmlNumber(point.x, 1) << "\" cy=\"" << HtmlNumber(point.y, 1) << "\" r=\""
         << HtmlNumber(crop.cols / 115.0, 1) << "\"/>";
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
