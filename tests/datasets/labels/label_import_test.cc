// Every importer on a small fixture in the exact published layout, made here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "datasets/labels/label_set.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

// Writes a file and the folders it lies in.
void Put(const tests::TempDir& dir, const std::string& name, const std::string& text) {
  fs::create_directories((dir.path() / name).parent_path());
  tests::WriteText(dir / name, text);
}
// A picture's content does not matter to an importer.
void PutPicture(const tests::TempDir& dir, const std::string& name) { Put(dir, name, "picture"); }

float Intensity(const LabelSet& set, std::size_t image, int au) {
  return set.images.at(image).intensity.at(*set.schema.Find(au));
}

constexpr int kDisfaAus[] = {1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26};

void MakeDisfa(const tests::TempDir& dir, const std::string& subject) {
  for (const int au : kDisfaAus) {
    Put(dir, "ActionUnit_Labels/" + subject + "/" + subject + "_au" + std::to_string(au) + ".txt",
        au == 12 ? "1,0\n2,3\n3,5\n" : "1,0\n2,0\n3,0\n");
  }
  for (const char* frame : {"00001", "00002", "00003", "00004"}) {
    PutPicture(dir, "Videos_LeftCamera/LeftVideo" + subject + "_comp/" + frame + ".png");
  }
}

TEST(ImportDisfa, ReadsFramesOfEverySubject) {
  const tests::TempDir dir;
  MakeDisfa(dir, "SN001");
  MakeDisfa(dir, "SN003");
  const LabelSet set = ImportLabels("disfa", dir.path().string(), {});
  ASSERT_EQ(set.images.size(), 6U);
  EXPECT_EQ(set.images[0].subject, "SN001");
  EXPECT_TRUE(set.images[1].image.ends_with("LeftVideoSN001_comp/00002.png"));
  EXPECT_EQ(Intensity(set, 1, 12), 3);
  EXPECT_EQ(Intensity(set, 1, 4), 0);
  EXPECT_TRUE(set.faults.empty());
  EXPECT_EQ(set.images_without_label, 2U) << "frame 4 of both";
}

TEST(ImportDisfa, TheUsualFoldsAreOfSubjects) {
  const tests::TempDir dir;
  for (const char* subject : {"SN001", "SN003", "SN013"}) MakeDisfa(dir, subject);
  LabelOptions options;
  options.fold = 1;
  EXPECT_EQ(ImportLabels("disfa", dir.path().string(), options).images.at(0).subject, "SN001");
  options.fold = 2;
  EXPECT_EQ(ImportLabels("disfa", dir.path().string(), options).images.at(0).subject, "SN013");
  options.train = true;
  const LabelSet rest = ImportLabels("disfa", dir.path().string(), options);
  EXPECT_EQ(rest.images.size(), 6U);
  for (const LabelledImage& image : rest.images) EXPECT_NE(image.subject, "SN013");
}

TEST(ImportDisfa, NamesWhatIsMissingOrMalformed) {
  const tests::TempDir dir;
  MakeDisfa(dir, "SN001");
  fs::remove(dir / "ActionUnit_Labels/SN001/SN001_au20.txt");
  Put(dir, "ActionUnit_Labels/SN001/SN001_au9.txt", "1,0\nrubbish\n3,9\n");
  fs::remove(dir / "Videos_LeftCamera/LeftVideoSN001_comp/00003.png");
  const LabelSet set = ImportLabels("disfa", dir.path().string(), {});
  EXPECT_EQ(set.images.size(), 2U);
  EXPECT_EQ(set.labels_without_image, 1U);
  EXPECT_TRUE(std::isnan(Intensity(set, 0, 20)));
  EXPECT_TRUE(std::isnan(Intensity(set, 1, 9)));
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr("SN001_au20.txt"), HasSubstr("is missing"))));
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr("SN001_au9.txt:2"), HasSubstr("rubbish"))));
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr("SN001_au9.txt:3"), HasSubstr("AU9 = 9.00"))));
}

