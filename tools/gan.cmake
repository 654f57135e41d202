# auforge-gan is a program of its own: LibTorch costs 0.6 s and 160 MB to load.
auforge_program(auforge-gan
  SOURCES auforge_gan.cc au_request.cc face_finder.cc gan_edit_command.cc gan_edit_server_command.cc gan_sheet_command.cc gan_train_command.cc
  LIBS auforge_cli auforge_gan auforge_annotator opencv_imgproc opencv_imgcodecs)
