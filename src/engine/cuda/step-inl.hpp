// The kernel of the CUDA engine: optimisation steps, one after another, by blocks of threads that
// stay on the device with their share of the network in shared memory.
//
// One step, where | waits for all blocks, which takes about as long as what is done between two of
// them:
//   first layer: activations of the block's units, from pixels
//   each further hidden layer:                                                |  the same
//   logits, loss and its gradient, by every block for itself:                 |
//   from the last hidden layer down: gradients of the block's activations; while they travel, the
//   gradients of the layer above, and Adam:                                   |  ... but the
//   first's first layer: gradients, and Adam
#pragma once

#include <cmath>

#include "engine/cuda/products-inl.hpp"

namespace mnist::cuda {

/// Sums of a gradient that a thread keeps in registers.
inline constexpr int kMostSums = 2 * kCudaUnits;

/// One thread's part in training.
template <class Block>
class Trainer {
 public:
  MNIST_DEVICE Trainer(const CudaPlan& plan, const CudaSteps& steps, Block& block)
      : own_(plan, steps, block) {}

  MNIST_DEVICE void run() {
    own_.load_parameters();
    own_.fetch_minibatch(0);
    own_.block.sync();
    for (own_.step = 0; own_.step < own_.steps.count; ++own_.step) {
      numbers_ = own_.steps.steps[own_.step];
      examples_ = own_.examples_of(own_.step);
      forward();
      backward();
    }
    own_.store_parameters();
  }

 private:
  MNIST_DEVICE const CudaLayer& layer(int l) const { return own_.plan.layers[l]; }
  MNIST_DEVICE bool clipping() const { return own_.steps.rules.clip_norm > 0; }

  MNIST_DEVICE void forward() {
    for (int l = 0; l + 1 < own_.plan.layer_count; ++l) {
      for (int tile = 0; tile < own_.plan.tiles; ++tile) activate(l, tile);
      own_.block.arrive();
      if (l == 0 && own_.plan.buffers > 1) own_.fetch_minibatch(own_.step + 1);
      own_.block.wait();
    }
    for (int tile = 0; tile < own_.plan.tiles; ++tile) judge(tile);
  }

  /// Calls finish(unit, what its activation is made from) for a tile and the block's units of the
  /// first layer.
  template <class Finish>
  MNIST_DEVICE void weigh_pixels(int tile, const Finish& finish) const {
    const int row = layer(0).row;
    const float* const weights = own_.weights(0);
    const float* const biases = weights + layer(0).share * row;
    const auto add = [&](int first, auto& sums) {
      add_pixels(own_, tile, weights + first * row, row, sums);
    };
    sum_over_inputs(own_, own_.units_of(0), add, [&](int u, float sum) {
      finish(u, sum * own_.steps.rules.pixel_scale + biases[u]);
    });
  }

  /// The same for a layer above.
  template <class Finish>
  MNIST_DEVICE void weigh_activations(int l, int tile, const Finish& finish) const {
    const int row = layer(l).row;
    const float* const weights = own_.weights(l);
    const float* const biases = weights + layer(l).share * row;
    const auto add = [&](int first, auto& sums) {
      const auto weight = [&](int u, int k) { return weights[(first + u) * row + k]; };
      add_exchanged(own_, own_.all_activations(l - 1, tile), layer(l).inputs, weight, sums);
    };
    sum_over_inputs(own_, own_.units_of(l), add,
                    [&](int u, float sum) { finish(u, sum + biases[u]); });
  }

  MNIST_DEVICE void activate(int l, int tile) const {
    float* const own = own_.activations(l) + tile * kCudaLanes + own_.lane;
    float* const all = own_.all_activations(l, tile) + own_.begin_of(l) * kCudaLanes + own_.lane;
    const std::uint32_t* const kept = own_.kept(l, tile);
    const auto finish = [&](int u, float value) {
      float activation = value > 0 ? value : 0.0F;
      if (kept != nullptr) {
        activation = (kept[u] >> own_.lane & 1) != 0 ? activation * own_.steps.kept_scale[l] : 0.0F;
      }
      own[u * own_.plan.examples] = activation;
      all[u * kCudaLanes] = activation;
    };
    if (l == 0) {
      weigh_pixels(tile, finish);
    } else {
      weigh_activations(l, tile, finish);
    }
  }

