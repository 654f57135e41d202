// Pieces of a report's page: numbers, bars, histograms, faces. All of them return HTML whose texts are
// escaped.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "datasets/shard.h"

namespace auforge::tools {

// & < > " ' as entities.
std::string EscapeHtml(const std::string& text);

std::string HtmlNumber(double value, int digits);  // "3.14"
std::string HtmlCount(std::uint64_t value);        // "1,234,567"
double ShareOf(std::uint64_t part, std::uint64_t whole);

// What stands between <style> and </style> on every page of ours: light and dark, printable.
std::string HtmlStyle();
// A figure and what it counts; goes into <div class=cards>. Both are HTML.
std::string HtmlCard(const std::string& value, const std::string& label);
// A heading, a line below it (may be empty) and what they head; all HTML.
std::string HtmlSection(const std::string& id, const std::string& title, const std::string& sub,
                        const std::string& content);

// A bar that is filled to a share, 0..1.
std::string HtmlTrack(double share, bool strong = true);
// A table of labels, numbers and shares of `whole`.
std::string HtmlShareTable(const std::string& head,
                           const std::vector<std::pair<std::string, std::uint64_t>>& rows,
                           std::uint64_t whole);
// A histogram as SVG: one column a bin, the ends of the axis written below. title: for people and screen
// readers. first_strong: bins from this one on are drawn in the strong colour. note: a second line.
std::string HtmlHistogram(const std::string& title, const std::vector<std::uint64_t>& bins,
                          const std::string& low, const std::string& high, std::size_t first_strong = 0,
                          const std::string& note = "");

// A face with its landmarks, its strongest AUs as bars, its emotion, and the region of one AU (0: none) on
// the picture.
std::string HtmlFace(const datasets::ShardReader& shard, std::size_t face, int region_of_au);

}  // namespace auforge::tools
