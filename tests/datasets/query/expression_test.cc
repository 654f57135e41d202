#include "datasets/query/expression.h"

#include <gtest/gtest.h>

#include <random>

#include "datasets/query/nearest.h"

namespace auforge::datasets::query {
namespace {

// The same but for where its terms stood.
std::string Canonical(const std::string& text) { return ToText(ParseExpression(text)); }

std::size_t ColumnOfError(const std::string& text, const std::string& part_of_message) {
  try {
    ParseExpression(text);
  } catch (const ExpressionError& error) {
    EXPECT_NE(std::string(error.what()).find(part_of_message), std::string::npos)
        << text << ": " << error.what();
    return error.column;
  }
  ADD_FAILURE() << text << " was accepted";
  return 0;
}

TEST(Expression, ReadsWhatTheDocumentationShows) {
  EXPECT_EQ(Canonical("AU12>=2 & !AU4 & (AU6|AU7)"),
            "AU12>=2 & !AU4.present>=1 & (AU6.present>=1 | AU7.present>=1)");
  EXPECT_EQ(Canonical("au06"), "AU6.present>=1");
  EXPECT_EQ(Canonical("AU12.p > .8 and not AU4.probability<0.25"),
            "AU12.probability>0.8 & !AU4.probability<0.25");
  EXPECT_EQ(Canonical("AU12=1..3"), "AU12=1..3");
  EXPECT_EQ(Canonical("AU12>=1 & AU12<=3"), "AU12=1..3");
  EXPECT_EQ(Canonical("yaw=-15..15 || size>=80"), "yaw=-15..15 | size>=80");
  EXPECT_EQ(Canonical("emotion:happiness & keyword:\"fear of heights\" & source:flickr.com"),
            "emotion:\"happiness\" & keyword:\"fear of heights\" & source:\"flickr.com\"");
  EXPECT_EQ(Canonical("emotion=\"happily surprised\""), "emotion:\"happily surprised\"");
  EXPECT_EQ(Canonical("AU1.present=0"), "AU1.present=0");
  EXPECT_EQ(Canonical("face!=0"), "face!=0");
  EXPECT_EQ(Canonical(""), "");
  EXPECT_EQ(Canonical("  "), "");
  EXPECT_EQ(Canonical("AU1|AU2&AU4"), "AU1.present>=1 | AU2.present>=1 & AU4.present>=1")
      << "& binds closer than |";
  EXPECT_EQ(Canonical("AU12.left > AU12.right + 1"), "AU12.left>AU12.right + 1");
  EXPECT_EQ(Canonical("au12.LEFT - 0.5<=AU12.right-1.5"), "AU12.left<=AU12.right - 1");
  EXPECT_EQ(Canonical("AU6>AU12"), "AU6>AU12");
  EXPECT_EQ(Canonical("AU6 + 1 = 2..4"), "AU6=1..3");
  EXPECT_EQ(Canonical("yaw>pitch & AU1"), "yaw>pitch & AU1.present>=1");
  EXPECT_EQ(Canonical("AU12.present = AU6.present"), "AU12.present=AU6.present");
  EXPECT_EQ(Canonical("emotion_score > .5 & emotion_rule=happiness"),
            "emotion_score>0.5 & emotion_rule:\"happiness\"");
  EXPECT_EQ(Canonical("licence = \"CC0*\" & !noai"), "licence:\"CC0*\" & !noai");
  EXPECT_EQ(Canonical("!near_duplicate & (duplicate of a/b.jpg | Duplicate OF 00001.h5:12 | duplicate of \"x y\")"),
            "!near_duplicate & (duplicate of \"a/b.jpg\" | duplicate of \"00001.h5:12\" | duplicate of \"x y\")");
  EXPECT_EQ(Canonical("LICENSE:cc-by-4.0 | robots:noindex"), "licence:\"cc-by-4.0\" | robots:\"noindex\"");
  EXPECT_EQ(ParseExpression("AU1|AU2&AU4").kind, Expression::Kind::kOr);
  EXPECT_EQ(Canonical("(AU1|AU2)&AU4"), "(AU1.present>=1 | AU2.present>=1) & AU4.present>=1");
}

TEST(Expression, MistakesArePointedAt) {
  EXPECT_EQ(ColumnOfError("AU12>= & AU4", "a number"), 8U);
  EXPECT_EQ(ColumnOfError("AU12 AU4", "& or |"), 6U);
  EXPECT_EQ(ColumnOfError("(AU12 | AU4", "column 1"), 12U);
  EXPECT_EQ(ColumnOfError("AU12)", "without its"), 5U);
  EXPECT_EQ(ColumnOfError("AU12 & ", "the end"), 8U);
  EXPECT_EQ(ColumnOfError("AU12 & qualty>0.5", "did you mean quality?"), 8U);
  EXPECT_EQ(ColumnOfError("AU12 & noia", "did you mean noai?"), 8U);
  EXPECT_EQ(ColumnOfError("duplicate", "expected \"of\""), 10U);
  EXPECT_EQ(ColumnOfError("duplicate of", "a word"), 13U);
  EXPECT_EQ(ColumnOfError("duplicates of x", "did you mean"), 1U);
  EXPECT_EQ(ColumnOfError("near_duplicat", "did you mean near_duplicate?"), 1U);
  EXPECT_EQ(ColumnOfError("noai>1", "& or |"), 5U);
  EXPECT_EQ(ColumnOfError("licence>1", "expected \":\""), 8U);
  EXPECT_EQ(ColumnOfError("AU3", "did you mean AU"), 1U);
  EXPECT_EQ(ColumnOfError("AU99>1", "did you mean AU"), 1U);
  EXPECT_EQ(ColumnOfError("quality", "behind quality"), 8U);
  EXPECT_EQ(ColumnOfError("AU12>=1..2", "a range is written"), 8U);
  EXPECT_EQ(ColumnOfError("AU12>=1e5x", "& or |"), 8U);
  EXPECT_EQ(ColumnOfError("keyword:\"open", "never closed"), 9U);
  EXPECT_EQ(ColumnOfError("keyword:", "a word"), 9U);
  EXPECT_EQ(ColumnOfError("AU12.max>1", ".probability"), 5U);
  EXPECT_EQ(ColumnOfError("AU12>nan", "a number"), 6U);
  EXPECT_EQ(ColumnOfError("AU12>keyword", "a number"), 6U);
  EXPECT_EQ(ColumnOfError("AU17.left>1", "no sides"), 5U);
  EXPECT_EQ(ColumnOfError("AU12 - AU4 > 1", "are compared"), 8U);
  EXPECT_EQ(ColumnOfError("AU12 > AU4 + AU6", "are compared"), 14U);
  EXPECT_EQ(ColumnOfError("AU12.left", "behind AU12"), 10U);
  EXPECT_EQ(ColumnOfError("AU12 + 1", "behind AU12"), 9U);
  EXPECT_EQ(ColumnOfError("AU12 = AU6..AU7", ".probability"), 11U);
  EXPECT_GT(ColumnOfError("AU12 + 300000000000000000000000000000000000000 > -300000000000000000000000000000000000000",
                          "too large"),
            0U);
  EXPECT_EQ(ColumnOfError("'; DROP TABLE texts; --", "expected"), 1U);
}

TEST(Expression, TheCaretStandsUnderTheColumn) {
  const std::string text = "emotion:\"é\" & AU12>=x";
  try {
    ParseExpression(text);
    FAIL();
  } catch (const ExpressionError& error) {
    const std::string shown = Explain(text, error);
    const std::string caret_line = shown.substr(shown.find('\n') + 1);
    EXPECT_EQ(caret_line.find('^'), 20U) << shown;  // é takes two bytes and one place
  }
}

TEST(Expression, SizeIsLimited) {
  EXPECT_GT(ColumnOfError(std::string(5000, ' '), "longer than"), 0U);
  EXPECT_GT(ColumnOfError(std::string(200, '(') + "AU1", "deep"), 0U);
  EXPECT_GT(ColumnOfError(std::string(200, '!') + "AU1", "deep"), 0U);
  std::string many = "AU1";
  for (int i = 0; i < 300; ++i) many += "|AU1";
  EXPECT_GT(ColumnOfError(many, "terms"), 0U);
}

TEST(Expression, TextOfAnExpressionParsesToItself) {
  std::mt19937 random(7);
  const std::vector<std::string> terms{
      "AU12>=2.5",     "AU4",       "yaw<-3.25",      "keyword:\"a \\\"b\\\" \\\\\"",
      "emotion:happy", "AU6.p>0.1", "source:\"x y\"", "size=3..4",
      "AU12.left>AU12.right + 1", "AU6<=AU12 - 0.25", "emotion_rule:sad", "emotion_score>=.5"};
  for (int round = 0; round < 300; ++round) {
    std::string text = terms[random() % terms.size()];
    for (int i = 0; i < 5; ++i) {
      const std::string other = terms[random() % terms.size()];
      switch (random() % 4) {
        case 0:
          text = "(" + text + ") & " + other;
          break;
        case 1:
          text = text + " | " + other;
          break;
        case 2:
          text = "!(" + text + ")";
          break;
        default:
          text = other + " & (" + text + ")";
          break;
      }
    }
    const std::string once = Canonical(text);
    EXPECT_EQ(Canonical(once), once) << text;
  }
}

// Found by fuzzing: brackets that the writer added took an expression over the limits it had been read
// within.
TEST(Expression, TextIsNoDeeperAndHasNoMoreTermsThanWhatWasRead) {
  const std::string deepest(kDeepestNesting, '!');
  const std::string brackets(kDeepestNesting - 1, '('), closed(kDeepestNesting - 1, ')');
  std::string most_terms = "AU1=1..2";
  for (std::size_t i = 1; i < kMostTerms; ++i) most_terms += "&AU2=1..2";
  for (const std::string& text : {deepest + "AU4", "pitch=999992 &" + deepest + "AU4", deepest + "yaw=1..2",
                                  brackets + "AU1 & AU2 | AU4=1..2 & AU6 & !AU7" + closed, most_terms}) {
    const Expression expression = ParseExpression(text);
    const std::string once = ToText(expression);
    EXPECT_EQ(ToText(ParseExpression(once)), once) << text;
  }
}

TEST(Expression, NoBytesMakeItDoMoreThanFail) {
  std::mt19937 random(11);
  const std::string alphabet = "AU12.pleft>=+<!&|()\"\\ \n:..keyworde-motion\xff\xc3\0";
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (auto i = random() % 24; i > 0; --i) text += alphabet[random() % alphabet.size()];
    try {
      const std::string once = Canonical(text);
      EXPECT_EQ(Canonical(once), once) << text;
    } catch (const ExpressionError& error) {
      EXPECT_GE(error.column, 1U);
      EXPECT_LE(error.column, text.size() + 1) << text;
      EXPECT_FALSE(Explain(text, error).empty());
    }
  }
}

TEST(Nearest, ProposesWhatWasMeant) {
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3U);
  EXPECT_EQ(EditDistance("ab", "ba"), 1U);
  EXPECT_EQ(Nearest("hapy", {"happy", "sad"}), "happy");
  EXPECT_EQ(Nearest("zzzz", {"happy", "sad"}), "");
  EXPECT_EQ(CanonicalEmotion("Happiness"), "happy");
  EXPECT_EQ(CanonicalEmotion("Happily_Surprised"), "happily surprised");
}

TEST(Patterns, MatchWithoutRunningAway) {
  EXPECT_TRUE(MatchesPattern("*.FLICKR.com/*", "https://www.flickr.com/a.jpg"));
  EXPECT_TRUE(MatchesPattern("a?c", "abc"));
  EXPECT_FALSE(MatchesPattern("a?c", "ac"));
  EXPECT_TRUE(MatchesPattern("", ""));
  EXPECT_TRUE(MatchesPattern("**", "x"));
  EXPECT_FALSE(MatchesPattern("", "x"));
  // A pattern that would take an exponential matcher for ever.
  std::string pattern;
  for (int i = 0; i < 30; ++i) pattern += "a*";
  EXPECT_FALSE(MatchesPattern(pattern + "b", std::string(2000, 'a')));
}

}  // namespace
}  // namespace auforge::datasets::query
