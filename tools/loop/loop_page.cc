#include "tools/loop/loop_page.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <sstream>

#include "datasets/storage/atomic_file.h"
#include "datasets/storage/paths.h"
#include "features/au_schema.h"
#include "tools/crawl/base64.h"
#include "tools/crawl/report_html.h"
#include "tools/loop/round.h"
#include "tools/loop/round_figures.h"

namespace auforge::tools {
namespace {

namespace storage = datasets::storage;

// Beside what every page has.
constexpr const char* kMore = R"css(
.verdict{border-left:6px solid var(--bar2);background:var(--card);padding:12px 16px;border-radius:0 10px 10px 0;margin-top:18px}.verdict.good{border-color:#2e9e5b}.verdict.bad{border-color:#c8473a}
.verdict b{font-size:19px}.verdict ul{margin:6px 0 0;padding-left:20px}.sheets{display:grid;gap:16px}
.sheets figure{margin:0}.sheets img{width:100%;display:block;border:1px solid var(--line);border-radius:6px}.sheets figcaption{margin-bottom:4px;color:var(--soft)}
td.yes{color:#2e9e5b}td.no{color:#c8473a}.moved td{font-weight:600}
.pairs{display:grid;grid-template-columns:repeat(auto-fill,minmax(160px,1fr));gap:12px;margin:12px 0 18px}table.shares{margin-bottom:18px}
)css";

std::string Shown(double value) { return std::isnan(value) ? "–" : HtmlNumber(value, std::abs(value) >= 10 ? 1 : 3); }

std::string List(const std::vector<std::string>& sentences) {
  std::string html = "<ul>";
  for (const std::string& sentence : sentences) html += "<li>" + EscapeHtml(sentence) + "</li>";
  return html + "</ul>";
}

class Page {
 public:
  Page(const LoopPlan& plan, const WorkFolder& work, const RoundRecord& record)
      : plan_(plan), work_(work), record_(record), now_(FiguresOf(record.number)), decision_(ReadDecision()),
        drift_(DriftFromJson(storage::ReadFile(File("drift.json")), File("drift.json"))) {
    for (const RoundRecord& round : work.Rounds()) {
      if (round.number < record.number && round.is_learnt_from && round.next == Step::kEnd) before_ = FiguresOf(round.number);
    }
  }

  std::string Html() const {
    const std::string title = "Round " + std::to_string(record_.number);
    std::ostringstream html;
    html << "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width, initial-scale=1\"><title>"
         << title << "</title><style>" << HtmlStyle() << kMore << "</style><main><h1>" << title << "</h1><p class=sub>"
         << EscapeHtml(plan_.path) << ", begun " << EscapeHtml(record_.began)
         << "</p><nav aria-label=Sections><a href=#in>What came in</a><a href=#drift>What changed</a>"
         << (decision_.fresh.empty() ? "" : "<a href=#judged>Judged</a><a href=#sheets>Sheets</a>")
         << "<a href=#rounds>Rounds</a></nav>"
         << Outcome() << "<div class=cards>" << HtmlCard(HtmlCount(record_.inputs), "new files") << HtmlCard(HtmlCount(now_.images), "images")
         << HtmlCard(HtmlCount(now_.faces), "faces") << HtmlCard(HtmlCount(now_.training_faces), "faces to learn from") << "</div>";
    html << HtmlSection("in", "What came in", "", CameIn()) << HtmlSection("drift", "What changed", Reference(), Changed());
    if (!decision_.fresh.empty()) html << HtmlSection("judged", "Judged", "Both generators on the same held-out faces, by the same judges: means over AUs, and the AUs one by one.", Judged());
    if (const std::string annotator = Annotator(); !annotator.empty())
      html << HtmlSection("annotator", "AU model", record_.is_model_promoted ? "The new model is better: it is promoted, and earlier rounds have its labels." : "The new model is not better; it is kept aside.", annotator);
    if (!decision_.fresh.empty()) html << HtmlSection("sheets", "Sheets", "Held-out faces, each AU asked alone at 1; one generator above the other, so that the same face with the same AU stands in the same place.", Sheets());
    html << HtmlSection("rounds", "Rounds", "", Rounds()) << "</main></html>\n";
    return html.str();
  }

 private:
  std::string File(const std::string& name) const { return work_.RoundFile(record_.number, name); }
  RoundFigures FiguresOf(int round) const {
    const std::string path = work_.RoundFile(round, "figures.json");
    return FiguresFromJson(storage::ReadFile(path), path);
  }
  Decision ReadDecision() const { return DecisionFromJson(storage::ReadFile(File("decision.json")), File("decision.json")); }

  std::string Outcome() const {
    const bool promoted = decision_.is_promoted;
    const std::string head = promoted ? "The new generator is promoted" : record_.is_learnt_from ? "The new generator is kept aside: it is not better"
                                                                                                  : "The round is set aside; nothing was trained";
    return "<div class=\"verdict " + std::string(promoted ? "good" : "bad") + "\"><b>" + head + "</b>" + List(decision_.reasons) + "</div>";
  }

  std::string CameIn() const {
    std::vector<std::pair<std::string, std::uint64_t>> status(now_.status.begin(), now_.status.end()), sources(now_.sources.begin(), now_.sources.end());
    const auto most_first = [](auto& rows) {
      std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
      if (rows.size() > 12) rows.resize(12);
    };
    most_first(status);
    most_first(sources);
    return "<div class=two><div>" + HtmlShareTable("what became of the images", status, now_.images) + "</div><div>" +
           HtmlShareTable("where they come from", sources, now_.images) + "</div></div>";
  }

  std::string Reference() const {
    return drift_.has_reference ? "Against the last round that was learnt from. PSI: population stability index; bold: more than chance does."
                                : "There is no earlier round to compare with.";
  }

  std::string Changed() const {
    std::string html;
    if (drift_.has_reference) html += drift_.sentences.empty() ? "<p>Nothing moved.</p>" : List(drift_.sentences);
    html += "<div class=pairs>";
    const auto pair = [&](const char* title, const Histogram RoundFigures::*bins, const char* low, const char* high) {
      if (before_) html += HtmlHistogram(title, (*before_).*bins, low, high, (now_.*bins).size(), "before");
      html += HtmlHistogram(title, now_.*bins, low, high, 0, "now");
    };
    pair("Quality", &RoundFigures::quality, "0", "1");
    pair("Width of the face", &RoundFigures::sizes, "< 40 px", "≥ 640 px");
    pair("Yaw", &RoundFigures::yaw, "< −30°", "≥ 30°");
    return html + "</div>" + SharesTable() + AuTable();
  }

  std::string SharesTable() const {
    std::string html = "<table class=shares><tr><th>share<th class=n>now" + std::string(before_ ? "<th class=n>before" : "") + "</tr>";
    const auto row = [&](const char* what, const auto& part, const auto& whole) {
      const auto share = [&](const RoundFigures& f) { return whole(f) == 0 ? "–" : HtmlNumber(100 * ShareOf(part(f), whole(f)), 1) + " %"; };
      html += std::string("<tr><td>") + what + "<td class=n>" + share(now_) + (before_ ? "<td class=n>" + share(*before_) : "") + "</tr>";
    };
    const auto images = [](const RoundFigures& f) { return f.images; };
    const auto faces = [](const RoundFigures& f) { return f.faces; };
    row("images that cannot be decoded or read", [](const RoundFigures& f) { return f.Broken(); }, images);
    row("images without a usable face", [](const RoundFigures& f) { return f.WithoutFace(); }, images);
    row("images with the bytes of an earlier one", [](const RoundFigures& f) { return f.Copies(); }, images);
    row("faces with AUs that exclude each other", [](const RoundFigures& f) { return f.against_themselves; }, faces);
    row("captioned faces that do not show what the caption names", [](const RoundFigures& f) { return f.against_captions; },
        [](const RoundFigures& f) { return f.captioned; });
    row("faces that pass the filter", [](const RoundFigures& f) { return f.training_faces; }, faces);
    return html + "</table>";
  }

  std::vector<std::string> AusByNumber() const {
    std::vector<std::string> names;
    for (const auto& [name, histogram] : now_.aus) names.push_back(name);
    std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) { return features::ParseAu(a) < features::ParseAu(b); });
    return names;
  }

