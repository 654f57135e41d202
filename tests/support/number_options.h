// That every number that a program's commands take has a range, and that nonsense is refused with it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tools/cli/cli.h"

namespace auforge::tests {

inline void ExpectRangesAreTold(tools::Cli& cli) {
  for (const tools::NumberOption& option : cli.Numbers()) {
    EXPECT_NE(option.range, "") << option.command << " " << option.name << " takes any number";
    for (const std::string odd : {"-1e30", "1e31", "nan", "inf", "1e999", "0x10", "1.5x"}) {
      std::vector<std::string> words{"auforge"};
      for (std::size_t at = 0, end = 0; at < option.command.size(); at = end + 1) {
        end = std::min(option.command.find(' ', at), option.command.size());
        words.push_back(option.command.substr(at, end - at));
      }
      words.push_back(option.name + "=" + odd);
      std::vector<char*> arguments;
      for (std::string& word : words) arguments.push_back(word.data());
      arguments.push_back(nullptr);
      testing::internal::CaptureStderr();
      const int code = cli.Main(static_cast<int>(words.size()), arguments.data());
      const std::string said = testing::internal::GetCapturedStderr();
      EXPECT_EQ(code, tools::kUsage) << option.command << " " << words.back() << "\n" << said;
      EXPECT_THAT(said, testing::HasSubstr(option.range)) << option.command << " " << words.back();
    }
  }
}

}  // namespace auforge::tests