TEST(ImportDisfa, FramesOfAVideoAreNumberedAsLabelsAre) {
  const tests::TempDir dir;
  MakeDisfa(dir, "SN001");
  fs::remove_all(dir / "Videos_LeftCamera/LeftVideoSN001_comp");
  Put(dir, "Videos_LeftCamera/LeftVideoSN001_comp.avi", "video");
  LabelSet set = ImportLabels("disfa", dir.path().string(), {});
  ASSERT_EQ(set.images.size(), 3U);
  EXPECT_TRUE(set.images[1].image.ends_with("LeftVideoSN001_comp.avi"));
  EXPECT_EQ(set.images[1].frame, 2);
  EXPECT_TRUE(NameOf(set.images[1]).ends_with("LeftVideoSN001_comp.avi:2"));
  EXPECT_EQ(Intensity(set, 1, 12), 3);
  EXPECT_TRUE(set.faults.empty());

  LabelOptions every;
  every.every = 2;
  set = ImportLabels("disfa", dir.path().string(), every);
  ASSERT_EQ(set.images.size(), 2U);
  EXPECT_EQ(set.images[1].frame, 3);

  Put(dir, "ActionUnit_Labels/SN001/SN001_au1.txt", "0,0\n1,0\n");
  set = ImportLabels("disfa", dir.path().string(), {});
  EXPECT_EQ(set.images.size(), 3U);
  EXPECT_EQ(set.labels_without_image, 1U);
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr("comp.avi"), HasSubstr("has no frame 0"))));
}

TEST(ImportDisfa, PicturesTakenFromAVideoGoBeforeIt) {
  const tests::TempDir dir;
  MakeDisfa(dir, "SN001");
  Put(dir, "Videos_LeftCamera/LeftVideoSN001_comp.avi", "video");
  const LabelSet set = ImportLabels("disfa", dir.path().string(), {});
  ASSERT_EQ(set.images.size(), 3U);
  EXPECT_TRUE(set.images[0].image.ends_with("LeftVideoSN001_comp/00001.png"));
  EXPECT_EQ(set.images[0].frame, 0);
}

TEST(ImportDisfa, AMissingVideoIsNamedOnceWithWhatToDo) {
  const tests::TempDir dir;
  MakeDisfa(dir, "SN001");
  fs::remove_all(dir / "Videos_LeftCamera/LeftVideoSN001_comp");
  const LabelSet set = ImportLabels("disfa", dir.path().string(), {});
  EXPECT_TRUE(set.images.empty());
  EXPECT_EQ(set.labels_without_image, 3U);
  ASSERT_EQ(set.faults.size(), 1U);
  EXPECT_THAT(set.faults[0], AllOf(HasSubstr("LeftVideoSN001_comp.avi: is missing"), HasSubstr("copy either there")));
}

TEST(ImportDisfa, TheOtherCamera) {
  const tests::TempDir dir;
  MakeDisfa(dir, "SN001");
  PutPicture(dir, "Video_RightCamera/RightVideoSN001_comp/2.jpg");
  LabelOptions options;
  options.camera = "right";
  const LabelSet set = ImportLabels("disfa", dir.path().string(), options);
  ASSERT_EQ(set.images.size(), 1U);
  EXPECT_EQ(Intensity(set, 0, 12), 3);
}

TEST(ImportDisfaPlus, ReadsTrialsAndSkipsComments) {
  const tests::TempDir dir;
  for (const int au : kDisfaAus) {
    Put(dir, "Labels/SN001/A1_AU1_TrailNo_1/AU" + std::to_string(au) + ".txt",
        std::string("# frame intensity\n000.jpg 0\n001.jpg ") + (au == 1 ? "4" : "0") + "\n");
  }
  PutPicture(dir, "Images/SN001/A1_AU1_TrailNo_1/000.jpg");
  PutPicture(dir, "Images/SN001/A1_AU1_TrailNo_1/001.jpg");
  const LabelSet set = ImportLabels("disfaplus", dir.path().string(), {});
  ASSERT_EQ(set.images.size(), 2U);
  EXPECT_EQ(Intensity(set, 1, 1), 4);
  EXPECT_TRUE(set.faults.empty());
}

