# AU models: their data, training, comparison and calibration.
target_sources(auforge_commands PRIVATE
  au_compare.cc au_label_data.cc au_shard_data.cc best_face.cc calibrate_command.cc closed_lids.cc photo_features.cc)
