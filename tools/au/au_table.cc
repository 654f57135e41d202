#include "tools/au/au_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "features/au_schema.h"

namespace auforge::tools {

std::vector<annotator::AuFigure> FiguresOf(const std::vector<annotator::AuFigure>& figures,
                                           const std::vector<int>& aus) {
  std::vector<annotator::AuFigure> chosen;
  for (const annotator::AuFigure& f : figures) {
    if (std::find(aus.begin(), aus.end(), f.au) != aus.end()) chosen.push_back(f);
  }
  return chosen;
}

std::string AuTable(const std::vector<annotator::AuFigure>& figures, const std::vector<int>& means) {
  std::string table =
      "AU     name                      faces   active  claimed      r    ICC    MAE    AUC     F1  best F1\n";
  const auto line = [&table](const std::string& au, const std::string& name, const annotator::AuFigure& f) {
    const auto share = [&f](std::uint64_t count) {
      return f.rows > 0 ? 100.0 * static_cast<double>(count) / static_cast<double>(f.rows) : 0.0;
    };
    char text[192];
    std::snprintf(text, sizeof(text), "%-6s %-24s %6llu %7.1f%% %7.1f%% %6.3f %6.3f %6.3f %6.3f %6.3f %8.3f\n",
                  au.c_str(), name.c_str(), static_cast<unsigned long long>(f.rows), share(f.active),
                  share(f.claimed), f.r, f.icc, f.mae, f.auc, f.f1, f.best_f1);
    table += text;
  };
  for (const annotator::AuFigure& f : figures)
    line("AU" + std::to_string(f.au), std::string(features::AuName(f.au)), f);
  if (means.empty()) {
    line("mean", "", annotator::MeanFigure(figures));
  } else {
    std::string of;
    for (const int au : means) of += (of.empty() ? "of " : " ") + std::to_string(au);
    line("mean", of, annotator::MeanFigure(FiguresOf(figures, means)));
  }
  return table;
}

std::string SidesTable(const std::vector<annotator::SideFigure>& figures) {
  if (figures.empty()) return "";
  std::string table = "halves  faces   r whole    left   right   differ   stronger half found\n";
  char text[160];
  annotator::SideFigure mean;
  for (const annotator::SideFigure& f : figures) {
    std::snprintf(text, sizeof(text), "AU%-4d %6llu %9.3f %7.3f %7.3f %8llu %8.1f %%\n", f.au,
                  static_cast<unsigned long long>(f.rows), f.whole, f.left, f.right,
                  static_cast<unsigned long long>(f.differ),
                  f.differ > 0 ? 100.0 * static_cast<double>(f.stronger) / static_cast<double>(f.differ) : 0.0);
    table += text;
    const auto n = static_cast<double>(figures.size());
    mean.whole += f.whole / n;
    mean.left += f.left / n;
    mean.right += f.right / n;
    mean.differ += f.differ;
    mean.stronger += f.stronger;
  }
  std::snprintf(text, sizeof(text), "mean          %9.3f %7.3f %7.3f %8llu %8.1f %%\n", mean.whole, mean.left, mean.right,
                static_cast<unsigned long long>(mean.differ),
                mean.differ > 0 ? 100.0 * static_cast<double>(mean.stronger) / static_cast<double>(mean.differ) : 0.0);
  return table + text;
}

std::string HeadsTable(const std::vector<annotator::HeadFigure>& heads, const annotator::AuModelInfo& info) {
  std::string table = "AU    ";
  char text[64];
  for (const annotator::HeadFigure& head : heads) {
    std::snprintf(text, sizeof(text), " %18s", head.heads.c_str());
    table += text;
  }
  table += "\n";
  const std::vector<std::string> names = info.schema.Names();
  for (std::size_t j = 0; j < names.size(); ++j) {
    std::snprintf(text, sizeof(text), "%-6s", names[j].c_str());
    table += text;
    for (const annotator::HeadFigure& head : heads) {
      std::snprintf(text, sizeof(text), " %17.3f%c", head.r[j], head.heads == info.looks_at[j] ? '*' : ' ');
      table += text;
    }
    table += "\n";
  }
  return table;
}

std::string QualityText(const annotator::QualityFigure& f) {
  if (f.rows == 0) return "";
  char text[256];
  std::snprintf(text, sizeof(text),
                "quality against a face's mean error: Spearman %.3f; against the error by what is usual for "
                "such expressions "
                "%.3f; expression taken out %.3f (by detector, size, blur, pose and landmarks alone: %.3f)\n",
                f.raw, f.relative, f.partial, f.evidence);
  std::string all = text;
  for (std::size_t i = 0; i < f.error.size(); ++i) {
    std::snprintf(text, sizeof(text), "  fifth %zu: quality %.2f, mean error %.3f, %.0f %% not poor\n", i + 1,
                  f.quality[i], f.error[i], 100 * f.not_poor[i]);
    all += text;
  }
  return all;
}

std::string HiddenText(const std::vector<annotator::AuFigure>& figures) {
  std::string text;
  char part[64];
  for (const annotator::AuFigure& f : figures) {
    if (std::isnan(f.hidden_auc)) continue;
    std::snprintf(part, sizeof(part), "  AU%d %.2f (%llu)", f.au, f.hidden_auc,
                  static_cast<unsigned long long>(f.hidden));
    text += part;
  }
  if (text.empty()) return "";
  std::snprintf(part, sizeof(part), "%.3f", annotator::MeanFigure(figures).hidden_auc);
  return "what is hidden, AUC of the predicted visible share (hidden faces): mean " + std::string(part) +
         text + "\n";
}

std::string AuCsv(const std::vector<annotator::AuFigure>& figures, const std::vector<int>& means) {
  std::string csv = "au,rows,active,r,icc,mae,auc,f1,claimed,best_f1\n";
  const auto line = [&csv](const std::string& au, const annotator::AuFigure& f) {
    char text[192];
    std::snprintf(text, sizeof(text), "%s,%llu,%llu,%.4f,%.4f,%.4f,%.4f,%.4f,%llu,%.4f\n", au.c_str(),
                  static_cast<unsigned long long>(f.rows), static_cast<unsigned long long>(f.active), f.r, f.icc,
                  f.mae, f.auc, f.f1, static_cast<unsigned long long>(f.claimed), f.best_f1);
    csv += text;
  };
  for (const annotator::AuFigure& f : figures) line("AU" + std::to_string(f.au), f);
  if (!means.empty()) line("mean", annotator::MeanFigure(FiguresOf(figures, means)));
  return csv;
}

std::string ReadoutTable(const std::vector<annotator::ReadoutFigure>& figures) {
  if (figures.empty()) return "";
  std::string text =
      "readout taught by photographs; AUC after: of people left out in turn; share present: claimed before, labelled\n"
      "| AU | photographs | present | AUC | r on renders | share | penalty |\n|---|---|---|---|---|---|---|\n";
  for (const annotator::ReadoutFigure& f : figures) {
    char line[200];
    if (f.refitted) {
      std::snprintf(line, sizeof(line), "| AU%d | %zu | %zu | %.3f -> %.3f | %.3f -> %.3f | %.1f -> %.1f %% | %g |\n", f.au,
                    f.rows, f.present, f.auc_before, f.auc_after, f.render_r_before, f.render_r_after,
                    100 * f.share_before, 100 * f.share, f.strength);
    } else {
      std::snprintf(line, sizeof(line), "| AU%d | %zu | %zu | as it was: %s |\n", f.au, f.rows, f.present, f.why.c_str());
    }
    text += line;
  }
  return text;
}

}  // namespace auforge::tools
