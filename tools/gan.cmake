# auforge-gan is a program of its own: LibTorch costs 0.6 s and 160 MB to load.
auforge_library(auforge_gan_commands
  SOURCES au_request.cc face_finder.cc gan_edit_command.cc gan_edit_server_command.cc gan_eval_command.cc gan_faces.cc
          gan_metrics.cc gan_paste.cc gan_sheet.cc gan_sheet_command.cc gan_train_command.cc gan_weights_command.cc gif.cc
  PUBLIC auforge_cli auforge_gan auforge_annotator
  PRIVATE opencv_imgproc opencv_imgcodecs nlohmann_json::nlohmann_json ${GIF_LIBRARY})
auforge_program(auforge-gan SOURCES auforge_gan.cc LIBS auforge_gan_commands)
