// What differs between the options of two runs.
#pragma once

#include <string>
#include <vector>

#include "mnist/options/train_options.hpp"
#include "options/shared_options.hpp"

namespace mnist {

struct OptionDifference {
  OptionInfo info;
  std::string before;  ///< as option_text()
  std::string after;
};

/// The options that differ, in the order of --help.
std::vector<OptionDifference> option_differences(const TrainOptions& before,
                                                 const TrainOptions& after);

/// The options that are not the defaults, as flags: "--epochs 3 --quiet"; "all defaults" for none.
std::string changed_options(const TrainOptions& options);

/// For --resume. Throws UsageError that names the flag when `wanted` differs from `stored` in an
/// option that changes what is learned, or in the run directory. More epochs are allowed.
void check_resumable(const TrainOptions& stored, const TrainOptions& wanted);

/// For --auto-resume, which repeats the command line of the run. Throws UsageError that names each
/// option that could change the outcome and differs, with both values.
void check_same_command(const TrainOptions& stored, const TrainOptions& wanted);

}  // namespace mnist
