// Chooses the engine for the options of a run.
#include "mnist/engine/make_engine.hpp"

#include "mnist/engine/autograd_engine.hpp"

namespace mnist {

std::unique_ptr<Engine> make_engine(const TrainOptions& options, const MlpShape& shape,
                                    const StateDict& initial, const Dataset& dataset,
                                    const std::string& device) {
  return std::make_unique<AutogradEngine>(shape, initial, dataset,
                                          OptimizerOptions{options.optimizer, options.weight_decay},
                                          torch::Device(device));
}

}  // namespace mnist
