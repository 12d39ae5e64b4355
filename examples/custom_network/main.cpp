// A program that uses mnist-trainer as a library: its own network, trained by the fused CPU engine,
// and a callback that prints the learning curve.
//
// usage: custom_network [DATA_DIRECTORY [MODEL_FILE]]   (defaults: data/mnist-subset custom.pt)
//
// Prints one line of CSV per epoch and, at the end, the test accuracy; then writes the model.
#include <exception>
#include <iostream>
#include <memory>
#include <string>

#include "mnist/data/dataset.hpp"
#include "mnist/engine/make_engine.hpp"
#include "mnist/evaluate/evaluate.hpp"
#include "mnist/model/mlp.hpp"
#include "mnist/options/train_options.hpp"
#include "mnist/serialize/model_file.hpp"
#include "mnist/train/callback.hpp"
#include "mnist/train/trainer.hpp"

namespace {

/// Prints the learning curve as CSV. A callback overrides only what it needs.
class LearningCurve : public mnist::TrainingCallback {
 public:
  void on_epoch(const mnist::EpochReport& report) override {
    if (report.epoch == 1) std::cout << "epoch,training_loss,validation_accuracy\n";
    std::cout << report.epoch << ',' << report.training.loss << ',' << report.validation->accuracy
              << std::endl;
  }
};

void run(const std::string& directory, const std::string& model_path) {
  mnist::TrainOptions options;  // the defaults are those of mnist-train
  options.hidden = {64, 32};
  options.epochs = 5;
  options.validation = 0.1;  // a fraction of the training examples
  options.dropout = {0.1};
  options.engine = mnist::EngineKind::kFused;
  options.device = "cpu";
  mnist::validate(options);

  const mnist::Dataset training = mnist::load_dataset(directory, mnist::Split::kTrain);
  const mnist::Dataset test = mnist::load_dataset(directory, mnist::Split::kTest);
  const auto held_out = mnist::validation_examples(options, training.count);
  const auto split = mnist::split_indices(training.count, held_out, options.seed);
  const mnist::Dataset validation = mnist::select_examples(training, split.validation);

  mnist::MlpShape shape;
  shape.inputs = training.pixels();
  shape.hidden = options.hidden;
  shape.classes = training.classes();
  const mnist::Mlp initial = mnist::initial_parameters(shape, options.seed);
  const auto notify = [](const std::string& notice) { std::cerr << notice << '\n'; };
  const auto engine =
      mnist::make_engine(options, mnist::training_device(options), initial, training, notify);

  LearningCurve curve;
  mnist::Trainer trainer(options, *engine, split.training);
  trainer.add_callback(curve);
  const auto validate = mnist::device_evaluator(validation, "cpu");
  trainer.set_validation([&](const mnist::Mlp& mlp) {
    const mnist::Evaluation result = validate(mlp);
    return mnist::Score{result.loss, result.accuracy()};
  });
  const mnist::TrainingResult trained = trainer.run();

  const mnist::Evaluation result = mnist::evaluate(trained.mlp, test);
  std::cout << "test accuracy " << 100 * result.accuracy() << " % with " << engine->description()
            << std::endl;
  mnist::write_model(model_path, {trained.mlp, training.class_names, {}});
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc > 1 ? argv[1] : "data/mnist-subset", argc > 2 ? argv[2] : "custom.pt");
  } catch (const std::exception& error) {
    std::cerr << "custom_network: error: " << error.what() << std::endl;
    return 1;
  }
  return 0;
}
