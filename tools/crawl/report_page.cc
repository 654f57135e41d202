#include "tools/crawl/report_page.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <sstream>

#include "features/au_schema.h"

namespace auforge::tools {
namespace {

std::vector<std::pair<std::string, std::uint64_t>> Sorted(
    const std::map<std::string, std::uint64_t>& counts) {
  std::vector<std::pair<std::string, std::uint64_t>> rows(counts.begin(), counts.end());
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return rows;
}

// A tint of the strong colour for a share, 0..1.
std::string Tint(double share) {
  return " style=\"background:color-mix(in srgb,var(--bar) " + HtmlNumber(85 * share, 0) + "%,transparent)\"";
}

std::string AuTable(const ReportData& data) {
  std::string html =
      "<div class=scroll><table><tr><th>AU<th>name<th class=n>faces<th class=n>share<th>present<th "
      "class=n>mean"
      "<th class=h>0–1<th class=h>1–2<th class=h>2–3<th class=h>3–4<th class=h>4–5</tr>";
  for (const AuFigures& au : data.aus) {
    const int number = features::ParseAu(au.name).value_or(0);
    html += "<tr><td>" + au.name + "<td>" + std::string(features::AuName(number)) + "<td class=n>" +
            HtmlCount(au.present) + "<td class=n>" + HtmlNumber(100 * ShareOf(au.present, data.faces), 1) +
            " %<td>" + HtmlTrack(ShareOf(au.present, data.faces)) + "<td class=n>" +
            HtmlNumber(au.intensity_sum / static_cast<double>(std::max<std::uint64_t>(1, data.faces)), 2);
    for (const std::uint64_t bin : au.histogram) {
      const double share = ShareOf(bin, data.faces);
      html += "<td class=h" + Tint(share) + ">" + HtmlNumber(100 * share, 0);
    }
    html += "</tr>";
  }
  return html + "</table></div>";
}

std::string AuHistograms(const ReportData& data) {
  std::string html = "<div class=histograms>";
  for (const AuFigures& au : data.aus) {
    // The first bin, faces without a trace of it, would dwarf the others: its height is written, not drawn.
    std::vector<std::uint64_t> bins(au.fine.begin() + 1, au.fine.end());
    const std::string name(features::AuName(features::ParseAu(au.name).value_or(0)));
    html += HtmlHistogram(au.name + " " + name, bins, "0.25", "5", 3,
                          HtmlCount(au.fine[0]) + " faces below 0.25");
  }
  return html + "</div>";
}

// Share of the faces with the row's AU that also have the column's.
std::string TogetherTable(const ReportData& data) {
  std::string html = "<div class=scroll><table><tr><th>";
  for (const AuFigures& au : data.aus) html += "<th class=h>" + au.name.substr(2);
  html += "</tr>";
  for (std::size_t i = 0; i < data.aus.size(); ++i) {
    html += "<tr><th>" + data.aus[i].name;
    for (std::size_t j = 0; j < data.aus.size(); ++j) {
      const double share = ShareOf(data.together[i][j], data.aus[i].present);
      html += i == j ? "<td class=h>·"
                     : "<td class=h" + Tint(share) + ">" +
                           (data.aus[i].present == 0 ? "" : HtmlNumber(100 * share, 0));
    }
    html += "</tr>";
  }
  return html + "</table></div>";
}

// Opens the shards one after another while faces are drawn from them.
class FaceDrawer {
 public:
  explicit FaceDrawer(const ReportData& data) : data_(data), open_(data.shards.size()) {}
  std::string operator()(const FaceReference& face, int region_of_au) {
    if (face.shard != open_) {
      shard_ = std::make_unique<datasets::ShardReader>(data_.shards[face.shard]);
      open_ = face.shard;
    }
    return HtmlFace(*shard_, face.face, region_of_au);
  }