TEST(ImportUnbc, EmptyFilesMeanNothingIsThere) {
  const tests::TempDir dir;
  const std::string facs = "Frame_Labels/FACS/042-ll042/ll042t1aaaff/ll042t1aaaff";
  const std::string pictures = "Images/042-ll042/ll042t1aaaff/ll042t1aaaff";
  Put(dir, facs + "001_facs.txt", "");
  Put(dir, facs + "002_facs.txt",
      "   4.3000000e+01   4.0000000e+00   0.0000000e+00   0.0000000e+00\n   6.0000000e+00   2.0000000e+00   "
      "0   0\n");
  for (const char* frame : {"001", "002", "003"}) PutPicture(dir, pictures + frame + ".png");
  Put(dir, "Frame_Labels/PSPI/042-ll042/ll042t1aaaff/ll042t1aaaff001_facs.txt", "   0.0000000e+00\n");
  const LabelSet set = ImportLabels("unbc", dir.path().string(), {});
  ASSERT_EQ(set.images.size(), 2U);
  EXPECT_EQ(set.images[0].subject, "042-ll042");
  EXPECT_EQ(Intensity(set, 0, 6), 0);
  EXPECT_EQ(Intensity(set, 1, 43), 4);
  EXPECT_EQ(Intensity(set, 1, 6), 2);
  EXPECT_EQ(set.images_without_label, 1U);
}

TEST(ImportCkPlus, LabelsTheLastFrameAndGradesZeroAsPresent) {
  const tests::TempDir dir;
  Put(dir, "FACS/S005/001/S005_001_00000011_facs.txt",
      "   9.0000000e+00   0.0000000e+00\n   1.7000000e+01   3.0000000e+00\n   6.4000000e+01   "
      "2.0000000e+00\n");
  for (const char* frame : {"00000001", "00000011"})
    PutPicture(dir, std::string("cohn-kanade-images/S005/001/S005_001_") + frame + ".png");
  const LabelSet set = ImportLabels("ckplus", dir.path().string(), {});
  ASSERT_EQ(set.images.size(), 1U);
  EXPECT_TRUE(set.images[0].image.ends_with("00000011.png"));
  EXPECT_EQ(Intensity(set, 0, 9), kUngradedIntensity);
  EXPECT_EQ(Intensity(set, 0, 17), 3);
  EXPECT_EQ(Intensity(set, 0, 1), 0);
  EXPECT_EQ(set.images_without_label, 1U);
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr("AU64"), HasSubstr("1 codes left out"))));
}

TEST(ImportBp4d, OccurrenceAndIntensity) {
  const tests::TempDir dir;
  std::string header = "0", first = "10", second = "11";
  for (int n = 1; n <= 99; ++n) {
    header += "," + std::to_string(n);
    first += n == 12 || n == 6 ? ",1" : n == 1 ? ",9" : ",0";
    second += ",0";
  }
  Put(dir, "AUCoding/AU_OCC/F001_T1.csv", header + "\n" + first + "\n" + second + "\n");
  Put(dir, "AUCoding/AU_INT/AU06/F001_T1_AU06.csv", "10,4\n11,0\n");
  Put(dir, "AUCoding/AU_INT/AU06/F001_T10_AU06.csv", "10,1\n");
  PutPicture(dir, "F001/T1/0010.jpg");
  PutPicture(dir, "F001/T1/0011.jpg");
  const LabelSet set = ImportLabels("bp4d", dir.path().string(), {});
  ASSERT_EQ(set.images.size(), 2U);
  EXPECT_EQ(set.images[0].subject, "F001");
  EXPECT_EQ(Intensity(set, 0, 12), kUngradedIntensity);
  EXPECT_EQ(Intensity(set, 0, 6), 4) << "graded by F001_T1, not by F001_T10";
  EXPECT_TRUE(std::isnan(Intensity(set, 0, 1)));
  EXPECT_EQ(Intensity(set, 1, 6), 0);
}

