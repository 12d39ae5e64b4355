// The training kernel of the CUDA engine: many optimization steps by blocks that stay resident,
// each with its shard of the network in shared memory.
//
// One step; | is a grid barrier, which costs about as much as the work between two of them:
//   each hidden layer: the block's activations                                       |
//   logits, loss and its gradient, by every block for itself
//   from the last hidden layer down: gradients of the block's pre-activations; while waiting for
//   other blocks', weight gradients and Adam of the layers whose inputs are ready    |
//   the first layer: gradients, then without a barrier weight gradients and Adam
#pragma once

#include <cmath>

#include "engine/cuda/products-inl.hpp"

namespace mnist::cuda {

/// Partial sums of weight gradients that a thread keeps in registers.
inline constexpr int kMaxSums = 2 * kCudaUnits;

template <class Block>
class Trainer {
 public:
  MNIST_DEVICE Trainer(const CudaPlan& plan, const CudaArgs& args, Block& block)
      : shard_{plan, args, block} {}

  MNIST_DEVICE void run() {
    shard_.load_parameters();
    shard_.load_minibatch(0);
    shard_.block.sync();
    for (shard_.step = 0; shard_.step < shard_.args.count; ++shard_.step) {
      examples_ = shard_.example_count(shard_.step);
      forward();
      backward();
    }
    shard_.store_parameters();
  }

 private:
  MNIST_DEVICE const CudaLayer& layer(int l) const { return shard_.plan.layers[l]; }
  MNIST_DEVICE bool clipping() const { return shard_.args.clip_norm > 0; }

  MNIST_DEVICE void forward() {
    for (int l = 0; l + 1 < shard_.plan.layer_count; ++l) {
      for (int tile = 0; tile < shard_.plan.tiles; ++tile) forward_hidden(l, tile);
      shard_.block.arrive();
      if (l == 0 && shard_.plan.buffers > 1) shard_.load_minibatch(shard_.step + 1);
      shard_.block.wait();
    }
    for (int tile = 0; tile < shard_.plan.tiles; ++tile) compute_loss(tile);
  }

  /// Calls finish(unit, pre-activation) for a tile and the block's units of layer l.
  template <class Finish>
  MNIST_DEVICE void linear_forward(int l, int tile, const Finish& finish) const {
    const int row = layer(l).row_stride;
    const float* const weights = shard_.weights(l);
    const float* const biases = weights + shard_.bias_offset(l);
    const float scale = l == 0 ? shard_.args.pixel_scale : 1.0F;
    const auto add = [&](int first, auto& sums) {
      if (l == 0) {
        add_pixels(shard_, tile, weights + first * row, row, sums);
      } else {
        const auto weight = [&](int u, int k) { return weights[(first + u) * row + k]; };
        add_exchanged(shard_, shard_.all_activations(l - 1, tile), layer(l).inputs, weight, sums);
      }
    };
    sum_over_inputs(shard_, shard_.unit_count(l), add,
                    [&](int u, float sum) { finish(u, sum * scale + biases[u]); });
  }

  MNIST_DEVICE void forward_hidden(int l, int tile) const {
    const int first_unit = shard_.first_unit(l);
    const int example = tile * kCudaLanes + shard_.lane;
    float* const own = shard_.activations(l) + example;
    float* const all = shard_.all_activations(l, tile) + first_unit * kCudaLanes + shard_.lane;
    const Dropout& dropout = shard_.args.dropouts[l + 1];
    linear_forward(l, tile, [&](int u, float value) {
      float activation = value > 0 ? value : 0.0F;
      if (dropout.on()) {
        activation *=
            dropout.factor(shard_.args.first_step + shard_.step, static_cast<std::size_t>(example),
                           static_cast<std::size_t>(first_unit + u));
      }
      own[u * shard_.plan.examples] = activation;
      all[u * kCudaLanes] = activation;
    });
  }

