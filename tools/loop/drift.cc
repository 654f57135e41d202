#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "datasets/storage/bad_content.h"
#include "features/au_schema.h"
#include "tools/loop/round_figures.h"

namespace auforge::tools {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// Sources that count by themselves; the others are one.
constexpr std::size_t kSources = 20;
// A share moved when chance would hardly do it: so many standard errors.
constexpr double kSure = 3.09;

double Share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string Percent(double share) {
  char text[32];
  std::snprintf(text, sizeof(text), share > 0 && share < 0.0995 ? "%.1f %%" : "%.0f %%", 100 * share);
  return text;
}

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f", value);
  return text;
}

std::uint64_t Total(const Histogram& histogram) {
  std::uint64_t total = 0;
  for (const std::uint64_t bin : histogram) total += bin;
  return total;
}

// Wilson and Hilferty's approximation of chi squared's quantile at kSure.
double ChiSquaredSure(double degrees) {
  const double term = 2 / (9 * degrees), root = 1 - term + kSure * std::sqrt(term);
  return degrees * root * root * root;
}

// Whether two shares differ by more than chance, by the normal approximation of the difference.
bool Differ(std::uint64_t a, std::uint64_t of_a, std::uint64_t b, std::uint64_t of_b) {
  if (of_a == 0 || of_b == 0) return false;
  const double pooled = (static_cast<double>(a + b) + 1) / (static_cast<double>(of_a + of_b) + 2);
  const double deviation = std::sqrt(pooled * (1 - pooled) * (1 / static_cast<double>(of_a) + 1 / static_cast<double>(of_b)));
  return std::abs(Share(a, of_a) - Share(b, of_b)) > kSure * deviation;
}

// Mean bin, which says in which direction a histogram moved.
double Middle(const Histogram& histogram) {
  double sum = 0;
  for (std::size_t i = 0; i < histogram.size(); ++i) sum += static_cast<double>(i) * static_cast<double>(histogram[i]);
  return sum / std::max(1.0, static_cast<double>(Total(histogram)));
}

// Both rounds' sources, the same bins.
std::pair<Histogram, Histogram> SourceBins(const RoundFigures& before, const RoundFigures& now) {
  std::map<std::string, std::uint64_t> both = before.sources;
  for (const auto& [name, count] : now.sources) both[name] += count;
  std::vector<std::pair<std::uint64_t, std::string>> most;
  for (const auto& [name, count] : both) most.emplace_back(count, name);
  std::sort(most.rbegin(), most.rend());
  Histogram a(std::min(kSources, most.size()) + 1), b(a.size());
  for (std::size_t i = 0; i < most.size(); ++i) {
    const std::size_t bin = std::min(i, kSources);
    const auto count = [&](const RoundFigures& f) {
      const auto found = f.sources.find(most[i].second);
      return found == f.sources.end() ? 0 : found->second;
    };
    a[bin] += count(before);
    b[bin] += count(now);
  }
  return {a, b};
}

class DriftFinder {
 public:
  DriftFinder(const RoundFigures& now, const RoundFigures& before, const DriftBounds& bounds, DriftReport& report)
      : now_(now), before_(before), bounds_(bounds), report_(report) {}