TEST(ImportCfee, TheNameTellsTheSubject) {
  const tests::TempDir dir;
  Put(dir, "AU_annotation_all_subjects.csv", "image,1,2,12,25\n09_110_2555.jpg,1,0,0,1\nstrange,0,0,0,0\n");
  PutPicture(dir, "CFEE_Database_230/s110/09_110_2555.jpg");
  const LabelSet set = ImportLabels("cfee", dir.path().string(), {});
  ASSERT_EQ(set.images.size(), 1U);
  EXPECT_EQ(set.images[0].subject, "110");
  EXPECT_EQ(Intensity(set, 0, 1), kUngradedIntensity);
  EXPECT_EQ(Intensity(set, 0, 12), 0);
  EXPECT_FALSE(set.graded);
  EXPECT_THAT(set.faults, Contains(HasSubstr("strange")));
}

TEST(ImportEmotioNet, TheManualFileKnowsNotScored) {
  const tests::TempDir dir;
  Put(dir, "manual.csv",
      "URL,URL orig,'AU 1','AU 2','AU 12'\nhttp://a.org/x/N_0001.jpg,http://b.org/1.jpg,999,0,1\n"
      "http://a.org/x/N_0002.jpg,http://b.org/2.jpg,0,7,1\nhttp://a.org/x/N_0003.jpg,-,0,0,0\n");
  PutPicture(dir, "pictures/N_0001.jpg");
  PutPicture(dir, "pictures/N_0002.jpg");
  LabelOptions options;
  options.images = {dir / "pictures"};
  const LabelSet set = ImportLabels("emotionet", dir / "manual.csv", options);
  ASSERT_EQ(set.images.size(), 2U);
  EXPECT_EQ(set.schema.numbers(), (std::vector<int>{1, 2, 12}));
  EXPECT_TRUE(std::isnan(Intensity(set, 0, 1)));
  EXPECT_EQ(Intensity(set, 0, 2), 0);
  EXPECT_EQ(Intensity(set, 0, 12), kUngradedIntensity);
  EXPECT_EQ(set.labels_without_image, 1U);
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr(":3"), HasSubstr("AU2"), HasSubstr("999"))));
}

TEST(ImportEmotioNet, TheAutomaticFileHasNoHeader) {
  const tests::TempDir dir;
  std::string line = "http://a.org/N_1.jpg\thttp://b.org/1.jpg";
  for (int au = 1; au <= 60; ++au) line += au == 4 ? "\t1" : au == 5 ? "\t999" : "\t0";
  Put(dir, "automatic.txt", line + "\nhttp://a.org/N_2.jpg\tshort\n");
  PutPicture(dir, "N_1.jpg");
  const LabelSet set = ImportLabels("emotionet-auto", dir / "automatic.txt", {});
  ASSERT_EQ(set.images.size(), 1U);
  EXPECT_EQ(Intensity(set, 0, 4), kUngradedIntensity);
  EXPECT_TRUE(std::isnan(Intensity(set, 0, 5)));
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr(":2"), HasSubstr("must be 62"))));
}

std::string OpenFaceHeader(bool video) {
  std::string header = video ? "frame, face_id, timestamp, confidence, success" : "face, confidence";
  for (const char* axis : {"x", "y"}) {
    for (int i = 0; i < 68; ++i) header += ", " + std::string(axis) + "_" + std::to_string(i);
  }
  for (const char* suffix : {"_r", "_c"}) {
    for (const int au : features::GanSchema().numbers())
      header += std::string(", AU") + (au < 10 ? "0" : "") + std::to_string(au) + suffix;
  }
  return header + ", AU28_c\n";
}
std::string OpenFaceRow(bool video, int frame, const std::string& confidence, const std::string& au1) {
  std::string row = video ? std::to_string(frame) + ", 0, 0.04, " + confidence + ", 1" : "0, " + confidence;
  for (int i = 0; i < 136; ++i) row += ", " + std::to_string(i) + ".5";
  row += ", " + au1;
  for (int i = 1; i < 17; ++i) row += ", 0.25";
  for (int i = 0; i < 18; ++i) row += ", 0.00";
  return row + "\n";
}

