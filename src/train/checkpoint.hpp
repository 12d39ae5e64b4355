// Checkpoints: one file with all that a run needs to resume with identical results.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mnist/engine/engine.hpp"
#include "mnist/options/train_options.hpp"
#include "mnist/train/trainer.hpp"
#include "support/bytes.hpp"

namespace mnist {

/// Identifies the data of a run: number of examples and Dataset::fingerprint() of both splits. With
/// --no-test, those of the test split are 0.
struct DataInfo {
  std::int64_t training_examples = 0;
  std::uint32_t training_crc32 = 0;
  std::int64_t test_examples = 0;
  std::uint32_t test_crc32 = 0;

  bool operator==(const DataInfo&) const = default;
};

struct Checkpoint {
  TrainOptions options;
  DataInfo data;
  std::string engine;  ///< Engine::description()
  Progress progress;
  EngineState state;
};

/// The bytes of a safetensors file. Its tensors are "model.NAME", "first_moment.NAME",
/// "second_moment.NAME", and, if present, "average.NAME" and "best.NAME", for the names of
/// the parameters; the rest is JSON in its metadata, under "mnist", with a CRC-32 over everything.
std::vector<std::uint8_t> checkpoint_bytes(const Checkpoint& checkpoint);

/// Fuzz targets ignore the checksum, because random bytes would hardly ever get past it.
enum class Checksum { kVerify, kIgnore };

/// The inverse. Throws Error that names `source` when the file is damaged anywhere, is not a
/// checkpoint, or has a newer format.
Checkpoint read_checkpoint(Bytes file, const std::string& source,
                           Checksum checksum = Checksum::kVerify);

/// Throws Error when a run that started on `stored` would resume on other data, `found` in
/// `directory`.
void check_same_data(const DataInfo& stored, const DataInfo& found, const std::string& directory);

}  // namespace mnist