  std::string AuTable() const {
    std::string html = "<div class=scroll><table><tr><th>AU<th>name<th class=n>present now<th>" + std::string(before_ ? "<th class=n>before<th class=n>PSI" : "") + "</tr>";
    for (const std::string& name : AusByNumber()) {
      const auto row = std::find_if(drift_.rows.begin(), drift_.rows.end(), [&](const auto& r) { return r.name == name; });
      const double share = ShareOf(now_.present.at(name), now_.faces);
      html += std::string("<tr") + (row != drift_.rows.end() && row->moved ? " class=moved" : "") + "><td>" + name + "<td>" +
              std::string(features::AuName(features::ParseAu(name).value_or(0))) + "<td class=n>" + HtmlNumber(100 * share, 1) + " %<td>" + HtmlTrack(share);
      if (before_) {
        const auto found = before_->present.find(name);
        html += "<td class=n>" + (found == before_->present.end() ? "–" : HtmlNumber(100 * ShareOf(found->second, before_->faces), 1) + " %") +
                "<td class=n>" + (row == drift_.rows.end() ? "–" : HtmlNumber(row->stability.psi, 2));
      }
      html += "</tr>";
    }
    return html + "</table></div>";
  }

  std::string Judged() const {
    std::string html = "<table><tr><th>condition<th class=n>new<th class=n>bound<th></tr>";
    for (const CheckedCondition& c : decision_.verdict.conditions) {
      html += "<tr><td>" + EscapeHtml(c.text) + (c.is_of_any ? " <small>(one of these)</small>" : "") + "<td class=n>" + Shown(c.value) +
              "<td class=n>" + Shown(c.bound) + (c.holds ? "<td class=yes>holds" : "<td class=no>does not hold") + "</tr>";
    }
    html += "</table><h3>Figures</h3><div class=scroll><table><tr><th>mean over AUs, and of all<th class=n>new<th class=n>old</tr>";
    for (const auto& names : {AuFigureNames(), WholeFigureNames()}) {
      for (const std::string& name : names) html += "<tr><td>" + name + Both(name) + "</tr>";
    }
    html += "</table></div><h3>AU by AU</h3><div class=scroll><table><tr><th>AU<th>name<th class=n>correlation, new<th class=n>old<th class=n>rise, new<th class=n>old</tr>";
    for (const std::string& name : AusByNumber()) {
      if (!decision_.fresh.contains(name + ".correlation")) continue;
      html += "<tr><td>" + name + "<td>" + std::string(features::AuName(features::ParseAu(name).value_or(0))) + Both(name + ".correlation") +
              Both(name + ".rise") + "</tr>";
    }
    return html + "</table></div>";
  }

