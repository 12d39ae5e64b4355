// Launches the kernels that draw dropout masks and augment images for the CUDA engine.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cuda/device.hpp"
#include "engine/cuda/plan.hpp"
#include "engine/cuda/preparation.hpp"
#include "engine/optimizer_step.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/engine/engine.hpp"

namespace mnist {

class CudaPreparer {
 public:
  /// `device` must outlive the preparer. Only the image size of `dataset` is used.
  CudaPreparer(CudaDevice& device, const CudaPlan& plan, const Dataset& dataset,
               const TrainOptions& options);

  /// A pixel's byte times this is the network's input: 1/255, times the scale of input dropout.
  float pixel_scale() const;

  /// Launches what `steps` need, if anything, and points `args` at the results: masks, and images
  /// in place of the data set's. `first_step` counts the run's steps from 1. `plan` must be that of
  /// the training kernel's launch; args.images and args.indices must be set.
  void prepare(const CudaPlan& plan, const Steps& steps, std::int64_t first_step,
               CudaTrainArgs& args);

 private:
  CudaDevice& device_;
  CudaPreparationArgs preparation_;              ///< what is the same in all launches
  std::vector<CudaArray<std::uint32_t>> masks_;  ///< one per linear layer
  CudaArray<std::uint32_t> images_;
  CudaArray<float> row_weights_, column_weights_;
};

}  // namespace mnist