  void Find() {
    Aus();
    const bool better = Middle(now_.quality) > Middle(before_.quality);
    Histograms("quality", before_.quality, now_.quality, better ? "The faces are of better quality" : "The faces are of worse quality");
    const bool larger = Middle(now_.sizes) > Middle(before_.sizes);
    Histograms("size", before_.sizes, now_.sizes, larger ? "The faces are larger" : "The faces are smaller");
    Histograms("yaw", before_.yaw, now_.yaw, "The heads are turned otherwise");
    Sources();
    Told("images that cannot be decoded or read", now_.Broken(), now_.images, before_.Broken(), before_.images);
    Told("images without a usable face", now_.WithoutFace(), now_.images, before_.WithoutFace(), before_.images);
    Told("images with the bytes of an earlier one", now_.Copies(), now_.images, before_.Copies(), before_.images);
    Told("faces with AUs that exclude each other", now_.against_themselves, now_.faces, before_.against_themselves, before_.faces);
    Told("faces that do not show what their caption names", now_.against_captions, now_.captioned, before_.against_captions,
         before_.captioned);
    Told("faces that pass the filter", now_.training_faces, now_.faces, before_.training_faces, before_.faces);
    if (bounds_.max_au_psi && report_.au_psi > *bounds_.max_au_psi)
      Beyond("the AUs moved by " + Number(report_.au_psi) + " (mean PSI beyond chance)", "max_au_psi", *bounds_.max_au_psi);
    for (const DriftReport::Row& row : report_.rows) {
      if (row.name == "quality" && bounds_.max_quality_psi && row.moved && row.stability.psi > *bounds_.max_quality_psi)
        Beyond("the quality moved by " + Number(row.stability.psi) + " (PSI)", "max_quality_psi", *bounds_.max_quality_psi);
    }
    Rose("images without a usable face", now_.WithoutFace(), now_.images, before_.WithoutFace(), before_.images, "max_lost", bounds_.max_lost);
    Rose("faces with AUs that exclude each other", now_.against_themselves, now_.faces, before_.against_themselves, before_.faces,
         "max_contradictions", bounds_.max_contradictions);
    Rose("faces that do not show what their caption names", now_.against_captions, now_.captioned, before_.against_captions,
         before_.captioned, "max_contradictions", bounds_.max_contradictions);
  }

 private:
  void Aus() {
    int count = 0;
    for (const auto& [name, histogram] : now_.aus) {
      const auto found = before_.aus.find(name);
      if (found == before_.aus.end()) continue;
      const Stability stability = Compare(found->second, histogram);
      report_.au_psi += std::max(0.0, stability.psi - stability.chance);
      ++count;
      const bool moved = stability.Moved(bounds_.tell_psi);
      report_.rows.push_back({name, stability, moved});
      if (!moved) continue;
      const auto share = [&](const RoundFigures& f) { return Share(f.present.at(name), f.faces); };
      report_.sentences.push_back(name + " (" + std::string(features::AuName(features::ParseAu(name).value_or(0))) + ") is present in " +
                                  Percent(share(now_)) + " of the faces, before in " + Percent(share(before_)) + " (PSI " +
                                  Number(stability.psi) + ").");
    }
    if (count > 0) report_.au_psi /= count;
  }

  void Histograms(const std::string& name, const Histogram& before, const Histogram& now, const std::string& sentence) {
    const Stability stability = Compare(before, now);
    const bool moved = stability.Moved(bounds_.tell_psi);
    report_.rows.push_back({name, stability, moved});
    if (moved) report_.sentences.push_back(sentence + " than before (PSI " + Number(stability.psi) + ").");
  }

  void Sources() {
    const auto [before, now] = SourceBins(before_, now_);
    const Stability stability = Compare(before, now);
    const bool moved = stability.Moved(bounds_.tell_psi);
    report_.rows.push_back({"sources", stability, moved});
    if (!moved) return;
    std::string most;
    std::uint64_t count = 0;
    for (const auto& [name, images] : now_.sources) {
      if (before_.sources.contains(name) || images <= count) continue;
      most = name;
      count = images;
    }
    std::string text = "The images come from other sources (PSI " + Number(stability.psi) + ")";
    if (count > 0) text += "; the largest new one is " + most + " with " + Percent(Share(count, now_.images));
    report_.sentences.push_back(text + ".");
  }

