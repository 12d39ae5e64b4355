// The folder of a run: one process at a time, its newest checkpoint, and the one before.
#include "train/run_dir.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <unistd.h>

#include "mnist/support/error.hpp"
#include "support/atomic_file.hpp"
#include "support/byte_reader.hpp"
#include "support/log.hpp"

namespace mnist {
namespace {

constexpr const char* kNewest = "/checkpoint.safetensors";
constexpr const char* kPrevious = "/checkpoint.previous.safetensors";
constexpr const char* kLock = "/lock";
constexpr std::uint64_t kLargestCheckpoint = std::uint64_t{1} << 36;

Checkpoint load_file(const std::string& path) {
  return read_checkpoint(read_whole_file(path, kLargestCheckpoint), path);
}

/// How to go on when the newest checkpoint is of no use.
std::string advice(const std::string& folder) {
  const std::string previous = folder + kPrevious;
  try {
    const Checkpoint checkpoint = load_file(previous);
    return "; the one before it is whole, from step " + std::to_string(checkpoint.progress.step) +
           ": go on with --resume " + previous;
  } catch (const Error&) {
    return "; there is no whole one before it: start anew without --resume, in another folder";
  }
}

}  // namespace

CheckpointPlace::CheckpointPlace(const std::string& resume) : folder(resume) {
  if (std::filesystem::is_regular_file(resume)) {
    file = resume;
    folder = std::filesystem::path(resume).parent_path().string();
    if (folder.empty()) folder = ".";
  } else {
    file = folder + kNewest;
  }
}

Checkpoint load_checkpoint(const std::string& resume) {
  const CheckpointPlace place(resume);
  if (!std::filesystem::exists(place.file)) {
    throw UsageError("--resume " + resume + ": there is no " + place.file +
                     "; start a run with --run-dir to have checkpoints");
  }
  try {
    return load_file(place.file);
  } catch (const Error& error) {
    throw Error(std::string(error.what()) + advice(place.folder));
  }
}

RunFolder::RunFolder(std::string path) : path_(std::move(path)) {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error) throw UsageError("--run-dir " + path_ + " cannot be made: " + error.message());
  for (const char* file : {"/metrics.jsonl", kNewest}) check_file_can_be_written(path_ + file);
  lock_.emplace(path_ + kLock);
  remove_temporary_files(path_);
}

void RunFolder::check_may_start() const {
  if (!std::filesystem::exists(path_ + kNewest)) return;
  std::string state = "a checkpoint that cannot be read";
  try {
    const Checkpoint checkpoint = load_file(path_ + kNewest);
    if (is_over(checkpoint.options, checkpoint.progress)) return;
    state = "a run that has not come to its end";
  } catch (const Error&) {
    // Then it may be worth something to its owner all the same.
  }
  throw UsageError("--run-dir " + path_ + " holds " + state + "; go on with it: --resume " + path_ +
                   ", or take another folder, or delete " + path_ + kNewest);
}

void RunFolder::save(const Checkpoint& checkpoint) const {
  const std::string newest = path_ + kNewest;
  keep_file_as(newest, path_ + kPrevious);
  write_file_atomically(newest, checkpoint_bytes(checkpoint));
  log_debug("checkpoint " + newest + " at step " + std::to_string(checkpoint.progress.step));
}

void RunFolder::remove_checkpoints() const {
  for (const char* file : {kPrevious, kNewest}) {
    std::error_code ignored;  // what cannot be removed is replaced by the first checkpoint
    std::filesystem::remove(path_ + file, ignored);
  }
}

}  // namespace mnist