  /// Softmax cross-entropy of a tile, and its gradient with respect to the logits.
  MNIST_DEVICE void judge(int tile) const {
    const int last = own_.plan.layer_count - 1;
    const int classes = layer(last).outputs;
    float* const logits = own_.logits() + own_.lane;
    weigh_activations(last, tile, [&](int c, float logit) { logits[c * kCudaLanes] = logit; });
    own_.block.sync();
    const int e = tile * kCudaLanes + own_.lane;
    const bool there = e < examples_;
    const int label = there ? own_.labels(own_.step)[e] : 0;
    int guess = 0;
    float sum_of_logits = 0;
    for (int c = 0; c < classes; ++c) {
      if (logits[c * kCudaLanes] > logits[guess * kCudaLanes]) guess = c;
      sum_of_logits += logits[c * kCudaLanes];
    }
    const float top = logits[guess * kCudaLanes];
    float sum = 0;
    for (int c = 0; c < classes; ++c) sum += expf(logits[c * kCudaLanes] - top);
    const float smoothing = own_.steps.rules.smoothing;
    for (int c = own_.warp; c < classes; c += own_.warps) {
      const float probability = expf(logits[c * kCudaLanes] - top) / sum;
      const float target =
          (c == label ? 1 - smoothing : 0.0F) + smoothing / static_cast<float>(classes);
      own_.deltas(last)[c * own_.plan.examples + e] =
          there ? (probability - target) / static_cast<float>(examples_) : 0.0F;
    }
    if (own_.block.index == 0 && own_.warp == 0 && there) {
      const float to_label = logits[label * kCudaLanes] - top;
      const float to_all = sum_of_logits / static_cast<float>(classes) - top;
      const std::int64_t row = std::int64_t{own_.step} * own_.plan.batch + e;
      own_.steps.losses[row] = logf(sum) - (1 - smoothing) * to_label - smoothing * to_all;
      own_.steps.correct[row] = guess == label ? 1 : 0;
    }
    own_.block.sync();
  }

  MNIST_DEVICE void backward() {
    for (int l = own_.plan.layer_count - 2; l >= 0; --l) {
      for (int tile = 0; tile < own_.plan.tiles; ++tile) send_back(l, tile);
      if (l > 0) own_.block.arrive();
      MNIST_UNROLL(1)
      for (int k = own_.is_last(l + 1) ? l + 1 : l; k >= l && k > 0; --k) learn<1>(k);
      if (l > 0) own_.block.wait();
    }
    learn<kPixelsOfWord>(0);
    if (clipping()) {
      const float clip = clip_factor();
      for (int l = 0; l < own_.plan.layer_count; ++l) update(l, clip);
    }
    own_.block.sync();
    if (own_.plan.buffers == 1) {
      own_.fetch_minibatch(own_.step + 1);
      own_.block.sync();
    }
  }

  /// The gradient of the loss with respect to what the activations of the block's units of layer l
  /// are made from.
  MNIST_DEVICE void send_back(int l, int tile) const {
    const int first_example = tile * kCudaLanes + own_.lane;
    const float* const activations = own_.activations(l) + first_example;
    float* const own = own_.deltas(l) + first_example;
    float* const all = own_.all_deltas(l, tile) + own_.begin_of(l) * kCudaLanes + own_.lane;
    const float scale = own_.steps.kept[l] != nullptr ? own_.steps.kept_scale[l] : 1.0F;
    const auto finish = [&](int u, float sum) {
      const float delta = activations[u * own_.plan.examples] > 0 ? sum * scale : 0.0F;
      own[u * own_.plan.examples] = delta;
      if (l > 0) all[u * kCudaLanes] = delta;
    };
    const int outputs = layer(l + 1).outputs;
    if (own_.is_last(l + 1)) {
      const float* const weights = own_.weights(l + 1) + own_.begin_of(l);
      const float* const deltas = own_.deltas(l + 1) + first_example;
      for (int u = own_.warp; u < own_.units_of(l); u += own_.warps) {
        float sum = 0;
        for (int c = 0; c < outputs; ++c) {
          sum += weights[c * layer(l + 1).row + u] * deltas[c * own_.plan.examples];
        }
        finish(u, sum);
      }
      own_.block.sync();
    } else {
      const float* const columns =
          own_.columns(l + 1, own_.step) + std::int64_t{own_.begin_of(l)} * outputs;
      const auto add = [&](int first, auto& sums) {
        const auto weight = [&](int u, int k) {
          return own_.block.exchanged(columns + std::int64_t{first + u} * outputs + k);
        };
        add_exchanged(own_, own_.all_deltas(l + 1, tile), outputs, weight, sums);
      };
      sum_over_inputs(own_, own_.units_of(l), add, finish);
    }
  }