TEST(ImportOpenFace, TheImageProgramsFileBelongsToItsPicture) {
  const tests::TempDir dir;
  Put(dir, "a.csv", OpenFaceHeader(false) + OpenFaceRow(false, 0, "0.98", "2.31"));
  PutPicture(dir, "a.jpg");
  const LabelSet set = ImportLabels("openface", dir.path().string(), {});
  ASSERT_EQ(set.images.size(), 1U);
  EXPECT_EQ(set.schema, features::GanSchema());
  EXPECT_NEAR(Intensity(set, 0, 1), 2.31, 1e-6);
  EXPECT_NEAR(Intensity(set, 0, 45), 0.25, 1e-6);
  ASSERT_TRUE(set.images[0].landmarks);
  EXPECT_NEAR((*set.images[0].landmarks)[1].x, 2.0F, 1e-5) << "pixel centres at .5";
  EXPECT_NEAR((*set.images[0].landmarks)[1].y, 70.0F, 1e-5);
}

TEST(ImportOpenFace, TheVideoProgramsFileSpeaksOfFrames) {
  const tests::TempDir dir;
  Put(dir, "clip.csv",
      OpenFaceHeader(true) + OpenFaceRow(true, 1, "0.95", "0.5") + OpenFaceRow(true, 2, "0.20", "0.5") +
          OpenFaceRow(true, 3, "0.95", "7") + "1, 2\n");
  PutPicture(dir, "clip/frame_0001.jpg");
  PutPicture(dir, "clip/frame_0003.jpg");
  const LabelSet set = ImportLabels("openface", dir / "clip.csv", {});
  ASSERT_EQ(set.images.size(), 2U);
  EXPECT_EQ(set.images[0].subject, "clip");
  EXPECT_TRUE(std::isnan(Intensity(set, 1, 1)));
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr("clip.csv:3"), HasSubstr("not sure"))));
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr("clip.csv:4"), HasSubstr("AU1 = 7.00"))));
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr("clip.csv:5"), HasSubstr("2 fields"))));
}

TEST(ImportGanimation, ReadsItsListsAndAus) {
  const tests::TempDir dir;
  std::string row;
  for (int i = 0; i < 17; ++i) row += "," + std::to_string(i % 5);
  Put(dir, "aus_openface.csv", "one.jpg" + row + "\ntwo.jpg" + row + "\n");
  Put(dir, "train_ids.csv", "one.jpg\nthree.jpg\n");
  Put(dir, "test_ids.csv", "two.jpg\n");
  for (const char* name : {"one", "two", "three", "four"})
    PutPicture(dir, std::string("imgs/") + name + ".jpg");
  const LabelSet all = ImportLabels("ganimation", dir.path().string(), {});
  ASSERT_EQ(all.images.size(), 2U);
  EXPECT_EQ(Intensity(all, 0, 2), 1);
  EXPECT_THAT(all.faults, Contains(AllOf(HasSubstr("three.jpg"), HasSubstr("no AUs"))));
  EXPECT_EQ(all.images_without_label, 2U) << "three has no AUs, four is in no list";
  LabelOptions options;
  options.fold = 1;
  const LabelSet test = ImportLabels("ganimation", dir.path().string(), options);
  ASSERT_EQ(test.images.size(), 1U);
  EXPECT_TRUE(test.images[0].image.ends_with("two.jpg"));
}

TEST(ImportGanimation, APictureInBothListsIsLearntFromAndNotJudgedBy) {
  const tests::TempDir dir;
  std::string row;
  for (int j = 0; j < 17; ++j) row += ",1";
  Put(dir, "aus_openface.csv", "one.jpg" + row + "\ntwo.jpg" + row + "\ntwo.jpg" + row + "\n");
  Put(dir, "train_ids.csv", "one.jpg\n");
  Put(dir, "test_ids.csv", "two.jpg\none.jpg\n");
  for (const char* name : {"imgs/one.jpg", "imgs/two.jpg"}) PutPicture(dir, name);
  LabelOptions options;
  options.fold = 1;
  const LabelSet test = ImportLabels("ganimation", dir.path().string(), options);
  ASSERT_EQ(test.images.size(), 1U);
  EXPECT_TRUE(test.images[0].image.ends_with("two.jpg"));
  EXPECT_EQ(test.labelled_twice, 2U);
  EXPECT_THAT(test.faults, Contains(AllOf(HasSubstr("test_ids.csv"), HasSubstr("one.jpg is listed already"))));
  EXPECT_THAT(test.faults, Contains(AllOf(HasSubstr("aus_openface.csv:3"), HasSubstr("two.jpg has AUs"))));
}

