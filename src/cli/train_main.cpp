// mnist-train: trains a network and writes it to a file.
#include <optional>

#include "mnist/cli/run_program.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/engine/device.hpp"
#include "mnist/engine/make_engine.hpp"
#include "mnist/evaluate/evaluator.hpp"
#include "mnist/model/model_file.hpp"
#include "mnist/options/toml.hpp"
#include "mnist/report/console.hpp"
#include "mnist/report/log.hpp"
#include "mnist/report/metrics_file.hpp"
#include "mnist/support/atomic_file.hpp"
#include "mnist/support/error.hpp"
#include "mnist/train/trainer.hpp"

namespace mnist {
namespace {

int train(const TrainOptions& options) {
  check_file_can_be_written(options.out);
  const std::string device = resolve_device(options.device);
  prepare_libtorch(options.threads);

  Dataset training = load_dataset(options.data, Split::kTrain);
  const Dataset test = load_dataset(options.data, Split::kTest);
  limit_examples(training, options.limit);
  const auto [training_rows, validation_rows] =
      split_rows(training.count, validation_examples(options, training.count), options.seed);
  const Dataset validation = select_rows(training, validation_rows);

  const MlpShape shape{training.pixels(), options.hidden, training.classes(), options.activation};
  check_fits(shape, test, "the training split", options.data);
  const auto engine = make_engine(
      options, shape, initial_parameters(shape, options.seed, options.init), training, device);

  ConsoleObserver console;
  std::vector<RunObserver*> observers{&console};
  std::optional<MetricsFile> metrics;
  if (!options.run_dir.empty()) observers.push_back(&metrics.emplace(options.run_dir));

  Trainer trainer(options, *engine, training_rows);
  for (RunObserver* observer : observers) {
    trainer.add_observer(*observer);
    observer->on_start({options, shape, std::ssize(training_rows), validation.count,
                        engine->description(), libtorch_description()});
  }
  if (validation.count > 0) {
    trainer.set_validation([&](const StateDict& parameters) {
      const Evaluation evaluation = evaluate(shape, parameters, validation, device);
      return Score{evaluation.loss, evaluation.accuracy()};
    });
  }
  TrainingResult trained = trainer.run();

  Model model{shape, std::move(trained.parameters), training.class_names, {}};
  const Evaluation result = evaluate(shape, model.parameters, test, device);
  model.training["options"] = learning_options(options);
  model.training["data"] = {{"examples", training.count}, {"crc32", training.fingerprint()}};
  model.training["test_accuracy"] = result.accuracy();
  model.training["test_loss"] = result.loss;
  save_model(options.out, model);
  for (RunObserver* observer : observers) {
    observer->on_end({result, trained.last, trained.kept_epoch, options.out});
  }
  return below_requirement(result, options.require_accuracy) ? kExitBelowRequiredAccuracy
                                                             : kExitSuccess;
}

}  // namespace
}  // namespace mnist

int main(int argc, char** argv) {
  using namespace mnist;
  return run_program<TrainOptions>("mnist-train", argc, argv, libtorch_description, train);
}
