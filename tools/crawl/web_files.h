// The explorer's page, compiled into the program (tools/crawl/web).
#pragma once

#include <string_view>

namespace auforge::tools {

std::string_view WebPage();    // index.html
std::string_view WebScript();  // app.js
std::string_view WebStyle();   // style.css

}  // namespace auforge::tools