  void Told(const std::string& what, std::uint64_t now, std::uint64_t of_now, std::uint64_t before, std::uint64_t of_before) {
    if (!Differ(now, of_now, before, of_before)) return;
    report_.sentences.push_back("There are " + std::string(Share(now, of_now) > Share(before, of_before) ? "more " : "fewer ") + what +
                                ": " + Percent(Share(now, of_now)) + ", before " + Percent(Share(before, of_before)) + ".");
  }

  void Rose(const std::string& what, std::uint64_t now, std::uint64_t of_now, std::uint64_t before, std::uint64_t of_before,
            const char* bound, const std::optional<double>& most) {
    if (!most || !Differ(now, of_now, before, of_before)) return;
    const double rise = Share(now, of_now) - Share(before, of_before);
    if (rise <= *most) return;
    Beyond("the share of " + what + " rose by " + Percent(rise) + ", from " + Percent(Share(before, of_before)) + " to " +
               Percent(Share(now, of_now)), bound, *most);
  }

  void Beyond(const std::string& what, const char* bound, double most) {
    report_.beyond.push_back(what + "; drift." + bound + " is " + Number(most));
  }

  const RoundFigures &now_, &before_;
  const DriftBounds& bounds_;
  DriftReport& report_;
};

}  // namespace

Stability Compare(const Histogram& before, const Histogram& now) {
  Stability result;
  const double n = static_cast<double>(Total(before)), m = static_cast<double>(Total(now));
  const std::size_t bins = std::min(before.size(), now.size());
  if (n == 0 || m == 0 || bins < 2) return result;
  const double half = 0.5 * static_cast<double>(bins);
  int used = 0;
  for (std::size_t i = 0; i < bins; ++i) {
    if (before[i] + now[i] == 0) continue;
    ++used;
    const double p = (static_cast<double>(before[i]) + 0.5) / (n + half), q = (static_cast<double>(now[i]) + 0.5) / (m + half);
    result.psi += (p - q) * std::log(p / q);
  }
  // Where nothing has changed, the index is chi squared with bins - 1 degrees of freedom times 1/n + 1/m.
  result.chance = used < 2 ? 0 : ChiSquaredSure(used - 1) * (1 / n + 1 / m);
  return result;
}

DriftReport FindDrift(const RoundFigures& now, const RoundFigures* before, const DriftBounds& bounds) {
  DriftReport report;
  report.has_reference = before != nullptr;
  const double broken = Share(now.Broken(), now.images);
  if (bounds.max_broken && broken > *bounds.max_broken) {
    report.beyond.push_back(Percent(broken) + " of the images cannot be decoded or read; drift.max_broken is " + Number(*bounds.max_broken));
  }
  if (before != nullptr) DriftFinder(now, *before, bounds, report).Find();
  return report;
}

std::string ToJson(const DriftReport& r) {
  ordered_json rows = ordered_json::array();
  for (const DriftReport::Row& row : r.rows)
    rows.push_back({{"name", row.name}, {"psi", row.stability.psi}, {"chance", row.stability.chance}, {"moved", row.moved}});
  const ordered_json j{{"has_reference", r.has_reference}, {"au_psi", r.au_psi}, {"rows", rows}, {"sentences", r.sentences}, {"beyond", r.beyond}};
  return j.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

DriftReport DriftFromJson(const std::string& text, const std::string& path) {
  try {
    const json j = json::parse(text);
    DriftReport r;
    r.has_reference = j.at("has_reference").get<bool>();
    r.au_psi = j.at("au_psi").get<double>();
    for (const json& row : j.at("rows"))
      r.rows.push_back({row.at("name").get<std::string>(), {row.at("psi").get<double>(), row.at("chance").get<double>()}, row.at("moved").get<bool>()});
    r.sentences = j.at("sentences").get<std::vector<std::string>>();
    r.beyond = j.at("beyond").get<std::vector<std::string>>();
    return r;
  } catch (const json::exception& error) {
    throw datasets::storage::BadContent(path + ": is no drift report (" + error.what() + "); remove it and run again");
  }
}

}  // namespace auforge::tools
