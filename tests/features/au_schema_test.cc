#include "features/au_schema.h"

#include <gtest/gtest.h>

namespace auforge::features {
namespace {

TEST(AuSchema, FindsColumnsAndItsAlias) {
  const AuSchema schema({1, 12, 45});
  EXPECT_EQ(schema.Find(12), 1U);
  EXPECT_EQ(schema.Find(43), 2U) << "closed eyes are 43 and 45 in a still";
  EXPECT_FALSE(schema.Find(2).has_value());
  EXPECT_EQ(AuSchema({43}).Find(45), 0U);
}

TEST(AuSchema, RefusesRepeatsAndNonsense) {
  EXPECT_THROW(AuSchema({1, 1}), std::invalid_argument);
  EXPECT_THROW(AuSchema({0}), std::invalid_argument);
  EXPECT_THROW(AuSchema::FromNames({"AU1", "smile"}), std::invalid_argument);
}

TEST(AuSchema, NamesRoundTrip) {
  EXPECT_EQ(AuSchema::FromNames(CatalogueSchema().Names()), CatalogueSchema());
  EXPECT_EQ(GanSchema().size(), 17U);
  for (const int au : GanSchema().numbers()) EXPECT_TRUE(CatalogueSchema().Find(au)) << au;
  for (const int au : CatalogueSchema().numbers()) EXPECT_FALSE(AuName(au).empty()) << au;
}

TEST(ParseAu, TakesTheSpellingsOfTheField) {
  for (const char* text : {"AU6", "au06", "AU 6", " 6 ", "06"}) EXPECT_EQ(ParseAu(text), 6) << text;
  for (const char* text : {"", "AU", "AU6x", "AU123", "-6", "0", "AU99"}) EXPECT_FALSE(ParseAu(text)) << text;
}

}  // namespace
}  // namespace auforge::features
