// The fused CPU engine: the reference's mathematics, written for these networks on processor cores.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mnist/data/dataset.hpp"
#include "mnist/engine/cpu_kernels.hpp"
#include "mnist/engine/engine.hpp"
#include "mnist/engine/engine_options.hpp"
#include "mnist/model/mlp_shape.hpp"
#include "mnist/support/aligned.hpp"
#include "mnist/support/thread_team.hpp"

namespace mnist {

/// Trains ReLU networks with cross-entropy and exact Adam or AdamW, minibatches of any size. Each
/// thread owns a slice of every hidden layer's outputs, with weights and moments in memory of its
/// own; see cpu_kernels.hpp for the arithmetic. The same bits come out for any number of threads.
class CpuEngine : public Engine {
 public:
  /// `dataset` must outlive the engine. Throws Error when `shape` has another activation than ReLU.
  CpuEngine(const MlpShape& shape, const StateDict& initial, const Dataset& dataset,
            const EngineOptions& options, int threads,
            const CpuKernels& kernels = best_cpu_kernels());

  StepsResult train(const Steps& steps) override;
  StateDict parameters() const override;
  NamedNorms gradient_norms() const override;
  std::string description() const override;

 private:
  /// An array of parameters with its moments.
  struct Parameters {
    void resize(std::size_t rows, std::size_t columns);
    ParameterSlice view();
    std::size_t columns = 0;
    AlignedVector<float> weights, first_moments, second_moments;
  };

  /// Some outputs of a layer, a multiple of kBlock, with everything that belongs to them.
  struct Slice {
    std::size_t begin = 0;
    Parameters weights;  ///< [inputs, columns]
    Parameters bias;     ///< [1, columns]
    std::vector<std::uint8_t> touched;
    AlignedVector<float> squares, bias_squares;
  };

  struct Layer {
    std::size_t inputs = 0;     ///< padded
    std::size_t outputs = 0;    ///< true
    std::size_t padded = 0;     ///< a multiple of kBlock
    std::vector<Slice> slices;  ///< one for each thread; the last layer has one for all
    std::vector<WeightPanel> panels;
    AlignedVector<float> activations;    ///< [examples, padded]; of the last layer, its deltas too
    AlignedVector<float> deltas;         ///< [examples, padded]; none for the last layer
    AlignedVector<std::uint32_t> masks;  ///< [tiles, padded]: which activations are not zero
  };

  /// The pixels of one minibatch, transposed.
  struct Minibatch {
    std::span<const std::int64_t> rows;
    AlignedVector<std::uint8_t> pixels;
    AlignedVector<std::uint32_t> masks;
    std::vector<std::uint8_t> labels;
    std::size_t tiles() const { return (rows.size() + kTile - 1) / kTile; }
  };

  void make_layers();
  void reserve(std::size_t batch);
  /// Calls copy(ours, given) for each number of the network and its place in `state`.
  template <class Self, class State, class Copy>
  static void for_each_parameter(Self& engine, State& state, const Copy& copy);
  void load(const StateDict& state);
  AdamStep adam_step(double learning_rate) const;
  LayerInputs inputs_of(std::size_t layer, const Minibatch& minibatch) const;
  Rows deltas_of(std::size_t layer);
  void prepare(int thread, std::span<const std::int64_t> rows, Minibatch& minibatch);
  /// Asks for the images of a later minibatch: they lie anywhere in 47 MB of main memory.
  void prefetch(int thread, std::span<const std::int64_t> rows) const;
  void step(int thread, const Minibatch& minibatch, const AdamStep& adam, bool want_norms);
  void forward(int thread, const Minibatch& minibatch);
  void judge(int thread, const Minibatch& minibatch);
  void backward(int thread, const Minibatch& minibatch);
  void update(int thread, const Minibatch& minibatch, const AdamStep& adam, bool want_norms);

  const MlpShape shape_;
  const Dataset& dataset_;
  const EngineOptions options_;
  const CpuKernels& kernels_;
  ThreadTeam team_;
  std::vector<Layer> layers_;
  std::size_t batch_ = 0;  ///< examples that the arrays have room for
  Minibatch minibatches_[2];
  std::vector<std::uint8_t> blank_image_;
  std::vector<float> losses_;                        ///< of each example of the minibatch
  std::vector<AlignedVector<float>> scratch_;        ///< of each thread
  std::vector<AlignedVector<std::size_t>> correct_;  ///< of each thread, in its first element
  std::int64_t steps_done_ = 0;
};

}  // namespace mnist
