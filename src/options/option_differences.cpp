// Compares options by their text.
#include "options/option_differences.hpp"

#include "mnist/support/error.hpp"
#include "options/option_text.hpp"
#include "options/train_option_table.hpp"

namespace mnist {

std::vector<OptionDifference> option_differences(const TrainOptions& before,
                                                 const TrainOptions& after) {
  std::vector<OptionDifference> rows;
  for_each_option(before, [&](const auto& value, const OptionInfo& info) {
    rows.push_back({info, option_text(value), {}});
  });
  std::size_t i = 0;
  for_each_option(
      after, [&](const auto& value, const OptionInfo&) { rows[i++].after = option_text(value); });
  std::erase_if(rows, [](const OptionDifference& row) { return row.before == row.after; });
  return rows;
}

std::string changed_options(const TrainOptions& options) {
  std::string text;
  for (const auto& [info, unchanged, value] : option_differences({}, options)) {
    text += (text.empty() ? "" : " ") + info.flag() + (info.is_switch() ? "" : " " + value);
  }
  return text.empty() ? "all defaults" : text;
}

void check_resumable(const TrainOptions& stored, const TrainOptions& wanted) {
  for (const auto& [info, before, after] : option_differences(stored, wanted)) {
    const std::string flag = info.flag() + " " + after;
    if (info.name == "run-dir") {
      throw UsageError(flag + " cannot be combined with --resume, which continues in " + before +
                       "; to fork the run, copy that directory and resume the copy");
    }
    if (info.scope != OptionScope::kLearning) continue;
    if (info.name != "epochs") {
      throw UsageError(flag + " contradicts --resume: the run has " + before +
                       "; leave the flag out, or start a new run without --resume");
    }
    if (wanted.epochs < stored.epochs) {
      throw UsageError(flag + " contradicts --resume: the run has " + before +
                       "; epochs can only be added");
    }
  }
}

void check_same_command(const TrainOptions& stored, const TrainOptions& wanted) {
  const auto shown = [](const std::string& value) { return value.empty() ? "unset" : value; };
  std::string differences;
  for (const auto& [info, before, after] : option_differences(stored, wanted)) {
    if (info.scope == OptionScope::kRuntime) continue;
    differences += (differences.empty() ? "" : ", ") + info.flag() + " is " + shown(after) +
                   ", the run has " + shown(before);
  }
  if (differences.empty()) return;
  throw UsageError("--auto-resume: " + differences +
                   "; repeat the options of the run, or use another --run-dir");
}

}  // namespace mnist
