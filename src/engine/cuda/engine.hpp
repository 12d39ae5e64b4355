// The CUDA engine: many optimization steps in one launch of a persistent kernel.
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
  /// Trains on minibatches of at most options.batch. Throws Error when the kernel cannot train the
  /// network on `device`, or memory is not enough.
  CudaEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options,
             std::unique_ptr<CudaDevice> device);

  StepsResult train(const Steps& steps) override;
  Mlp parameters() const override;
  EngineState state() const override;
  void restore(const EngineState& state) override;
  NamedNorms gradient_norms() const override;
  std::string description() const override;
  int threads() const override { return 0; }

 private:
  Mlp download(const CudaArray<float>& array) const;

  const MlpShape shape_;
  const TrainOptions options_;
  const std::unique_ptr<CudaDevice> device_;
  const CudaPlan plan_;
  CudaArgs args_;  ///< of the last launch; the arrays below are what its pointers point to
  CudaArray<std::uint32_t> images_{*device_};
  CudaArray<std::uint8_t> labels_{*device_};
  CudaArray<float> weights_{*device_}, first_moments_{*device_}, second_moments_{*device_};
  CudaArray<float> averages_{*device_}, exchange_{*device_}, squares_{*device_}, losses_{*device_};
  CudaArray<std::uint8_t> correct_{*device_};
  CudaArray<std::int32_t> indices_{*device_};
  CudaArray<OptimizerStep> steps_{*device_};
  CudaArray<std::uint32_t> prepared_{*device_};
  CudaArray<float> row_weights_{*device_}, column_weights_{*device_};
  std::int64_t steps_done_ = 0;
};

}  // namespace mnist
