// mnist-train: trains a network and writes it to a file.
#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/launched.hpp"
#include "cli/run_program.hpp"
#include "data/image_exchange.hpp"
#include "engine/torch/device.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/engine/make_engine.hpp"
#include "mnist/evaluate/evaluate.hpp"
#include "mnist/serialize/model_file.hpp"
#include "mnist/train/trainer.hpp"
#include "options/option_differences.hpp"
#include "options/toml.hpp"
#include "report/console.hpp"
#include "report/metrics_file.hpp"
#include "report/run_warnings.hpp"
#include "report/summary.hpp"
#include "report/tensorboard.hpp"
#include "support/cpu_target.hpp"
#include "support/files.hpp"
#include "support/log.hpp"
#include "support/stop_signal.hpp"
#include "support/text.hpp"
#include "train/checkpoint.hpp"
#include "train/run_dir.hpp"

namespace mnist {
namespace {

/// The datasets of a run, and the role of each example. Each process loads a part of the training
/// images.
struct RunData {
  RunData(const TrainOptions& options, Communicator& processes)
      : training(load_dataset(options.data, Split::kTrain, part_of(processes))) {
    limit_examples(training, options.limit);
    with_source(options.data, [&] { check_same_data(training, processes); });
    shape = {training.pixels(), options.hidden, training.classes(), options.activation};
    if (!options.no_test) test = load_dataset(options.data, Split::kTest);
    if (test) check_fits(shape, *test, "the training split", options.data);
    info = {training.count, fingerprint(training, processes), test ? test->count : 0,
            test ? test->fingerprint() : 0};
    auto split =
        split_indices(training.count, validation_examples(options, training.count), options.seed);
    training_indices = std::move(split.training);
    validation = select_examples(training, split.validation, processes);
  }

