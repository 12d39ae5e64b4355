// The CUDA engine: many optimisation steps in one launch of a persistent kernel.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/cuda/device.hpp"
#include "engine/cuda/plan.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/engine/engine.hpp"
#include "mnist/model/mlp.hpp"
#include "mnist/options/train_options.hpp"

namespace mnist {

/// Trains ReLU networks with cross-entropy and Adam or AdamW. Every call of train() launches one
/// persistent kernel; see step-inl.hpp. Results are bitwise reproducible on the same model of GPU.
class CudaEngine : public Engine {
 public:
  /// `batch` is the largest minibatch. Throws CudaUnsupported when the kernel cannot train `shape`
  /// on `device`, or memory is not enough.
  CudaEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options,
             std::int64_t batch, std::unique_ptr<CudaDevice> device);

  StepsResult train(const Steps& steps) override;
  Mlp parameters() const override;
  EngineState state() const override;
  void restore(const EngineState& state) override;
  NamedNorms gradient_norms() const override;
  std::string description() const override;

 private:
  /// Launches the kernels that draw masks and augment images, if `steps` need any, and points
  /// `args` at the results.
  void prepare(const CudaPlan& plan, const Steps& steps, CudaTrainArgs& args);
  Mlp download(const CudaArray<float>& array) const;

  const MlpShape shape_;
  const TrainOptions options_;
  std::unique_ptr<CudaDevice> device_;
  const CudaPlan plan_;
  CudaArray<std::uint32_t> images_;              ///< [n, pixel_words], four pixels per word
  CudaArray<std::uint32_t> prepared_;            ///< the same for the indices of one launch
  std::vector<CudaArray<std::uint32_t>> masks_;  ///< of each linear layer's inputs
  CudaArray<std::uint8_t> labels_;
  CudaArray<float> weights_, first_moments_, second_moments_, averages_;  ///< as the state dict
  CudaArray<float> exchange_, squares_, losses_;
  CudaArray<float> row_weights_, column_weights_;  ///< of the elastic field
  CudaArray<std::uint8_t> correct_;
  CudaArray<std::int32_t> indices_;
  CudaArray<CudaStep> steps_;
  CudaPreparationArgs preparation_;  ///< what is the same in all launches
  std::int64_t steps_done_ = 0;
};

}  // namespace mnist