TEST(ImportCsv, ReadsAnyAusInAnyOrder) {
  const tests::TempDir dir;
  Put(dir, "labels.csv",
      "image,subject,AU12,AU06\na.jpg,p1,2.5,\n\"b,c.jpg\",p2,0,5\nd.jpg,p3,6,zzz\ngone.jpg,p4,0,0\nshort\n");
  for (const char* name : {"a.jpg", "b,c.jpg", "d.jpg", "extra.jpg"}) PutPicture(dir, name);
  const LabelSet set = ImportLabels("csv", dir / "labels.csv", {});
  ASSERT_EQ(set.images.size(), 3U);
  EXPECT_EQ(set.schema.numbers(), (std::vector<int>{12, 6}));
  EXPECT_NEAR(Intensity(set, 0, 12), 2.5, 1e-6);
  EXPECT_TRUE(std::isnan(Intensity(set, 0, 6)));
  EXPECT_EQ(set.images[1].subject, "p2");
  EXPECT_TRUE(std::isnan(Intensity(set, 2, 12)));
  EXPECT_EQ(set.labels_without_image, 1U);
  EXPECT_EQ(set.images_without_label, 1U);
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr(":4"), HasSubstr("AU12 = 6.00"))));
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr(":4"), HasSubstr("zzz"))));
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr(":6"), HasSubstr("1 fields"))));
}

TEST(ImportCsv, AnAuInTwoColumnsIsNamedWithItsFile) {
  const tests::TempDir dir;
  PutPicture(dir, "a.jpg");
  Put(dir, "labels.csv", "image,AU1,AU12,AU01\na.jpg,1,2,3\n");
  try {
    ImportLabels("csv", dir / "labels.csv", {});
    FAIL() << "two columns of AU1 were accepted";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("labels.csv"), HasSubstr("AU1: occurs twice")));
  }
}

TEST(ImportCsv, WindowsFilesWithAByteOrderMark) {
  const tests::TempDir dir;
  Put(dir, "labels.csv", "\xEF\xBB\xBFimage,AU1\r\na.jpg,1\r\n");
  PutPicture(dir, "a.jpg");
  const LabelSet set = ImportLabels("csv", dir / "labels.csv", {});
  ASSERT_EQ(set.images.size(), 1U);
  EXPECT_EQ(Intensity(set, 0, 1), 1);
}

// Keys of pictures in tars, graded in three steps, empty where the reader could not tell: a file of codes as readers
// of contact sheets write it.
TEST(ImportCsv, LevelsOfKeysInTars) {
  const tests::TempDir dir;
  fs::create_directories(dir.path() / "a/deep");
  fs::create_directories(dir.path() / "b");
  tests::WriteTar(dir / "a/deep/00000.tar", {{"x-1.jpg", "picture"}, {"x-1.txt", "caption"}, {"x.2-3.jpg", "other"}});
  tests::WriteTar(dir / "b/00001.tar", {{"000010000.png", "picture"}, {"000010001.png", "nobody speaks of it"}});
  PutPicture(dir, "b/plain.jpg");
  Put(dir, "codes.csv",
      "image,AU4,AU12,doubt\nx-1,0,3,1\n000010000,,1,0\nplain,2,0,0\nx-1,1,1,0\ngone,0,0,0\nplain.png,0,0,0\n"
      "b/00001.tar,4,0,0\n000010001.png,1.5,-1,0\n");
  LabelOptions options;
  options.images = {dir / "a", dir / "b"};
  options.scale = 3;
  const LabelSet set = ImportLabels("csv", dir / "codes.csv", options);
  ASSERT_EQ(set.images.size(), 4U);
  EXPECT_EQ(NameOf(set.images[0]), (dir / "a/deep/00000.tar") + ":x-1.jpg");
  EXPECT_EQ(Intensity(set, 0, 4), 0);
  EXPECT_EQ(Intensity(set, 0, 12), 4.5F);
  EXPECT_TRUE(std::isnan(Intensity(set, 1, 4))) << "not told is not absent";
  EXPECT_EQ(Intensity(set, 1, 12), 1.5F);
  EXPECT_EQ(set.images[2].image, dir / "b/plain.jpg");
  EXPECT_EQ(Intensity(set, 2, 4), 3);
  EXPECT_TRUE(std::isnan(Intensity(set, 3, 4)) && std::isnan(Intensity(set, 3, 12)));
  EXPECT_EQ(set.labelled_twice, 1U);
  EXPECT_EQ(set.labels_without_image, 3U) << "gone, plain.png, and what is no picture";
  EXPECT_EQ(set.images_without_label, 1U) << "x.2-3";
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr("codes.csv:5"), HasSubstr("x-1 is labelled in line 2 already"))));
  EXPECT_THAT(set.faults, Contains(HasSubstr("codes.csv:9: AU4 = 1.5 is not a level of 0, 1, 2, 3")));
  EXPECT_THAT(set.faults, Contains(HasSubstr("codes.csv:9: AU12 = -1 is not a level")));
}