  Dataset training;
  MlpShape shape;
  std::optional<Dataset> test;
  DataInfo info;
  std::vector<std::int64_t> training_indices;
  Dataset validation;
};

using Callbacks = std::vector<std::unique_ptr<TrainingCallback>>;

/// The callbacks of a run that starts or resumes at `start`.
Callbacks make_callbacks(const TrainOptions& options, const RunData& data, const Progress& start) {
  Callbacks callbacks;
  callbacks.push_back(std::make_unique<ConsoleCallback>());
  callbacks.push_back(std::make_unique<RunWarnings>());
  if (options.run_dir.empty()) return callbacks;
  callbacks.push_back(std::make_unique<MetricsFile>(options.run_dir, start.epoch));
  callbacks.push_back(std::make_unique<TensorBoardCallback>(
      options.run_dir, data.test ? *data.test : data.training, start.step));
  return callbacks;
}

using Evaluator = std::function<Evaluation(const Mlp&)>;

/// Evaluates on `dataset`, which must outlive it. LibTorch selects its kernels by CPU; with
/// --cpu-target, plain C++ gives the same result on all of them.
Evaluator make_evaluator(const Dataset& dataset, const TrainOptions& options,
                         const std::string& device) {
  if (options.cpu_target != "auto") {
    return [&dataset](const Mlp& mlp) { return evaluate(mlp, dataset); };
  }
  return device_evaluator(dataset, evaluation_device(device));
}

/// Scores networks on the held-out examples; empty if there are none.
Validate make_validation(const Dataset& held_out, const TrainOptions& options,
                         const std::string& device) {
  if (held_out.count == 0) return {};
  return [evaluator = make_evaluator(held_out, options, device)](const Mlp& mlp) {
    const Evaluation evaluation = evaluator(mlp);
    return Score{evaluation.loss, evaluation.accuracy()};
  };
}

RunInfo run_info(const TrainOptions& options, const RunData& data, const Engine& engine,
                 const std::string& device) {
  return {options,
          data.shape,
          std::ssize(data.training_indices),
          data.validation.count,
          engine.description(),
          device,
          engine.threads(),
          libtorch_description()};
}

void write_trained(const TrainOptions& options, const RunData& data, Mlp mlp,
                   const std::optional<Evaluation>& test) {
  Model model{std::move(mlp), data.training.class_names, {}};
  model.training["options"] = learning_options(options);
  model.training["data"] = {{"examples", data.info.training_examples},
                            {"crc32", data.info.training_crc32}};
  if (test) {
    model.training["test_accuracy"] = test->accuracy();
    // LibTorch's logits depend on its number of threads in the last bits; the model file must not.
    model.training["test_loss"] = std::round(test->loss * 1e6) / 1e6;
  }
  write_model(options.model_path(), model);
}

/// Prints the summary of a complete run; returns the exit code.
int report_complete(const TrainOptions& options, const nlohmann::ordered_json& summary) {
  if (options.json) log_info(summary_text(summary));
  print_result((options.json ? json_text(summary) : summary_text(summary)) + "\n");
  if (options.require_accuracy == 0) return kExitSuccess;
  return check_accuracy(summary.at("test_accuracy").get<double>(), options.require_accuracy);
}

/// Reports that `signal` stopped the run; returns the exit code.
int report_stopped(const TrainOptions& options, int signal) {
  log_info(options.run_dir.empty()
               ? "stopped; no model was written (with --run-dir, a run can be resumed)"
               : "stopped; to resume: mnist-train --resume " + options.run_dir);
  return kExitSignalBase + signal;
}

/// Tests the trained network, and writes it and the summary; returns the exit code.
int finish(const RunInfo& info, const RunData& data, TrainingResult trained, StepProfile profile,
           const Validate& validate, const Callbacks& callbacks) {
  const TrainOptions& options = info.options;
  RunResult result{std::move(trained), {}, {}, options.model_path(), std::move(profile)};
  Mlp& mlp = result.training.mlp;
  if (data.test) result.test = make_evaluator(*data.test, options, info.device)(mlp);
  if (validate) result.validation = validate(mlp);
  for (const auto& callback : callbacks) callback->on_end(result);
  write_trained(options, data, std::move(mlp), result.test);
  const auto summary = run_summary(info, data.info, result);
  if (!options.run_dir.empty()) write_summary(options.run_dir, summary);
  return report_complete(options, summary);
}

/// Sends what assist() needs to the other processes.
template <class Bytes>
void broadcast(Communicator& processes, const Bytes& content) {
  std::vector<std::uint8_t> bytes(content.begin(), content.end());
  processes.broadcast(bytes);
}

/// Trains as process 0 does, with its options and from its state, but reports and writes nothing.
int assist(Communicator& processes, const std::string& message) {
  TrainOptions options;
  read_toml(message, "options", options);
  options.no_test = true;
  use_cpu_target(options.cpu_target);
  prepare_libtorch(options.threads);
  const RunData data(options, processes);
  const Mlp initial = initial_parameters(data.shape, options.seed, options.init);
  const auto engine = make_engine(options, "cpu", initial, data.training, [](auto&) {}, processes);
  std::vector<std::uint8_t> bytes;
  processes.broadcast(bytes);
  const Checkpoint start = read_checkpoint(bytes, "the state of process 0");
  engine->restore(start.state);
  Trainer trainer(options, *engine, data.training_indices);
  train_together(trainer, processes, data.validation.count > 0, nullptr);
  trainer.resume(start.progress);
  trainer.run();
  const int signal = stop_signal_of_any(processes);
  if (signal != 0) return kExitSignalBase + signal;
  check_same_parameters(*engine, processes);
  return kExitSuccess;
}

/// Whether the model file is in the run directory, or in one above it: these are created together.
bool model_is_in_run_dir(const TrainOptions& options) {
  if (options.run_dir.empty()) return false;
  const auto run_dir = std::filesystem::absolute(options.run_dir).lexically_normal();
  const auto model = std::filesystem::absolute(options.model_path()).lexically_normal();
  return *run_dir.lexically_relative(model.parent_path()).begin() != "..";
}

int train(const TrainOptions& options, Communicator& processes) {
  // The whole request is validated before any data is read.
  const std::string device = training_device(options, processes.size());
  const bool distributed = processes.size() > 1;
  use_cpu_target(options.cpu_target);
  prepare_libtorch(options.threads);
  std::optional<RunDir> run_dir;
  std::optional<Checkpoint> checkpoint;
  const bool model_in_run_dir = model_is_in_run_dir(options);
  // First, where possible: a wrong --out should leave no run directory behind.
  if (!model_in_run_dir) check_file_can_be_written(options.model_path());
  if (!options.run_dir.empty()) run_dir.emplace(options.run_dir);
  if (model_in_run_dir) check_file_can_be_written(options.model_path());
  if (!options.resume.empty()) checkpoint = load_checkpoint(options.resume);
  if (run_dir && !checkpoint) run_dir->check_may_start();
  if (distributed) broadcast(processes, to_toml(options));

  const RunData data(options, processes);
  if (checkpoint) check_same_data(checkpoint->data, data.info, options.data);
  const Mlp initial = initial_parameters(data.shape, options.seed, options.init);
  const auto engine = make_engine(options, device, initial, data.training, log_info, processes);
  Trainer trainer(options, *engine, data.training_indices);
  const Validate validate = make_validation(data.validation, options, device);
  train_together(trainer, processes, data.validation.count > 0, validate);

  Progress start;
  if (checkpoint) {
    engine->restore(checkpoint->state);
    trainer.resume(checkpoint->progress);
    start = checkpoint->progress;
  }
  const Callbacks callbacks = make_callbacks(options, data, start);
  const auto checkpoint_of = [&](const Progress& progress) {
    return Checkpoint{options, data.info, engine->description(), progress, engine->state()};
  };
  if (run_dir) {
    trainer.set_save([&](const Progress& progress) { run_dir->save(checkpoint_of(progress)); });
    run_dir->clear(checkpoint.has_value());
    run_dir->save(checkpoint_of(start));
  }
  if (distributed) broadcast(processes, checkpoint_bytes(checkpoint_of(start)));
  RunInfo info = run_info(options, data, *engine, device);
  for (const auto& callback : callbacks) {
    trainer.add_callback(*callback);
    callback->on_start(info);
  }

  TrainingResult trained;
  {
    const StopDelay delay;
    trained = trainer.run();
    const int signal = stop_signal_of_any(processes);
    if (signal != 0) return report_stopped(options, signal);
    if (distributed) check_same_parameters(*engine, processes);
  }
  info.engine = engine->description();
  info.threads = engine->threads();
  return finish(info, data, std::move(trained), engine->profile(), validate, callbacks);
}

/// With --auto-resume: starts the run in the run directory, resumes it, or only reports it.
int train_or_resume(const TrainOptions& options, Communicator& processes) {
  if (!options.auto_resume) return train(options, processes);
  const auto stored = find_run(options.run_dir);
  if (!stored) return train(options, processes);
  check_same_command(*stored, options);
  if (const auto summary = read_summary(options.run_dir)) return report_complete(options, *summary);
  TrainOptions resumed = options;
  resumed.resume = options.run_dir;
  return train(resumed, processes);
}

}  // namespace
}  // namespace mnist

int main(int argc, char** argv) {
  using namespace mnist;
  const auto lead = [&](Communicator& processes) {
    return run_program<TrainOptions>(
        argc, argv,
        [&](const TrainOptions& options) { return train_or_resume(options, processes); },
        libtorch_description);
  };
  if (const auto launch = find_launch()) return run_launched(*launch, lead, assist);
  return lead(single_process());
}
