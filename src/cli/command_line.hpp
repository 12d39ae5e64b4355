// Command lines: binds the option tables to CLI11.
#pragma once

#include <functional>
#include <string>

#include "mnist/options/train_options.hpp"
#include "options/program_options.hpp"

namespace mnist {

/// What the command line asks for: work, or only a text on standard output (help, versions,
/// configuration).
struct CommandLine {
  bool wants_work = true;
  std::string text;
};

/// Describes the libraries in use; called only for --version.
using VersionText = std::function<std::string()>;

/// How --resume reads stored runs, which the command line knows nothing about.
struct StoredRuns {
  /// Options of the run at `path`, with `run_dir` set to its directory. Throws Error.
  std::function<TrainOptions(const std::string& path)> load;
  /// Throws UsageError when `requested` would train differently than `stored`.
  std::function<void(const TrainOptions& stored, const TrainOptions& requested)> check;
};

/// Fills in and validates `options`: environment variables override the defaults, and flags
/// override both. Throws UsageError.
template <class Options>
CommandLine parse_command_line(int argc, const char* const* argv, const VersionText& version,
                               Options& options);

/// The same for mnist-train, where options from --config or --resume override the environment, and
/// flags override those.
CommandLine parse_command_line(int argc, const char* const* argv, const VersionText& version,
                               TrainOptions& options, const StoredRuns& stored_runs);

}  // namespace mnist
