// Where a file that a loop of trainings made comes from: JSON text in the attribute `lineage` of its root,
//
//   {"parent": SHA-256 of the file it replaces or null, "data": [SHA-256 of each file it was made from],
//    "plan": SHA-256 of the plan, "round": N, "created": "2026-01-31T12:00:00Z"}
//
// "parent" and "created" may be missing. Pure functions of text and files.
#pragma once

#include <string>

namespace auforge::datasets::storage {

class Hdf5Reader;

inline constexpr const char* kLineage = "lineage";

// The text as it is stored: one line, keys sorted. Of more files than an attribute has room for (64 KB), "data" becomes
// {"count": N, "sha256": that of their digests, one a line}. name: what messages call the text. Throws BadContent naming
// the key and what is wrong with it.
std::string CanonicalLineage(const std::string& text, const std::string& name);
// What a file says; "" where it says nothing, or no text.
std::string StoredLineage(const Hdf5Reader& file);
// The same as CanonicalLineage of a file, which a user names; "" of "". Throws std::runtime_error, too, when it cannot be read.
std::string ReadLineageFile(const std::string& path);

}  // namespace auforge::datasets::storage
