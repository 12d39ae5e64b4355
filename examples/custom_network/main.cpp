// A program that uses mnist-trainer as a library: a network of its own, trained by the fused CPU
// engine, and a callback that records the learning curve.
//
// usage: custom_network [DATA_DIRECTORY]   (default: data/mnist-subset)
//
// Writes one CSV line an epoch and, at the end, the test accuracy to standard output.
#include <exception>
#include <iostream>
#include <memory>
#include <string>

#include "mnist/data/dataset.hpp"
#include "mnist/engine/make_engine.hpp"
#include "mnist/evaluate/evaluate.hpp"
#include "mnist/model/mlp.hpp"
#include "mnist/options/train_options.hpp"
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

void run(const std::string& directory) {
  const std::string device = "cpu";
  mnist::TrainOptions options;  // the defaults are those of mnist-train
  options.hidden = {64, 32};
  options.epochs = 5;
  options.validation = 0.1;  // a fraction of the training examples
  options.dropout = {0.1};
  options.engine = mnist::EngineKind::kFused;
  options.device = device;
  mnist::validate(options);

  const mnist::Dataset training = mnist::load_dataset(directory, mnist::Split::kTrain);
  const mnist::Dataset test = mnist::load_dataset(directory, mnist::Split::kTest);
  const auto held_out = mnist::validation_examples(options, training.count);
  const auto split = mnist::split_rows(training.count, held_out, options.seed);
  const mnist::Dataset validation = mnist::select_rows(training, split.validation);

  mnist::MlpShape shape;
  shape.inputs = training.pixels();
  shape.hidden = options.hidden;
  shape.classes = training.classes();
  const auto engine =
      mnist::make_engine(options, shape, mnist::initial_parameters(shape, options.seed), training,
                         device, [](const std::string& notice) { std::cerr << notice << '\n'; });

  LearningCurve curve;
  mnist::Trainer trainer(options, *engine, split.training);
  trainer.add_callback(curve);
  trainer.set_validation([&](const mnist::StateDict& parameters) {
    const auto result = mnist::evaluate(shape, parameters, validation, device);
    return mnist::Score{result.loss, result.accuracy()};
  });
  const mnist::TrainingResult trained = trainer.run();

  const auto result = mnist::evaluate(shape, trained.parameters, test, device);
  std::cout << "test accuracy " << 100 * result.accuracy() << " % with " << engine->description()
            << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc > 1 ? argv[1] : "data/mnist-subset");
  } catch (const std::exception& error) {
    std::cerr << "custom_network: error: " << error.what() << std::endl;
    return 1;
  }
  return 0;
}