  /// The gradient of the block's parameters of layer l and, unless all gradients are needed first,
  /// Adam with it.
  /// A thread has kWidth inputs at a time.
  template <int kWidth>
  MNIST_DEVICE void learn(int l) const {
    const int units = own_.units_of(l);
    float* const biases = own_.gradients(l) + layer(l).share * layer(l).row;
    for (int u = own_.block.thread; u < units; u += own_.block.threads) {
      const float* const deltas = own_.deltas(l) + u * own_.plan.examples;
      float sum = 0;
      for (int e = 0; e < own_.plan.examples; ++e) sum += deltas[e];
      biases[u] = sum;
    }
    in_runs(units, [&]<int kUnits>(int first) {
      if constexpr (kUnits * kWidth <= kMostSums) {
        weight_gradients<kUnits, kWidth>(own_, l, first);
      } else {
        weight_gradients<kUnits / 2, kWidth>(own_, l, first);
        weight_gradients<kUnits / 2, kWidth>(own_, l, first + kUnits / 2);
      }
    });
    if (own_.step + 1 == own_.steps.count || clipping()) measure(l);
    if (!clipping()) update(l, 1);
  }

  /// Writes the sums of the squared gradients of the block's weights and biases of layer l.
  MNIST_DEVICE void measure(int l) const {
    const float* const gradients = own_.gradients(l);
    const auto square = [&](int i) { return gradients[i] * gradients[i]; };
    // The last layer's are the same in all blocks.
    const int units = own_.is_last(l) && own_.block.index > 0 ? 0 : own_.units_of(l);
    own_.block.sync();
    const float weights = own_.sum_of(units * layer(l).row, square);
    const int biases_at = layer(l).share * layer(l).row;
    const float biases = own_.sum_of(units, [&](int u) { return square(biases_at + u); });
    if (own_.block.thread != 0) return;
    float* const squares = own_.steps.squares + 2 * l * own_.block.blocks + own_.block.index;
    squares[0] = weights;
    squares[own_.block.blocks] = biases;
  }

  /// What all gradients are multiplied by. Waits for all blocks.
  MNIST_DEVICE float clip_factor() const {
    own_.block.arrive();
    own_.block.wait();
    const float squares = own_.sum_of(2 * own_.plan.layer_count * own_.block.blocks, [&](int i) {
      return own_.block.exchanged(own_.steps.squares + i);
    });
    const CudaRules& rules = own_.steps.rules;
    const float factor = rules.clip_norm / (sqrtf(squares) + rules.clip_epsilon);
    return factor < 1 ? factor : 1.0F;
  }

  /// Adam (Kingma and Ba 2015) on the block's parameters of layer l.
  MNIST_DEVICE void update(int l, float clip) const {
    const CudaRules& rules = own_.steps.rules;
    const CudaSharedLayout& at = own_.plan.shared;
    float* const weights = own_.block.shared + at.weights + layer(l).weights;
    float* const first_moments = own_.block.shared + at.first_moments + layer(l).weights;
    float* const second_moments = own_.block.shared + at.second_moments + layer(l).weights;
    const float* const gradients = own_.gradients(l);
    const int weight_count = own_.units_of(l) * layer(l).row;
    const int biases_at = layer(l).share * layer(l).row;
    MNIST_UNROLL(2)
    for (int i = own_.block.thread; i < weight_count + own_.units_of(l); i += own_.block.threads) {
      const int n = i < weight_count ? i : biases_at + i - weight_count;
      const float before = weights[n];
      const float gradient = gradients[n] * clip + rules.l2_penalty * before;
      const float first = rules.beta1 * first_moments[n] + (1 - rules.beta1) * gradient;
      const float second =
          rules.beta2 * second_moments[n] + (1 - rules.beta2) * gradient * gradient;
      const float divisor = sqrtf(second) * numbers_.root_scale + rules.epsilon;
      weights[n] = before * numbers_.keep - numbers_.rate * first / divisor;
      first_moments[n] = first;
      second_moments[n] = second;
    }
    const bool averaging =
        numbers_.average_weight > 0 && (!own_.is_last(l) || own_.block.index == 0);
    if (!averaging && !own_.has_columns(l)) return;
    own_.block.sync();
    if (averaging) average(l);
    if (own_.has_columns(l)) own_.write_columns(l, own_.step + 1);
  }

  MNIST_DEVICE void average(int l) const {
    const float* const weights = own_.block.shared + own_.plan.shared.weights;
    own_.each_parameter(l, [&](int own, std::int64_t all) {
      float& mean = own_.steps.averages[all];
      mean += numbers_.average_weight * (weights[own] - mean);
    });
  }

  Share<Block> own_;
  CudaStep numbers_;
  int examples_ = 0;  ///< of the minibatch in hand
};

}  // namespace mnist::cuda
