// Binds the tables of options to the command line, through CLI11.
#pragma once

#include <functional>
#include <string>

#include "mnist/options/train_options.hpp"
#include "options/eval_options.hpp"
#include "options/export_options.hpp"
#include "options/predict_options.hpp"

namespace mnist {

/// What the command line asks for: work, or just a text on standard output (help, version,
/// configuration) and success.
struct CommandLine {
  bool wants_work = true;
  std::string text;
};

/// Gives the versions of what the program is made of; called only for --version.
using VersionText = std::function<std::string()>;

/// Reads defaults, then environment variables, then the file of --config, then flags, each over the
/// one before, and validates the outcome. Only mnist-train has --config. Throws UsageError.
CommandLine parse_command_line(int argc, const char* const* argv, const VersionText& version,
                               TrainOptions& options);
CommandLine parse_command_line(int argc, const char* const* argv, const VersionText& version,
                               EvalOptions& options);
CommandLine parse_command_line(int argc, const char* const* argv, const VersionText& version,
                               PredictOptions& options);
CommandLine parse_command_line(int argc, const char* const* argv, const VersionText& version,
                               ExportOptions& options);

}  // namespace mnist
