// mnist-train: trains a network and writes it to a file.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/run_program.hpp"
#include "engine/torch/device.hpp"
#include "evaluate/check_fits.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/engine/make_engine.hpp"
#include "mnist/evaluate/evaluator.hpp"
#include "mnist/support/error.hpp"
#include "mnist/train/trainer.hpp"
#include "options/toml.hpp"
#include "report/console.hpp"
#include "report/metrics_file.hpp"
#include "report/run_warnings.hpp"
#include "report/tensorboard.hpp"
#include "serialize/model_writer.hpp"
#include "support/atomic_file.hpp"
#include "support/log.hpp"
#include "support/stop_signal.hpp"
#include "train/run_dir.hpp"

namespace mnist {
namespace {

/// What becomes of a run that was stopped by a signal; returns the exit code.
int say_stopped(const TrainOptions& options) {
  constexpr int kExitOfSignal = 128;
  log_info(options.run_dir.empty()
               ? "stopped; no model was written (a run with --run-dir can go on)"
               : "stopped; go on with: mnist-train --resume " + options.run_dir);
  return kExitOfSignal + waiting_stop_signal();
}

/// The examples of a run, and what they are for.
struct RunData {
  explicit RunData(const TrainOptions& options)
      : training(load_dataset(options.data, Split::kTrain)),
        test(load_dataset(options.data, Split::kTest)) {
    limit_examples(training, options.limit);
    facts = {training.count, training.fingerprint(), test.count, test.fingerprint()};
    auto split =
        split_rows(training.count, validation_examples(options, training.count), options.seed);
    training_rows = std::move(split.training);
    validation = select_rows(training, split.validation);
  }

  Dataset training;
  Dataset test;
  DataFacts facts;
  std::vector<std::int64_t> training_rows;
  Dataset validation;
};

/// Writes the model with what it is worth.
void save_trained(const TrainOptions& options, const RunData& data, const MlpShape& shape,
                  StateDict parameters, const Evaluation& result) {
  Model model{shape, std::move(parameters), data.training.class_names, {}};
  model.training["options"] = learning_options(options);
  model.training["data"] = {{"examples", data.facts.training_examples},
                            {"crc32", data.facts.training_crc32}};
  model.training["test_accuracy"] = result.accuracy();
  model.training["test_loss"] = result.loss;
  save_model(options.out, model);
}

/// Everyone who listens to a run.
class Listeners {
 public:
  /// `start` is where the run begins or goes on.
  Listeners(const TrainOptions& options, const Dataset& test, const Progress& start) {
    if (options.run_dir.empty()) return;
    all_.push_back(&metrics_.emplace(options.run_dir, start.epoch));
    all_.push_back(&tensorboard_.emplace(options.run_dir, test, start.step));
  }

  void start(Trainer& trainer, const RunFacts& facts) {
    for (RunObserver* observer : all_) {
      trainer.add_observer(*observer);
      observer->on_start(facts);
    }
  }
  /// `save` writes the model once everything else is written; the result is printed last.
  void end(const RunResult& result, const std::function<void()>& save) {
    for (RunObserver* observer : all_) {
      if (observer != &console_) observer->on_end(result);
    }
    save();
    console_.on_end(result);
  }

 private:
  ConsoleObserver console_;
  RunWarnings warnings_;
  std::optional<MetricsFile> metrics_;
  std::optional<TensorBoardObserver> tensorboard_;
  std::vector<RunObserver*> all_{&console_, &warnings_};
};

/// The options of the run that is to be resumed from `path`.
TrainOptions stored_options(const std::string& path) {
  TrainOptions options = load_checkpoint(path).options;
  options.run_dir = CheckpointPlace(path).folder;
  return options;
}

int train(const TrainOptions& options) {
  check_file_can_be_written(options.out);
  std::vector<std::string> remarks;  // said once nothing can be wrong with what was asked for
  const Notify notify = [&](const std::string& remark) { remarks.push_back(remark); };
  const std::string device = resolve_training_device(options.device, notify);
  const std::string evaluation_device = libtorch_device(device);
  prepare_libtorch(options.threads);
  std::optional<RunFolder> folder;
  std::optional<Checkpoint> checkpoint;
  if (!options.run_dir.empty()) folder.emplace(options.run_dir);
  if (!options.resume.empty()) checkpoint = load_checkpoint(options.resume);
  if (folder && !checkpoint) folder->check_may_start();

  const RunData data(options);
  if (checkpoint) check_same_data(checkpoint->data, data.facts, options.data);
  const MlpShape shape{data.training.pixels(), options.hidden, data.training.classes(),
                       options.activation};
  check_fits(shape, data.test, "the training split", options.data);
  const auto engine =
      make_engine(options, shape, initial_parameters(shape, options.seed, options.init),
                  data.training, device, notify);
  Trainer trainer(options, *engine, data.training_rows);
  if (checkpoint) {
    engine->restore(checkpoint->state);
    trainer.resume(checkpoint->progress);
  }
  trainer.set_should_stop([] { return waiting_stop_signal() != 0; });
  if (data.validation.count > 0) {
    trainer.set_validation([&](const StateDict& parameters) {
      const Evaluation evaluation = evaluate(shape, parameters, data.validation, evaluation_device);
      return Score{evaluation.loss, evaluation.accuracy()};
    });
  }

  const Progress start = checkpoint ? checkpoint->progress : Progress{};
  Listeners listeners(options, data.test, start);
  if (folder) {
    const auto save = [&](const Progress& progress) {
      folder->save({options, data.facts, engine->description(), progress, engine->state()});
    };
    trainer.set_save(save);
    if (!checkpoint) folder->remove_checkpoints();
    save(start);
  }
  for (const std::string& remark : remarks) log_info(remark);
  listeners.start(trainer, {options, shape, std::ssize(data.training_rows), data.validation.count,
                            engine->description(), libtorch_description()});

  TrainingResult trained;
  {
    const StopDelay delay;
    trained = trainer.run();
    if (waiting_stop_signal() != 0) return say_stopped(options);
  }
  const Evaluation result = evaluate(shape, trained.parameters, data.test, evaluation_device);
  listeners.end({result, trained.epochs, trained.kept_epoch, trained.last_batch_loss, options.out},
                [&] { save_trained(options, data, shape, std::move(trained.parameters), result); });
  return below_requirement(result, options.require_accuracy) ? kExitBelowRequiredAccuracy
                                                             : kExitSuccess;
}

}  // namespace
}  // namespace mnist

int main(int argc, char** argv) {
  using namespace mnist;
  return run_program<TrainOptions>(argc, argv, libtorch_description, train,
                                   StoredRuns{stored_options, check_same_learning});
}
