// AU models that answer otherwise than the default one.
#pragma once

#include <hdf5.h>

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "annotator/internal/au_model_file.h"
#include "datasets/storage/atomic_file.h"

namespace auforge::pipeline {

// The default model with something else in its file, whose digest is set right.
inline void SaveChangedModel(const std::string& path, const std::function<void(hid_t file)>& change) {
  std::filesystem::copy_file(annotator::DefaultAuModelPath(), path, std::filesystem::copy_options::overwrite_existing);
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  change(file);
  H5Fclose(file);
  const std::string bytes = datasets::storage::ReadFile(path);
  annotator::ParseAuModel({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, path, false).Save(path);
}

// One that finds every AU a little more often (shift < 0) or less.
inline void SaveShiftedModel(const std::string& path, float shift) {
  SaveChangedModel(path, [shift](hid_t file) {
    const hid_t set = H5Dopen2(file, "/calibration", H5P_DEFAULT);
    const hid_t space = H5Dget_space(set);
    std::vector<float> rows(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
    H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows.data());
    for (std::size_t i = 0; i < rows.size(); i += 5) rows[i] += shift;  // thresholds
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows.data());
    H5Sclose(space);
    H5Dclose(set);
  });
}

}  // namespace auforge::pipeline
