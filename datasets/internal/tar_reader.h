// Samples of a webdataset tar: members that share their name up to the first dot of the base name.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "datasets/address.h"
#include "datasets/image_source.h"

namespace auforge::datasets {

// Opens lazily: a tar that cannot be read yields one item of status kUnreadable. Nothing is ever unpacked to disk,
// so that names like ../../x are just names.
std::unique_ptr<ItemReader> OpenTar(const std::string& path, std::uint64_t max_bytes);
// The tar at an address, read as it comes and once (again for links to members, where it has some): texts are found that
// stand before their pictures or beside them. Damage of any kind is the reader's Fault.
std::unique_ptr<ItemReader> FetchTar(const std::string& address, const FetchOptions& fetch, std::uint64_t max_bytes);

}  // namespace auforge::datasets