  /// Logits and softmax cross-entropy of a tile, and the gradient with respect to the logits.
  MNIST_DEVICE void compute_loss(int tile) const {
    const int last = shard_.plan.layer_count - 1;
    const int classes = layer(last).outputs;
    float* const logits = shard_.logits() + shard_.lane;
    linear_forward(last, tile, [&](int c, float logit) { logits[c * kCudaLanes] = logit; });
    shard_.block.sync();
    const int e = tile * kCudaLanes + shard_.lane;
    const bool active = e < examples_;
    const int label = active ? shard_.labels(shard_.step)[e] : 0;
    int prediction = 0;
    float sum_of_logits = 0;
    for (int c = 0; c < classes; ++c) {
      if (logits[c * kCudaLanes] > logits[prediction * kCudaLanes]) prediction = c;
      sum_of_logits += logits[c * kCudaLanes];
    }
    const float top = logits[prediction * kCudaLanes];
    float sum = 0;
    for (int c = 0; c < classes; ++c) sum += expf(logits[c * kCudaLanes] - top);
    const float smoothing = shard_.args.label_smoothing;
    for (int c = shard_.warp; c < classes; c += shard_.warps) {
      const float probability = expf(logits[c * kCudaLanes] - top) / sum;
      const float target =
          (c == label ? 1 - smoothing : 0.0F) + smoothing / static_cast<float>(classes);
      shard_.deltas(last)[c * shard_.plan.examples + e] =
          active ? (probability - target) / static_cast<float>(examples_) : 0.0F;
    }
    if (shard_.block.index == 0 && shard_.warp == 0 && active) {
      const float label_logit = logits[label * kCudaLanes] - top;
      const float mean_logit = sum_of_logits / static_cast<float>(classes) - top;
      const std::int64_t index = std::int64_t{shard_.step} * shard_.args.batch + e;
      shard_.args.losses[index] =
          logf(sum) - (1 - smoothing) * label_logit - smoothing * mean_logit;
      shard_.args.correct[index] = prediction == label ? 1 : 0;
    }
    shard_.block.sync();
  }

  MNIST_DEVICE void backward() {
    for (int l = shard_.plan.layer_count - 2; l >= 0; --l) {
      for (int tile = 0; tile < shard_.plan.tiles; ++tile) backward_input(l, tile);
      if (l > 0) shard_.block.arrive();
      MNIST_UNROLL(1)
      for (int k = shard_.is_last(l + 1) ? l + 1 : l; k >= l && k > 0; --k) backward_weight<1>(k);
      if (l > 0) shard_.block.wait();
    }
    backward_weight<kPixelsPerWord>(0);
    if (clipping()) {
      const float clip = clip_factor();
      for (int l = 0; l < shard_.plan.layer_count; ++l) update(l, clip);
    }
    shard_.block.sync();
    if (shard_.plan.buffers == 1) {
      shard_.load_minibatch(shard_.step + 1);
      shard_.block.sync();
    }
  }

  /// Gradients of the loss with respect to the pre-activations of the block's units of layer l.
  MNIST_DEVICE void backward_input(int l, int tile) const {
    const int first_example = tile * kCudaLanes + shard_.lane;
    const float* const activations = shard_.activations(l) + first_example;
    float* const own = shard_.deltas(l) + first_example;
    float* const all = shard_.all_deltas(l, tile) + shard_.first_unit(l) * kCudaLanes + shard_.lane;
    const float scale = shard_.args.dropouts[l + 1].scale();
    const auto finish = [&](int u, float sum) {
      const float delta = activations[u * shard_.plan.examples] > 0 ? sum * scale : 0.0F;
      own[u * shard_.plan.examples] = delta;
      if (l > 0) all[u * kCudaLanes] = delta;
    };
    const int outputs = layer(l + 1).outputs;
    if (shard_.is_last(l + 1)) {
      const float* const weights = shard_.weights(l + 1) + shard_.first_unit(l);
      const float* const deltas = shard_.deltas(l + 1) + first_example;
      for (int u = shard_.warp; u < shard_.unit_count(l); u += shard_.warps) {
        float sum = 0;
        for (int c = 0; c < outputs; ++c) {
          sum += weights[c * layer(l + 1).row_stride + u] * deltas[c * shard_.plan.examples];
        }
        finish(u, sum);
      }
      shard_.block.sync();
    } else {
      const float* const transposed =
          shard_.transposed(l + 1, shard_.step) + std::int64_t{shard_.first_unit(l)} * outputs;
      const auto add = [&](int first, auto& sums) {
        const auto weight = [&](int u, int k) {
          return shard_.block.load_exchanged(transposed + std::int64_t{first + u} * outputs + k);
        };
        add_exchanged(shard_, shard_.all_deltas(l + 1, tile), outputs, weight, sums);
      };
      sum_over_inputs(shard_, shard_.unit_count(l), add, finish);
    }
  }

