// Chooses the engine for a training run.
#pragma once

#include <memory>
#include <string>

#include "mnist/data/dataset.hpp"
#include "mnist/distributed/communicator.hpp"
#include "mnist/engine/engine.hpp"
#include "mnist/model/mlp.hpp"
#include "mnist/options/train_options.hpp"
#include "mnist/support/error.hpp"

namespace mnist {

/// LibTorch's name, "cpu" or "cuda:N", of the device that `processes` processes with these options
/// train on. "auto" is the CPU: a GPU is only used on request. Throws Error with the reason when
/// there is no GPU, UsageError when there are fewer or when several processes ask for one.
std::string training_device(const TrainOptions& options, int processes = 1);

/// The engine for `options.engine` on `device`, the training_device(), starting from `initial`;
/// `dataset` must outlive it. kAuto is the fused engine on the CPU for ReLU networks and LibTorch
/// otherwise. The fused engine on a GPU is experimental: it is only used when asked for, and only
/// after its losses of the first steps agreed with those of the CPU engine. `notify` receives what
/// users should know about the choice. The engines of several `processes` train one network, on
/// CPUs. Throws Error or UsageError when the engine is not available.
std::unique_ptr<Engine> make_engine(const TrainOptions& options, const std::string& device,
                                    const Mlp& initial, const Dataset& dataset,
                                    const Notify& notify,
                                    Communicator& processes = single_process());

}  // namespace mnist
