// Chooses the engine for the options of a run.
#pragma once

#include <memory>
#include <string>

#include "mnist/data/dataset.hpp"
#include "mnist/engine/engine.hpp"
#include "mnist/model/mlp_shape.hpp"
#include "mnist/options/train_options.hpp"
#include "mnist/support/error.hpp"

namespace mnist {

/// The engine that `options` ask for, on `device` (as resolve_device gave it), starting from
/// `initial`. `dataset` must outlive it. When the fastest engine cannot do what is asked, another
/// one can, and `notify` is told so.
std::unique_ptr<Engine> make_engine(const TrainOptions& options, const MlpShape& shape,
                                    const StateDict& initial, const Dataset& dataset,
                                    const std::string& device, const Notify& notify);

}  // namespace mnist