  /// Gradients of the block's parameters of layer l, and Adam, unless clipping needs all gradients
  /// first. Each thread handles kWidth inputs at a time.
  template <int kWidth>
  MNIST_DEVICE void backward_weight(int l) const {
    const int units = shard_.unit_count(l);
    float* const biases = shard_.gradients(l) + shard_.bias_offset(l);
    for (int u = shard_.block.thread; u < units; u += shard_.block.threads) {
      const float* const deltas = shard_.deltas(l) + u * shard_.plan.examples;
      float sum = 0;
      for (int e = 0; e < shard_.plan.examples; ++e) sum += deltas[e];
      biases[u] = sum;
    }
    for_each_chunk(units, [&]<int kUnits>(int first) {
      if constexpr (kUnits * kWidth <= kMaxSums) {
        weight_gradients<kUnits, kWidth>(shard_, l, first);
      } else {
        weight_gradients<kUnits / 2, kWidth>(shard_, l, first);
        weight_gradients<kUnits / 2, kWidth>(shard_, l, first + kUnits / 2);
      }
    });
    if (shard_.step + 1 == shard_.args.count || clipping()) write_squared_norms(l);
    if (!clipping()) update(l, 1);
  }

  /// Writes the sums of squares of the block's gradients of layer l, of weights and of biases.
  MNIST_DEVICE void write_squared_norms(int l) const {
    const float* const gradients = shard_.gradients(l);
    const auto square = [&](int i) { return gradients[i] * gradients[i]; };
    // Every block has all gradients of the last layer: count them once.
    const int units = shard_.is_last(l) && shard_.block.index > 0 ? 0 : shard_.unit_count(l);
    shard_.block.sync();
    const float weights = shard_.block_sum(units * layer(l).row_stride, square);
    const float biases =
        shard_.block_sum(units, [&](int u) { return square(shard_.bias_offset(l) + u); });
    if (shard_.block.thread != 0) return;
    float* const squares = shard_.args.squares + 2 * l * shard_.block.blocks + shard_.block.index;
    squares[0] = weights;
    squares[shard_.block.blocks] = biases;
  }

  /// The factor that scales gradients down to the clipping norm. A grid barrier.
  MNIST_DEVICE float clip_factor() const {
    shard_.block.arrive();
    shard_.block.wait();
    const float squares = shard_.block_sum(
        2 * shard_.plan.layer_count * shard_.block.blocks,
        [&](int i) { return shard_.block.load_exchanged(shard_.args.squares + i); });
    const float factor =
        shard_.args.clip_norm / (sqrtf(squares) + static_cast<float>(kClipEpsilon));
    return factor < 1 ? factor : 1.0F;
  }

  /// Adam on the block's parameters of layer l, their averages and transposed weights.
  MNIST_DEVICE void update(int l, float clip) const {
    const OptimizerStep optimizer = shard_.args.steps[shard_.step];
    const CudaSharedLayout& at = shard_.plan.shared;
    float* const weights = shard_.weights(l);
    float* const first_moments = shard_.block.shared + at.first_moments + layer(l).weights;
    float* const second_moments = shard_.block.shared + at.second_moments + layer(l).weights;
    const float* const gradients = shard_.gradients(l);
    const int weight_count = shard_.unit_count(l) * layer(l).row_stride;
    const int biases = shard_.bias_offset(l);
    MNIST_UNROLL(2)
    for (int i = shard_.block.thread; i < weight_count + shard_.unit_count(l);
         i += shard_.block.threads) {
      const int n = i < weight_count ? i : biases + i - weight_count;
      const float before = weights[n];
      const float gradient = gradients[n] * clip + optimizer.l2_penalty * before;
      const float first = kBeta1F * first_moments[n] + kGain1F * gradient;
      const float second = kBeta2F * second_moments[n] + kGain2F * gradient * gradient;
      const float divisor = sqrtf(second) * optimizer.root_scale + kAdamEpsilonF;
      weights[n] = before * optimizer.decay - optimizer.rate * first / divisor;
      first_moments[n] = first;
      second_moments[n] = second;
    }
    const bool averaging =
        optimizer.average_weight > 0 && (!shard_.is_last(l) || shard_.block.index == 0);
    if (!averaging && !shard_.has_transposed(l)) return;
    shard_.block.sync();
    if (averaging) {
      shard_.each_parameter(l, [&](int own, std::int64_t all) {
        float& mean = shard_.args.averages[all];
        mean += optimizer.average_weight * (shard_.block.shared[at.weights + own] - mean);
      });
    }
    if (shard_.has_transposed(l)) shard_.write_transposed(l, shard_.step + 1);
  }

  Shard<Block> shard_;
  int examples_ = 0;  ///< of this step's minibatch
};

}  // namespace mnist::cuda
