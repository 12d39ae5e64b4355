// Chooses the engine for a training run.
#pragma once

#include <memory>

#include "mnist/data/dataset.hpp"
#include "mnist/engine/engine.hpp"
#include "mnist/model/mlp.hpp"
#include "mnist/options/train_options.hpp"
#include "mnist/support/error.hpp"

namespace mnist {

/// The engine for `options.engine` on `options.device`, starting from `initial`; `dataset` must
/// outlive it. kAuto is the fused engine on the CPU for ReLU networks and LibTorch otherwise. The
/// fused engine on a GPU is experimental: it is only used when asked for, and only after its losses
/// of the first steps agreed with those of the CPU engine. `notify` receives what users should know
/// of the choice. Throws Error or UsageError when the engine or the device cannot be had.
std::unique_ptr<Engine> make_engine(const TrainOptions& options, const Mlp& initial,
                                    const Dataset& dataset, const Notify& notify);

}  // namespace mnist
