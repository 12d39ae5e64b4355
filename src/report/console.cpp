// The wording and layout of the console output.
#include "report/console.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <spdlog/fmt/fmt.h>

#include "mnist/support/version.hpp"
#include "options/option_differences.hpp"
#include "serialize/state_dict.hpp"
#include "support/log.hpp"
#include "support/machine.hpp"
#include "support/text.hpp"

namespace mnist {

void ConsoleCallback::on_start(const RunInfo& info) {
  epochs_ = info.options.epochs;
  classes_ = info.shape.classes;
  log_info(fmt::format("{}, {}; {}; {}", program_version(), info.libtorch, info.engine,
                       processor_name()));
  log_info(parameter_table_text(info.shape));
  log_info("options: " + changed_options(info.options));
  std::string examples = with_thousands(info.training_examples) + " training examples";
  if (info.validation_examples > 0) {
    examples += ", " + with_thousands(info.validation_examples) + " held out for validation";
  }
  log_info(examples);
}

void ConsoleCallback::on_progress(const ProgressReport& report) {
  if (shows_first_loss_ && report.epoch == 1) {
    log_info(first_loss_text(report.first_batch_loss, classes_));
  }
  shows_first_loss_ = false;
  constexpr std::chrono::milliseconds kProgressInterval{100};
  const auto now = std::chrono::steady_clock::now();
  if (!shows_progress() || now - last_progress_ < kProgressInterval) return;
  last_progress_ = now;
  show_progress(progress_text(report, epochs_));
}

void ConsoleCallback::on_epoch(const EpochReport& report) {
  std::string line = fmt::format("epoch {:>{}}/{}  loss {:.4f}  accuracy {:.2f} %", report.epoch,
                                 std::to_string(epochs_).size(), epochs_, report.training.loss,
                                 100 * report.training.accuracy);
  if (report.validation) {
    line += fmt::format("  validation loss {:.4f}  accuracy {:.2f} %", report.validation->loss,
                        100 * report.validation->accuracy);
  }
  line += fmt::format("  {:.2f} s  {} images/s", report.seconds,
                      with_thousands(static_cast<std::int64_t>(report.images_per_second)));
  log_info(line);
  std::string norms;
  for (const auto& [name, norm] : report.gradient_norm) {
    norms += fmt::format("  {} {:.3g}", name, norm);
  }
  log_debug(fmt::format("  learning rate {:.3g}, threads {}, peak memory {} MB, gradient norms{}",
                        report.learning_rate, report.threads, report.peak_memory_bytes / 1'000'000,
                        norms));
}

void ConsoleCallback::on_end(const RunResult& result) {
  if (!result.profile.phases.empty()) log_info(profile_text(result.profile));
  const std::int64_t kept = result.training.kept_epoch;
  if (kept != result.training.epochs) {
    log_info(fmt::format("kept epoch {}: validation did not improve in the {} epochs after it",
                         kept, result.training.epochs - kept));
  }
}

std::string first_loss_text(double loss, std::int64_t classes) {
  return fmt::format("first minibatch: loss {:.4f} (ln {} = {:.4f} when guessing)", loss, classes,
                     std::log(classes));
}

std::string progress_text(const ProgressReport& report, std::int64_t epochs) {
  const auto done = static_cast<double>(report.examples);
  const auto epoch_examples = static_cast<double>(report.epoch_examples);
  const double rate = report.seconds > 0 ? done / report.seconds : 0;
  const double left = epoch_examples * static_cast<double>(epochs - report.epoch + 1) - done;
  std::string text =
      fmt::format("epoch {:>{}}/{}  {:>3.0f} %  loss {:.4f}", report.epoch,
                  std::to_string(epochs).size(), epochs, 100 * done / epoch_examples, report.loss);
  if (rate <= 0) return text;
  const auto seconds = std::llround(left / rate);
  return text + fmt::format("  {} images/s  {}:{:02} left",
                            with_thousands(static_cast<std::int64_t>(rate)), seconds / 60,
                            seconds % 60);
}

std::string profile_text(const StepProfile& profile) {
  const auto row = [&](const std::string& name, const std::vector<double>& seconds) {
    std::string text = fmt::format("\n  {:<34}", name);
    for (const double total : seconds) {
      text += fmt::format("  {:>9.1f}", total / static_cast<double>(profile.steps) * 1e6);
    }
    return text;
  };
  std::vector<double> totals(profile.phases.front().seconds.size());
  std::string text = fmt::format("microseconds per step, {} steps\n  {:<34}",
                                 with_thousands(profile.steps), "phase");
  for (std::size_t t = 1; t <= totals.size(); ++t) text += fmt::format("  thread {:>2}", t);
  for (const auto& [name, seconds] : profile.phases) {
    text += row(name, seconds);
    std::ranges::transform(totals, seconds, totals.begin(), std::plus{});
  }
  return text + row("all", totals);
}

std::string parameter_table_text(const MlpShape& shape) {
  std::string text = "network " + to_string(shape);
  for (const ParameterInfo& parameter : parameter_table(shape)) {
    text += fmt::format("\n  {:<10} {:<12} {:>9}", parameter.name, shape_text(parameter.shape),
                        with_thousands(parameter.count));
  }
  return text + fmt::format("\n  {:<10} {:<12} {:>9}", "parameters", "",
                            with_thousands(parameter_count(shape)));
}

}  // namespace mnist
