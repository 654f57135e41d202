// Inputs that are no paths: https://host/00000.tar, s3://bucket/00000.tar, … Stateless; thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace auforge::datasets {

// "scheme://" and something behind it.
bool IsAddress(std::string_view text);
// What an address says of the name of its file: without query and fragment. https://host/a.tar?sign=x -> https://host/a.tar
std::string_view AddressName(std::string_view address);

// How addresses are read: by a command that writes their bytes to its standard output, one process an address.
struct FetchOptions {
  // A line for /bin/sh in which {} stands for the address (FetchScript); empty: addresses are refused.
  std::string command;
  int seconds = 600;           // longest wait for the next byte, >= 1
  std::function<bool()> stop;  // asked while it is waited for; true ends the command. May be empty
  void Validate() const;       // throws std::invalid_argument naming field and value
};

// The command as a script that takes the address from the variable AUFORGE_ADDRESS: {}, '{}' and "{}" become
// "$AUFORGE_ADDRESS", so that no letter of an address is ever read as shell. Throws std::invalid_argument where {} is
// part of a longer text in quotes (it might be another shell's text), where a quote is not closed and where the
// command does not speak of the address at all.
std::string FetchScript(const std::string& command);

}  // namespace auforge::datasets