 private:
  const ReportData& data_;
  std::size_t open_;
  std::unique_ptr<datasets::ShardReader> shard_;
};

std::string SampleCards(const ReportData& data) {
  FaceDrawer draw(data);
  std::string html = "<div class=faces>";
  for (const FaceReference& face : data.sample_faces) html += draw(face, 0);
  return html + "</div>";
}

std::string TypicalCards(const ReportData& data, const ReportFaces& faces) {
  FaceDrawer draw(data);
  std::string html;
  for (const TypicalFaces& typical : faces.typical) {
    html += "<h3>" + EscapeHtml(typical.emotion) + " <small>" + HtmlCount(typical.of) +
            " faces</small></h3><div class=faces>";
    for (const FaceReference& face : typical.faces) html += draw(face, 0);
    html += "</div>";
  }
  return html;
}

std::string ExtremeCards(const ReportData& data, const ReportFaces& faces) {
  FaceDrawer draw(data);
  std::string html;
  for (const ExtremeFaces& extreme : faces.extreme) {
    const int au = features::ParseAu(extreme.au).value_or(0);
    html += "<h3>" + extreme.au + " <small>" + std::string(features::AuName(au)) +
            "</small></h3><div class=faces>";
    for (const FaceReference& face : extreme.faces) html += draw(face, au);
    html += "</div>";
  }
  return html;
}

std::string Speeds(const ReportData& data) {
  double total = 0;
  for (const auto& [stage, seconds] : data.stage_seconds) total += seconds;
  if (total <= 0) return "<p class=sub>The stats files say nothing of times.</p>";
  std::string html = "<p class=sub>" + HtmlNumber(static_cast<double>(data.images) / total, 1) +
                     " images a second of one thread; " + HtmlNumber(total, 1) +
                     " thread seconds in all.</p>" +
                     "<table><tr><th>stage<th class=n>thread seconds<th class=n>ms an image<th>share</tr>";
  for (const auto& [stage, seconds] : data.stage_seconds) {
    html += "<tr><td>" + EscapeHtml(stage) + "<td class=n>" + HtmlNumber(seconds, 2) + "<td class=n>" +
            HtmlNumber(1000 * seconds / static_cast<double>(std::max<std::uint64_t>(1, data.images)), 2) +
            "<td>" + HtmlTrack(seconds / total) + "</tr>";
  }
  return html + "</table>";
}

std::string Failures(const ReportData& data) {
  std::string html;
  if (!data.left_out.empty()) {
    html += "<h3>Shards that cannot be read, left out</h3><table>";
    for (const LeftOut& shard : data.left_out)
      html += "<tr><td class=long>" + EscapeHtml(shard.fault) + "</tr>";
    html += "</table>";
  }
  if (data.failure_count == 0) return html + "<p class=sub>No image is in the error logs.</p>";
  html += "<div class=scroll><table><tr><th>image<th>status<th>what happened</tr>";
  for (const Failure& failure : data.failures) {
    html += "<tr><td class=long>" + EscapeHtml(failure.key) + "<td>" + EscapeHtml(failure.status) +
            "<td class=long>" + EscapeHtml(failure.message) + "</tr>";
  }
  html += "</table></div>";
  if (data.failure_count > data.failures.size()) {
    html += "<p class=sub>and " + HtmlCount(data.failure_count - data.failures.size()) +
            " more in the NNNNN_errors.jsonl files.</p>";
  }
  return html;
}

// What the crawler's own tables say of all that it tried, images that never came included.
std::string CrawlTried(const ReportData& data) {
  if (data.crawl.empty()) return "";
  std::uint64_t tried = 0;
  for (const auto& [status, count] : data.crawl) tried += count;
  return "<h3>What the crawl tried and did not get</h3>" + HtmlShareTable("status", Sorted(data.crawl), tried);
}

std::string Joined(const std::set<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : ", ") + text;
  return joined;
}

std::string Provenance(const ReportData& data) {
  std::vector<std::pair<std::string, std::string>> rows{
      {"auforge", Joined(data.versions)},
      {"AU model", Joined(data.models)},
      {"detector", Joined(data.detectors)},
      {"configuration", Joined(data.configs)},
      {"sources", Joined(data.sources) + (data.sources.size() == kSourcesKept ? ", …" : "")},
      {"made", data.first_created == data.last_created ? data.first_created
                                                       : data.first_created + " to " + data.last_created},
  };
  rows.insert(rows.end(), data.settings.begin(), data.settings.end());
  std::string html = "<table>";
  for (const auto& [name, value] : rows) {
    if (!value.empty())
      html += "<tr><th>" + EscapeHtml(name) + "<td class=long>" + EscapeHtml(value) + "</tr>";
  }
  return html + "</table>";
}

std::string Sizes(const ReportData& data) {
  const char* kSizes[] = {"under 40 px", "40–79 px", "80–159 px", "160–319 px", "320 px and more"};
  std::vector<std::pair<std::string, std::uint64_t>> sizes;
  for (std::size_t i = 0; i < data.face_sizes.size(); ++i) sizes.emplace_back(kSizes[i], data.face_sizes[i]);
  return HtmlShareTable("width of the box", sizes, data.faces);
}

}  // namespace