  // What eval-au said of the new AU model; empty where none was fitted.
  std::string Annotator() const {
    const std::string path = File("au-verdict.json");
    if (!storage::IsThere(path)) return "";
    const auto verdict = nlohmann::json::parse(storage::ReadFile(path), nullptr, false);
    if (!verdict.is_object()) return "";
    const auto number = [](const nlohmann::json& value) { return value.is_number() ? Shown(value.get<double>()) : "–"; };
    std::string html = "<table><tr><th>condition<th class=n>new<th class=n>bound<th></tr>";
    for (const auto& c : verdict.value("conditions", nlohmann::json::array())) {
      html += "<tr><td>" + EscapeHtml(c.value("condition", "")) + "<td class=n>" + number(c.value("value", nlohmann::json())) + "<td class=n>" +
              number(c.value("bound", nlohmann::json())) + (c.value("holds", false) ? "<td class=yes>holds" : "<td class=no>does not hold") + "</tr>";
    }
    return html + "</table>";
  }

  // Two cells.
  std::string Both(const std::string& figure) const {
    std::string html;
    for (const Figures* figures : {&decision_.fresh, &decision_.old}) {
      const auto found = figures->find(figure);
      html += "<td class=n>" + (found == figures->end() ? "–" : Shown(found->second));
    }
    return html;
  }

  std::string Sheets() const {
    std::string html = "<div class=sheets>";
    for (const auto& [which, title] : {std::pair{"old", "The generator before"}, std::pair{"new", "The new one"}}) {
      const std::string path = File(std::string("sheet-") + which + ".jpg");
      if (!storage::IsThere(path)) continue;
      const std::string bytes = storage::ReadFile(path);
      html += "<figure><figcaption>" + std::string(title) + "</figcaption><img alt=\"" + title + "\" src=\"data:image/jpeg;base64," +
              Base64(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size())) + "\"></figure>";
    }
    return html + "</div>";
  }

  std::string Rounds() const {
    std::string html = "<table><tr><th class=n>round<th>begun<th class=n>files<th>what became of it</tr>";
    for (const RoundRecord& round : work_.Rounds()) {
      const RoundRecord& shown = round.number == record_.number ? record_ : round;
      html += "<tr><td class=n>" + std::to_string(shown.number) + "<td>" + EscapeHtml(shown.began) + "<td class=n>" + HtmlCount(shown.inputs) + "<td>" +
              (shown.is_promoted ? "promoted" : shown.is_learnt_from ? "kept aside" : "set aside") + "</tr>";
    }
    return html + "</table>";
  }

  const LoopPlan& plan_;
  const WorkFolder& work_;
  const RoundRecord& record_;
  RoundFigures now_;
  std::optional<RoundFigures> before_;
  Decision decision_;
  DriftReport drift_;
};

}  // namespace

std::string LoopPage(const LoopPlan& plan, const WorkFolder& work, const RoundRecord& record) { return Page(plan, work, record).Html(); }

}  // namespace auforge::tools
