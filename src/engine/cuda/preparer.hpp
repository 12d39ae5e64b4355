// Prepares what minibatches of the CUDA engine are made of, on the device: distorted images and
// dropout masks.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cuda/device.hpp"
#include "engine/cuda/plan.hpp"
#include "engine/cuda/preparation.hpp"
#include "engine/engine_options.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/engine/engine.hpp"

namespace mnist {

class CudaPreparer {
 public:
  /// For minibatches as `plan` has them, of images with the size of those of `dataset`.
  CudaPreparer(CudaDevice& device, const CudaPlan& plan, const Dataset& dataset,
               const EngineOptions& options);

  /// What a pixel's byte stands for, times the scale of input dropout.
  float pixel_scale() const;

  /// Begins what `steps` need, the first of which is step `first_step` of the run, and names it in
  /// `given`, whose images and rows are on the device already. `plan` says how minibatches lie in
  /// tiles. Does nothing when nothing is needed.
  void prepare(const CudaPlan& plan, const Steps& steps, std::int64_t first_step, CudaSteps& given);

 private:
  CudaDevice& device_;
  CudaPreparation preparation_;                  ///< what is the same for all steps
  std::vector<CudaArray<std::uint32_t>> masks_;  ///< of each layer
  CudaArray<std::uint32_t> images_;
  CudaArray<float> row_weights_, column_weights_;
};

}  // namespace mnist
