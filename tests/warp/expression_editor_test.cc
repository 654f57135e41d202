// What edits when nobody says how.
#include "tools/gan/expression_editor.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/temp_dir.h"
#include "tests/synthetic/imported_model.h"

namespace auforge::tools {
namespace {

TEST(ExpressionEditor, WarpsWhereTheFaceModelIs) {
  const datasets::synthetic::FaceModel* model = datasets::synthetic::ImportedModel();
  if (model == nullptr) GTEST_SKIP() << "AUFORGE_DATA has no face model";
  const tests::TempDir dir;
  model->Save(dir / "face.h5");
  EXPECT_EQ(MakeExpressionEditor({.method = {}, .checkpoint = {}, .face_model = dir / "face.h5"})->Name(), "warp");
  setenv("AUFORGE_FACE_MODEL", (dir / "face.h5").c_str(), 1);
  EXPECT_EQ(MakeExpressionEditor({})->Name(), "warp");
  EXPECT_EQ(MakeExpressionEditor({.method = "warp", .checkpoint = {}, .face_model = {}})->Name(), "warp");
  setenv("AUFORGE_FACE_MODEL", (dir / "none.h5").c_str(), 1);
  EXPECT_THROW(MakeExpressionEditor({}), std::runtime_error) << "named, and not there";
  unsetenv("AUFORGE_FACE_MODEL");
}

}  // namespace
}  // namespace auforge::tools
