// A checkpoint: one file with everything that a run needs to go on as if it had never stopped.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mnist/engine/engine.hpp"
#include "mnist/options/train_options.hpp"
#include "mnist/train/progress.hpp"
#include "support/byte_reader.hpp"

namespace mnist {

/// Which data a run works on: the number of examples and Dataset::fingerprint() of both splits.
struct DataFacts {
  std::int64_t training_examples = 0;
  std::uint32_t training_crc32 = 0;
  std::int64_t test_examples = 0;
  std::uint32_t test_crc32 = 0;

  bool operator==(const DataFacts&) const = default;
};

/// What a checkpoint holds.
struct Checkpoint {
  TrainOptions options;
  DataFacts data;
  std::string engine;  ///< for people: Engine::description() of the engine that made it
  Progress progress;
  EngineState state;
};

/// The bytes of a safetensors file. Its tensors are "model.NAME", "first_moment.NAME",
/// "second_moment.NAME", and where there are such, "average.NAME" and "best.NAME", for the names of
/// the parameters; everything else is JSON in its metadata, under "mnist", with a CRC-32 of it all.
std::vector<std::uint8_t> checkpoint_bytes(const Checkpoint& checkpoint);

/// Reads those bytes. Throws Error that names `source` for a file that is damaged anywhere, is no
/// checkpoint, or has a newer format than this program knows.
Checkpoint read_checkpoint(Bytes file, const std::string& source);

/// Throws UsageError that names the flag when `wanted` differs from `stored` in something that
/// changes what is learned. More epochs are allowed.
void check_same_learning(const TrainOptions& stored, const TrainOptions& wanted);

/// Throws Error when a run that was begun on `stored` would go on with `found`.
void check_same_data(const DataFacts& stored, const DataFacts& found, const std::string& folder);

}  // namespace mnist
