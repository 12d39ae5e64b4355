// Saves an initial model, trains it for some steps with the reference engine, and prints example
// indices and losses as JSON, so that Python can repeat the same steps.
//
// usage: reference_steps DATA STEPS BATCH INITIAL_MODEL
#include <iostream>
#include <numeric>

#include <nlohmann/json.hpp>

#include "engine/torch/device.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/engine/make_engine.hpp"
#include "mnist/serialize/model_file.hpp"
#include "mnist/train/trainer.hpp"

int main(int argc, char** argv) {
  using namespace mnist;
  if (argc != 5) return 2;
  const Dataset dataset = load_dataset(argv[1], Split::kTrain);
  const auto steps = static_cast<std::size_t>(std::stoul(argv[2]));
  const auto batch = static_cast<std::size_t>(std::stoul(argv[3]));
  prepare_libtorch(0);

  const Mlp initial = initial_parameters({}, 0);
  write_model(argv[4], {initial, dataset.class_names, {}});
  std::vector<std::int64_t> indices(static_cast<std::size_t>(dataset.count));
  std::iota(indices.begin(), indices.end(), 0);
  indices = shuffled(indices, 0, 1);
  indices.resize(steps * batch);

  TrainOptions options;
  options.engine = EngineKind::kTorch;
  const auto engine = make_engine(options, training_device(options), initial, dataset, {});
  const std::vector<double> rates(steps, options.lr);
  const StepsResult result = engine->train({indices, static_cast<std::int64_t>(batch), rates});
  std::cout << nlohmann::json{{"indices", indices}, {"losses", result.losses}} << '\n';
}