TEST(ImportCsv, DoubtsMayBeLeftOut) {
  const tests::TempDir dir;
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg", "d.jpg"}) PutPicture(dir, name);
  Put(dir, "codes.csv", "image,AU2,AU15,doubt\na,1,2,AU15\nb,1,2,0\nc,1,2,1\nd,1,2,perhaps\n");
  LabelOptions options;
  EXPECT_EQ(Intensity(ImportLabels("csv", dir / "codes.csv", options), 0, 15), 2) << "kept unless asked";
  options.drop_doubts = true;
  const LabelSet set = ImportLabels("csv", dir / "codes.csv", options);
  EXPECT_EQ(Intensity(set, 0, 2), 1);
  EXPECT_TRUE(std::isnan(Intensity(set, 0, 15)));
  EXPECT_EQ(Intensity(set, 1, 15), 2);
  EXPECT_TRUE(std::isnan(Intensity(set, 2, 2)));
  EXPECT_TRUE(std::isnan(Intensity(set, 3, 2)));
  EXPECT_THAT(set.faults, Contains(HasSubstr("codes.csv:5: doubt \"perhaps\"")));
  Put(dir, "sure.csv", "image,AU2\na,1\n");
  EXPECT_THROW(ImportLabels("csv", dir / "sure.csv", options), std::runtime_error);
}

TEST(ImportCsv, OfSeveralPicturesOfANameTheFirstWithAWord) {
  const tests::TempDir dir;
  fs::create_directories(dir.path() / "p/one");
  PutPicture(dir, "p/two/a.jpg");
  PutPicture(dir, "p/one/a.jpg");
  Put(dir, "labels.csv", "image,AU1\na.jpg,1\ntwo/a.jpg,2\n");
  LabelOptions options;
  options.images = {dir / "p", dir / "p/one"};
  const LabelSet set = ImportLabels("csv", dir / "labels.csv", options);
  ASSERT_EQ(set.images.size(), 2U);
  EXPECT_TRUE(set.images[0].image.ends_with("one/a.jpg"));
  EXPECT_TRUE(set.images[1].image.ends_with("two/a.jpg"));
  options.images = {dir / "nowhere"};
  EXPECT_THROW(ImportLabels("csv", dir / "labels.csv", options), std::runtime_error);
}

TEST(ImportCsv, ADamagedTarIsNamed) {
  const tests::TempDir dir;
  Put(dir, "bad.tar", std::string(600, 'x'));
  Put(dir, "labels.csv", "image,AU1\na,1\n");
  const LabelSet set = ImportLabels("csv", dir / "labels.csv", {});
  EXPECT_EQ(set.labels_without_image, 1U);
  EXPECT_THAT(set.faults, Contains(AllOf(HasSubstr("bad.tar"), HasSubstr("damaged"))));
}