std::string ReportPage(const ReportData& data, const ReportFaces& faces, const std::string& title) {
  std::ostringstream html;
  html << "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
          "content=\"width=device-width, initial-scale=1\">"
       << "<title>" << EscapeHtml(title) << "</title><style>" << HtmlStyle() << "</style><main><h1>"
       << EscapeHtml(title)
       << "</h1><nav aria-label=Sections><a href=#faces>Faces</a><a href=#aus>Action Units</a><a "
          "href=#together>Together</a>"
          "<a href=#emotions>Emotions</a><a href=#typical>Typical</a><a href=#extreme>Extreme</a><a "
          "href=#images>Images</a>"
          "<a href=#speed>Speed</a><a href=#provenance>Provenance</a></nav><div class=cards>"
       << HtmlCard(HtmlCount(data.images), "images") << HtmlCard(HtmlCount(data.faces), "faces")
       << HtmlCard(HtmlCount(data.shards.size()), "shards")
       << HtmlCard(HtmlCount(data.failure_count), "images without a face") << "</div>";
  html << HtmlSection("faces", "Faces",
                  std::to_string(data.sample_faces.size()) +
                      " faces spread evenly over the run, with their landmarks and strongest AUs. A bar is an intensity of "
                      "0–5; orange: the AU is present (intensity of 1 or more). The thin bars below: the subject’s right and left half.",
                  SampleCards(data));
  html << HtmlSection("aus", "Action Units", "Per cent of the faces by intensity.",
                  AuTable(data) + "<h3>Intensities <small>orange: present</small></h3>" + AuHistograms(data));
  html << HtmlSection("together", "AUs that occur together",
                  "Of the faces with the row’s AU, per cent that also have the column’s.",
                  TogetherTable(data));
  html << HtmlSection("emotions", "Emotions", "", HtmlShareTable("category", Sorted(data.emotions), data.faces));
  html << HtmlSection("typical", "Typical faces", "Those nearest to the mean AUs of each category.",
                  TypicalCards(data, faces));
  html << HtmlSection("extreme", "Extreme faces", "The strongest of each AU; blue: the region in which it acts.",
                  ExtremeCards(data, faces));
  html << HtmlSection("images", "Images and faces", "",
                  "<div class=two><div><h3>What became of the images</h3>" +
                      HtmlShareTable("status", Sorted(data.by_status), data.images) +
                      "</div><div><h3>Face sizes</h3>" + Sizes(data) +
                      "</div></div><h3>Quality and pose</h3><div class=histograms>" +
                      HtmlHistogram("quality", data.quality, "0", "1") +
                      HtmlHistogram("yaw, degrees", data.yaw, "−90 left", "90 right") +
                      HtmlHistogram("pitch, degrees", data.pitch, "−90 down", "90 up") +
                      "</div>" + CrawlTried(data) + "<h3>Failures</h3>" + Failures(data));
  html << HtmlSection("speed", "Where the time went", "", Speeds(data));
  html << HtmlSection("provenance", "Provenance", "", Provenance(data)) << "</main></html>\n";
  return html.str();
}

}  // namespace auforge::tools
