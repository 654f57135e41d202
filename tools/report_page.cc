#include "tools/report_page.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <sstream>

#include "datasets/image_codec.h"
#include "features/au_schema.h"
#include "tools/base64.h"
#include "tools/face_drawing.h"

namespace auforge::tools {
namespace {

// Colours are roles, so that dark mode swaps them in one place.
constexpr const char* kStyle = R"css(
:root{--ground:#fbfbfa;--card:#fff;--ink:#1d2126;--soft:#5d6671;--line:#e3e3e0;--bar:#e07834;--bar2:#b9c2cc;--point:#2bd95a}
@media(prefers-color-scheme:dark){:root{--ground:#15181c;--card:#1d2126;--ink:#eceae6;--soft:#a2abb5;--line:#32383f;--bar:#f08f4f;--bar2:#59636e}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1120px;margin:0 auto;padding:24px 20px 60px}h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:36px 0 10px}
p.sub{color:var(--soft);margin:0 0 18px}.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:12px}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px}.card b{display:block;font-size:24px;line-height:1.2}
.card span{color:var(--soft);font-size:13px}table{border-collapse:collapse;width:100%;background:var(--card)}
th,td{text-align:left;padding:4px 8px;border-bottom:1px solid var(--line);vertical-align:middle}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.track{background:var(--line);height:10px;border-radius:5px;overflow:hidden;min-width:90px}.track i{display:block;height:100%;background:var(--bar)}
.track i.off{background:var(--bar2)}.faces{display:grid;grid-template-columns:repeat(auto-fill,minmax(250px,1fr));gap:12px}
.face{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:10px;break-inside:avoid;display:flex;gap:10px}
.face svg{width:128px;height:128px;flex:none;border-radius:6px}.face dl{flex:1;margin:0;font-size:12px;display:grid;grid-template-columns:38px 1fr;gap:2px 6px;align-items:center}
.face dt{color:var(--soft)}.face dd{margin:0}.face .track{height:7px;min-width:40px}.face p{grid-column:1/3;margin:4px 0 0;font-weight:600}
.scroll{overflow-x:auto}td.h{min-width:26px;text-align:center;font-size:11px}.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:24px}
@media print{body{background:#fff}.face{break-inside:avoid}}
)css";

std::string Number(double value, int digits) {
  char text[48];
  std::snprintf(text, sizeof(text), "%.*f", digits, value);
  return text;
}

std::string Count(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3) text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

double Share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string Track(double share, bool strong = true) {
  return "<div class=track><i" + std::string(strong ? "" : " class=off") + " style=\"width:" +
         Number(100 * std::clamp(share, 0.0, 1.0), 1) + "%\"></i></div>";
}

std::string Card(const std::string& value, const std::string& label) {
  return "<div class=card><b>" + value + "</b><span>" + label + "</span></div>";
}

// A two-column table of shares.
std::string ShareTable(const std::string& head, const std::vector<std::pair<std::string, std::uint64_t>>& rows,
                       std::uint64_t whole) {
  std::string html = "<table><tr><th>" + head + "<th class=n>number<th class=n>share<th></tr>";
  for (const auto& [label, number] : rows) {
    const double share = Share(number, whole);
    html += "<tr><td>" + EscapeHtml(label) + "<td class=n>" + Count(number) + "<td class=n>" + Number(100 * share, 1) +
            " %<td>" + Track(share) + "</tr>";
  }
  return html + "</table>";
}

std::vector<std::pair<std::string, std::uint64_t>> Sorted(const std::map<std::string, std::uint64_t>& counts) {
  std::vector<std::pair<std::string, std::uint64_t>> rows(counts.begin(), counts.end());
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return rows;
}

std::string AuTable(const ReportData& data) {
  std::string html =
      "<div class=scroll><table><tr><th>AU<th>name<th class=n>faces<th class=n>share<th>present<th class=n>mean"
      "<th class=h>0–1<th class=h>1–2<th class=h>2–3<th class=h>3–4<th class=h>4–5</tr>";
  for (const AuFigures& au : data.aus) {
    const int number = features::ParseAu(au.name).value_or(0);
    html += "<tr><td>" + au.name + "<td>" + std::string(features::AuName(number)) + "<td class=n>" +
            Count(au.present) + "<td class=n>" + Number(100 * Share(au.present, data.faces), 1) + " %<td>" +
            Track(Share(au.present, data.faces)) + "<td class=n>" +
            Number(au.intensity_sum / static_cast<double>(std::max<std::uint64_t>(1, data.faces)), 2);
    for (const std::uint64_t bin : au.histogram) {
      const double share = Share(bin, data.faces);
      html += "<td class=h style=\"background:color-mix(in srgb,var(--bar) " + Number(90 * share, 0) +
              "%,transparent)\">" + Number(100 * share, 0);
    }
    html += "</tr>";
  }
  return html + "</table></div>";
}

// Share of the faces with the row's AU that also have the column's.
std::string TogetherTable(const ReportData& data) {
  std::string html = "<div class=scroll><table><tr><th>";
  for (const AuFigures& au : data.aus) html += "<th class=h>" + au.name.substr(2);
  html += "</tr>";
  for (std::size_t i = 0; i < data.aus.size(); ++i) {
    html += "<tr><th>" + data.aus[i].name;
    for (std::size_t j = 0; j < data.aus.size(); ++j) {
      const double share = Share(data.together[i][j], data.aus[i].present);
      html += "<td class=h style=\"background:color-mix(in srgb,var(--bar) " + Number(80 * share, 0) +
              "%,transparent)\">" + (i == j ? "·" : Number(100 * share, 0));
    }
    html += "</tr>";
  }
  return html + "</table></div>";
}

std::string FaceCard(const datasets::ShardReader& shard, std::size_t face) {
  const std::vector<std::uint8_t> jpeg = shard.FaceImage(face);
  const features::Landmarks68 landmarks = CropLandmarks(shard, face);
  // The crop's side: the stored similarity maps into it, and landmarks lie inside; the viewBox needs the true size.
  const datasets::DecodedImage crop = datasets::DecodeImage(jpeg, {});
  std::ostringstream html;
  const std::string key = EscapeHtml(shard.Sample(static_cast<std::size_t>(shard.FaceSample()[face])).key);
  html << "<div class=face><svg role=img aria-label=\"face of " << key << "\" viewBox=\"0 0 " << crop.width << ' '
       << crop.height << "\"><image width=\"" << crop.width << "\" height=\"" << crop.height
       << "\" href=\"data:image/jpeg;base64," << Base64(jpeg) << "\"/><g fill=\"var(--point)\">";
  for (const features::Point2& point : landmarks) {
    html << "<circle cx=\"" << Number(point.x, 1) << "\" cy=\"" << Number(point.y, 1) << "\" r=\"0.9\"/>";
  }
  html << "</g></svg><dl>";
  const std::vector<AuScore> scores = RankAus(shard, face);
  for (std::size_t i = 0; i < std::min<std::size_t>(6, scores.size()); ++i) {
    html << "<dt>" << scores[i].name << "<dd title=\"" << Number(scores[i].intensity, 2) << "\">"
         << Track(scores[i].intensity / 5, scores[i].present);
  }
  const auto& names = shard.header().emotion_names;
  const std::size_t emotion = shard.Emotion()[face];
  html << "<p>" << EscapeHtml(emotion < names.size() ? names[emotion] : "") << "</p></dl></div>";
  return html.str();
}

std::string FaceCards(const ReportData& data) {
  std::string html = "<div class=faces>";
  std::size_t open = data.shards.size();
  std::unique_ptr<datasets::ShardReader> shard;
  for (const FaceReference& reference : data.sample_faces) {
    if (reference.shard != open) {
      shard = std::make_unique<datasets::ShardReader>(data.shards[reference.shard]);
      open = reference.shard;
    }
    html += FaceCard(*shard, reference.face);
  }
  return html + "</div>";
}

std::string Speeds(const ReportData& data) {
  double total = 0;
  for (const auto& [stage, seconds] : data.stage_seconds) total += seconds;
  std::string html = "<table><tr><th>stage<th class=n>thread seconds<th class=n>ms an image<th>share</tr>";
  for (const auto& [stage, seconds] : data.stage_seconds) {
    html += "<tr><td>" + EscapeHtml(stage) + "<td class=n>" + Number(seconds, 2) + "<td class=n>" +
            Number(1000 * seconds / static_cast<double>(std::max<std::uint64_t>(1, data.images)), 2) + "<td>" +
            Track(total > 0 ? seconds / total : 0) + "</tr>";
  }
  return html + "</table>";
}

std::string Failures(const ReportData& data) {
  if (data.failure_count == 0) return "<p class=sub>Every image gave at least one face.</p>";
  std::string html = "<div class=scroll><table><tr><th>image<th>status<th>what happened</tr>";
  for (const Failure& failure : data.failures) {
    html += "<tr><td>" + EscapeHtml(failure.key) + "<td>" + EscapeHtml(failure.status) + "<td>" +
            EscapeHtml(failure.message) + "</tr>";
  }
  html += "</table></div>";
  if (data.failure_count > data.failures.size()) {
    html += "<p class=sub>and " + Count(data.failure_count - data.failures.size()) +
            " more in the NNNNN_errors.jsonl files.</p>";
  }
  return html;
}

}  // namespace

std::string EscapeHtml(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string ReportPage(const ReportData& data, const std::string& title) {
  std::ostringstream html;
  html << "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">"
       << "<title>" << EscapeHtml(title) << "</title><style>" << kStyle << "</style><main><h1>" << EscapeHtml(title)
       << "</h1><p class=sub>AuForge " << EscapeHtml(data.tool_version) << " · detector " << EscapeHtml(data.detector)
       << " · AU model " << EscapeHtml(data.model_digest.substr(0, 12)) << "</p><div class=cards>"
       << Card(Count(data.images), "images") << Card(Count(data.faces), "faces")
       << Card(Count(data.shards.size()), "shards") << Card(Count(data.failure_count), "images without a face")
       << "</div><h2>Faces</h2><p class=sub>" << data.sample_faces.size()
       << " faces spread evenly over the run, with their landmarks and strongest AUs. A bar is an intensity of 0–5; "
          "orange: the AU is present (intensity of 1 or more).</p>"
       << FaceCards(data) << "<h2>Action Units</h2>" << AuTable(data)
       << "<h2>AUs that occur together</h2><p class=sub>Of the faces with the row’s AU, per cent that also have the "
          "column’s.</p>"
       << TogetherTable(data) << "<div class=two><div><h2>Emotions</h2>"
       << ShareTable("category", Sorted(data.emotions), data.faces) << "</div><div><h2>What became of the images</h2>"
       << ShareTable("status", Sorted(data.by_status), data.images) << "<h2>Face sizes</h2>";
  const char* kSizes[] = {"under 40 px", "40–79 px", "80–159 px", "160–319 px", "320 px and more"};
  std::vector<std::pair<std::string, std::uint64_t>> sizes;
  for (std::size_t i = 0; i < data.face_sizes.size(); ++i) sizes.emplace_back(kSizes[i], data.face_sizes[i]);
  html << ShareTable("width of the box", sizes, data.faces) << "</div></div><h2>Failures</h2>" << Failures(data)
       << "<h2>Where the time went</h2>" << Speeds(data) << "</main></html>\n";
  return html.str();
}

}  // namespace auforge::tools
