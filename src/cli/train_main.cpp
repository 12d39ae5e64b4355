// mnist-train: trains a network and writes it to a file.
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/run_program.hpp"
#include "engine/torch/device.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/engine/make_engine.hpp"
#include "mnist/evaluate/evaluate.hpp"
#include "mnist/serialize/model_file.hpp"
#include "mnist/support/error.hpp"
#include "mnist/train/trainer.hpp"
#include "options/toml.hpp"
#include "report/console.hpp"
#include "report/metrics_file.hpp"
#include "report/run_warnings.hpp"
#include "report/tensorboard.hpp"
#include "support/files.hpp"
#include "support/log.hpp"
#include "support/stop_signal.hpp"
#include "train/run_dir.hpp"

namespace mnist {
namespace {

/// The data sets of a run, and which examples are for what.
struct RunData {
  explicit RunData(const TrainOptions& options)
      : training(load_dataset(options.data, Split::kTrain)),
        test(load_dataset(options.data, Split::kTest)) {
    limit_examples(training, options.limit);
    info = {training.count, training.fingerprint(), test.count, test.fingerprint()};
    auto split =
        split_indices(training.count, validation_examples(options, training.count), options.seed);
    training_indices = std::move(split.training);
    validation = select_examples(training, split.validation);
  }

  Dataset training;
  Dataset test;
  DataInfo info;
  std::vector<std::int64_t> training_indices;
  Dataset validation;
};

/// The callbacks of a run. The console prints the result last, once the model is written.
class Callbacks {
 public:
  /// `start` is where the run starts or resumes.
  Callbacks(const TrainOptions& options, const Dataset& test, const Progress& start) {
    if (options.run_dir.empty()) return;
    all_.push_back(&metrics_.emplace(options.run_dir, start.epoch));
    all_.push_back(&tensorboard_.emplace(options.run_dir, test, start.step));
  }

  void start(Trainer& trainer, const RunInfo& info) {
    for (TrainingCallback* callback : all_) {
      trainer.add_callback(*callback);
      callback->on_start(info);
    }
  }

  void end(const RunResult& result, const std::function<void()>& write_model) {
    for (TrainingCallback* callback : all_) {
      if (callback != &console_) callback->on_end(result);
    }
    write_model();
    console_.on_end(result);
  }

 private:
  ConsoleCallback console_;
  RunWarnings warnings_;
  std::optional<MetricsFile> metrics_;
  std::optional<TensorBoardCallback> tensorboard_;
  std::vector<TrainingCallback*> all_{&console_, &warnings_};
};

/// The options of the run that is to be resumed from `path`.
TrainOptions stored_options(const std::string& path) {
  TrainOptions options = load_checkpoint(path).options;
  options.run_dir = CheckpointPath(path).directory;
  return options;
}

void write_trained(const TrainOptions& options, const RunData& data, Mlp mlp,
                   const Evaluation& result) {
  Model model{std::move(mlp), data.training.class_names, {}};
  model.training["options"] = learning_options(options);
  model.training["data"] = {{"examples", data.info.training_examples},
                            {"crc32", data.info.training_crc32}};
  model.training["test_accuracy"] = result.accuracy();
  // LibTorch's logits depend on its number of threads in the last bits; the file must not.
  model.training["test_loss"] = std::round(result.loss * 1e6) / 1e6;
  write_model(options.out, model);
}

/// Reports that a signal stopped the run; returns the exit code.
int report_stopped(const TrainOptions& options) {
  log_info(options.run_dir.empty()
               ? "stopped; no model was written (with --run-dir, a run can be resumed)"
               : "stopped; to resume: mnist-train --resume " + options.run_dir);
  return kExitSignalBase + waiting_stop_signal();
}

int train(const TrainOptions& options) {
  // Everything that can be wrong with the request is checked before the data are read.
  check_file_can_be_written(options.out);
  const std::string device = training_device(options);
  const std::string evaluate_on = evaluation_device(device);
  prepare_libtorch(options.threads);
  std::optional<RunDir> run_dir;
  std::optional<Checkpoint> checkpoint;
  if (!options.run_dir.empty()) run_dir.emplace(options.run_dir);
  if (!options.resume.empty()) checkpoint = load_checkpoint(options.resume);
  if (run_dir && !checkpoint) run_dir->check_may_start();

  const RunData data(options);
  if (checkpoint) check_same_data(checkpoint->data, data.info, options.data);
  const MlpShape shape{data.training.pixels(), options.hidden, data.training.classes(),
                       options.activation};
  check_fits(shape, data.test, "the training split", options.data);
  const Mlp initial = initial_parameters(shape, options.seed, options.init);
  const auto engine = make_engine(options, device, initial, data.training, log_info);
  Trainer trainer(options, *engine, data.training_indices);
  trainer.set_should_stop([] { return waiting_stop_signal() != 0; });
  if (data.validation.count > 0) {
    const auto validate = device_evaluator(data.validation, evaluate_on);
    trainer.set_validation([validate](const Mlp& mlp) {
      const Evaluation evaluation = validate(mlp);
      return Score{evaluation.loss, evaluation.accuracy()};
    });
  }

  Progress start;
  if (checkpoint) {
    engine->restore(checkpoint->state);
    trainer.resume(checkpoint->progress);
    start = checkpoint->progress;
  }
  Callbacks callbacks(options, data.test, start);
  if (run_dir) {
    const auto save = [&](const Progress& progress) {
      run_dir->save({options, data.info, engine->description(), progress, engine->state()});
    };
    trainer.set_save(save);
    if (!checkpoint) run_dir->remove_checkpoints();
    save(start);
  }
  callbacks.start(trainer, {options, shape, std::ssize(data.training_indices),
                            data.validation.count, engine->description(), libtorch_description()});

  TrainingResult trained;
  {
    const StopDelay delay;
    trained = trainer.run();
    if (waiting_stop_signal() != 0) return report_stopped(options);
  }
  const Evaluation result = device_evaluator(data.test, evaluate_on)(trained.mlp);
  callbacks.end({result, trained.epochs, trained.kept_epoch, trained.last_batch_loss, options.out},
                [&] { write_trained(options, data, std::move(trained.mlp), result); });
  return check_accuracy(result, options.require_accuracy);
}

}  // namespace
}  // namespace mnist

int main(int argc, char** argv) {
  using namespace mnist;
  return run_program<TrainOptions>(argc, argv, libtorch_description, train,
                                   StoredRuns{stored_options, check_resumable});
}
