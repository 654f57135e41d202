// What a site asks of robots about an image: the directives of an X-Robots-Tag header, as a crawl has noted them. Pure
// functions.
#pragma once

#include <string>
#include <string_view>

namespace auforge::datasets {

// What robots.txt's and the header's own word for "no restriction" is.
inline constexpr std::string_view kNothingAsked = "all";

// Letters small, spaces and commas single: "noai, noimageai". Whom a directive is addressed to ("somebot: noai") stays.
std::string PlainDirectives(std::string_view text);

// Whether "noai" or "noimageai" is among the directives, to whomever it is addressed: an image whose maker wants it kept from
// the training of models. Nothing said is no.
bool ForbidsAi(std::string_view directives);

}  // namespace auforge::datasets