// Whoever computes the split elsewhere finds the same parts.
TEST(ImportLabels, PartsFollowFromTheNameAlone) {
  const tests::TempDir dir;
  std::string text = "image,AU1\n";
  for (int i = 0; i < 400; ++i) {
    text += "i" + std::to_string(i) + ".jpg,0\n";
    PutPicture(dir, "i" + std::to_string(i) + ".jpg");
  }
  Put(dir, "labels.csv", text);
  LabelOptions options;
  std::set<std::string> seen;
  std::size_t judged = 0;
  for (const LabelPart part : {LabelPart::kLearn, LabelPart::kJudge}) {
    options.part = part;
    const LabelSet set = ImportLabels("csv", dir / "labels.csv", options);
    for (const LabelledImage& image : set.images) {
      EXPECT_EQ(PartOf(image), part);
      EXPECT_TRUE(seen.insert(image.image).second);
    }
    if (part == LabelPart::kJudge) judged = set.images.size();
  }
  EXPECT_EQ(seen.size(), 400U);
  EXPECT_NEAR(static_cast<double>(judged) / 400, kJudgeShare, 0.07);

  const auto part = [](const std::string& path, const std::string& member, const std::string& subject) {
    LabelledImage image;
    image.image = path;
    image.member = member;
    image.subject = subject;
    return PartOf(image);
  };
  EXPECT_EQ(part("/x/canada-00001.jpg", "", ""), part("a.tar", "canada-00001.png", "")) << "wherever it lies";
  EXPECT_EQ(part("/x/a.jpg", "", "p1"), part("/x/b.jpg", "", "p1")) << "nobody is in both parts";
  EXPECT_EQ(part("canada-00001.jpg", "", ""), LabelPart::kJudge);
  EXPECT_EQ(part("t2i-00002.jpg", "", ""), LabelPart::kJudge);
  EXPECT_EQ(part("ukmp-00010.jpg", "", ""), LabelPart::kJudge);
  EXPECT_EQ(part("ukmp-00001.jpg", "", ""), LabelPart::kLearn);
  EXPECT_EQ(part("pif-00001.jpg", "", ""), LabelPart::kLearn);
  EXPECT_THROW(ImportLabels("ganimation", dir.path().string(), options), std::invalid_argument);
  options = {};
  options.scale = 3;
  EXPECT_THROW(ImportLabels("disfa", dir.path().string(), options), std::invalid_argument);
  options = {};
  options.images = {dir.path().string(), dir.path().string()};
  EXPECT_THROW(ImportLabels("disfa", dir.path().string(), options), std::invalid_argument);
}

TEST(ImportLabels, FoldsPartSubjectsEvenly) {
  const tests::TempDir dir;
  std::string text = "image,subject,AU1\n";
  for (int i = 0; i < 12; ++i) {
    text += "i" + std::to_string(i) + ".jpg,p" + std::to_string(i / 2) + ",0\n";
    PutPicture(dir, "i" + std::to_string(i) + ".jpg");
  }
  Put(dir, "labels.csv", text);
  std::set<std::string> seen;
  for (int fold = 1; fold <= 3; ++fold) {
    LabelOptions options;
    options.fold = fold;
    const LabelSet part = ImportLabels("csv", dir / "labels.csv", options);
    EXPECT_EQ(part.images.size(), 4U);
    for (const LabelledImage& image : part.images) EXPECT_TRUE(seen.insert(image.image).second);
  }
  EXPECT_EQ(seen.size(), 12U);
}

TEST(ImportLabels, WhatHoldsNothingIsNamed) {
  const tests::TempDir dir;
  for (const LabelSource& source : LabelSources()) {
    try {
      ImportLabels(source.name, dir.path().string(), {});
      ADD_FAILURE() << source.name << " found labels in an empty folder";
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr("looked for")) << source.name;
    }
  }
  EXPECT_THROW(ImportLabels("nonsense", dir.path().string(), {}), std::invalid_argument);
  EXPECT_THROW(ImportLabels("disfa", dir / "nowhere", {}), std::runtime_error);
  LabelOptions bad;
  bad.fold = 7;
  EXPECT_THROW(ImportLabels("disfa", dir.path().string(), bad), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::datasets
