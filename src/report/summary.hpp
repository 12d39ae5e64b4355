// The summary of a complete run: summary.json, and the text that mnist-train prints.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "mnist/train/callback.hpp"
#include "train/checkpoint.hpp"

namespace mnist {

/// Accuracies are 0 to 1; values that were not measured are null.
nlohmann::ordered_json run_summary(const RunInfo& info, const DataInfo& data,
                                   const RunResult& result);

/// Writes DIRECTORY/summary.json, whose existence means that the run is complete. Throws Error.
void write_summary(const std::string& directory, const nlohmann::ordered_json& summary);

/// Reads that file; nullopt if it does not exist. Throws Error if it is damaged.
std::optional<nlohmann::ordered_json> read_summary(const std::string& directory);

/// "test accuracy 97.49 % (...), test loss 0.1337, last-batch loss 0.0000" and the model's path.
std::string summary_text(const nlohmann::ordered_json& summary);

}  // namespace mnist
