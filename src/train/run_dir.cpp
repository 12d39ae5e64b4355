// Paths and messages of run directories.
#include "train/run_dir.hpp"

#include <filesystem>
#include <system_error>
#include <unistd.h>

#include "mnist/support/error.hpp"
#include "options/toml.hpp"
#include "support/files.hpp"
#include "support/log.hpp"

namespace mnist {
namespace {

constexpr const char* kNewest = "/checkpoint.safetensors";
constexpr const char* kPrevious = "/checkpoint.previous.safetensors";
constexpr std::uint64_t kMaxCheckpointBytes = std::uint64_t{1} << 36;

Checkpoint load_file(const std::string& path) {
  return read_checkpoint(read_whole_file(path, kMaxCheckpointBytes), path);
}

/// What to do when the newest checkpoint is unusable.
std::string advice(const std::string& directory) {
  const std::string previous = directory + kPrevious;
  try {
    const Checkpoint checkpoint = load_file(previous);
    return "; the previous one, from step " + std::to_string(checkpoint.progress.step) +
           ", is intact: use --resume " + previous;
  } catch (const Error&) {
    return "; there is no intact previous one: start a new run in another directory";
  }
}

}  // namespace

std::string summary_path(const std::string& directory) {
  return directory + "/summary.json";
}

std::optional<TrainOptions> find_run(const std::string& directory) {
  if (std::filesystem::exists(summary_path(directory))) {
    TrainOptions options;
    read_toml_file(directory + "/config.toml", options);
    return options;
  }
  if (!std::filesystem::exists(directory + kNewest)) return std::nullopt;
  return load_checkpoint(directory).options;
}

Checkpoint load_checkpoint(const std::string& resume) {
  std::string file = resume + kNewest;
  std::string directory = resume;
  if (std::filesystem::is_regular_file(resume)) {
    file = resume;
    directory = std::filesystem::path(resume).parent_path().string();
    if (directory.empty()) directory = ".";
  }
  if (!std::filesystem::exists(file)) {
    throw UsageError("--resume " + resume + ": " + file +
                     " does not exist; only runs with --run-dir have checkpoints");
  }
  try {
    Checkpoint checkpoint = load_file(file);
    checkpoint.options.run_dir = directory;
    return checkpoint;
  } catch (const Error& error) {
    throw Error(error.what() + advice(directory));
  }
}

RunDir::RunDir(std::string path) : path_(std::move(path)) {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error) throw UsageError("--run-dir " + path_ + " cannot be created: " + error.message());
  for (const char* file : {"/metrics.jsonl", kNewest}) check_file_can_be_written(path_ + file);
  lock_.emplace(path_ + "/lock");
  remove_temporary_files(path_);
}

void RunDir::check_may_start() const {
  if (!std::filesystem::exists(path_ + kNewest)) return;
  std::string state = "a checkpoint that cannot be read";
  try {
    const Checkpoint checkpoint = load_file(path_ + kNewest);
    if (is_over(checkpoint.options, checkpoint.progress)) return;
    state = "an unfinished run";
  } catch (const Error&) {
    // Its owner may still need it.
  }
  throw UsageError("--run-dir " + path_ + " contains " + state + "; resume it with --resume " +
                   path_ + ", use another directory, or delete " + path_ + kNewest);
}

void RunDir::save(const Checkpoint& checkpoint) const {
  const std::string newest = path_ + kNewest;
  keep_file_as(newest, path_ + kPrevious);
  write_file_atomically(newest, checkpoint_bytes(checkpoint));
  log_debug("checkpoint " + newest + " at step " + std::to_string(checkpoint.progress.step));
}

void RunDir::clear(bool resumes) const {
  std::vector<std::string> files{summary_path(path_)};
  if (!resumes) files.insert(files.end(), {path_ + kPrevious, path_ + kNewest});
  for (const std::string& file : files) {
    std::error_code error;
    std::filesystem::remove(file, error);
    if (error) throw Error(file + " cannot be removed: " + error.message());
  }
}

}  // namespace mnist
