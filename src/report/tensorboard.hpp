// Logs a run for TensorBoard: curves, histograms, images, options.
#pragma once

#include <cstdint>
#include <string>

#include "mnist/data/dataset.hpp"
#include "mnist/train/callback.hpp"
#include "support/bytes.hpp"
#include "support/protobuf.hpp"

namespace mnist {

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4).
std::uint32_t crc32c(Bytes bytes);

/// Writes an event file into a run directory: protobuf messages in TFRecord frames (length as u64,
/// masked CRC-32C of the length, data, masked CRC-32C of the data; TensorBoard ignores a truncated
/// last record). The x axis is the number of optimizer steps.
class TensorBoardCallback : public TrainingCallback {
 public:
  /// The images of the final mistakes come from `dataset`, the test set if it is evaluated; it must
  /// outlive this object. A run that resumes after step `first_step` makes TensorBoard discard all
  /// later events of earlier files. Throws Error that names the file,
  /// DIRECTORY/events.out.tfevents.TIME.HOST.PROCESS.
  TensorBoardCallback(const std::string& directory, const Dataset& dataset,
                      std::int64_t first_step);

  void on_start(const RunInfo& info) override;
  void on_epoch(const EpochReport& report) override;
  void on_end(const RunResult& result) override;

 private:
  /// Appends `event` (tensorflow/core/util/event.proto) and the current time.
  void add_event(ProtobufMessage event);
  void add_summary(std::int64_t step, const ProtobufMessage& summary);

  std::string path_;
  const Dataset& dataset_;
  std::int64_t epochs_ = 0;
  std::int64_t last_step_ = 0;
};

}  // namespace mnist
