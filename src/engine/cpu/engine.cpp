// The schedule of a step; tests/engine/cpu/scalar_engine.cpp has its arithmetic in plain loops.
//
// The weights are shared out as in tensor-parallel transformers (Shoeybi et al. 2019,
// "Megatron-LM"): a thread owns units of every hidden layer, the weights that lead to its units of
// the first, and the weights that leave its units of the others. Weights never move between
// threads, activations and their gradients only as far as the sums need them. One step, for thread
// t (| is a barrier):
//
//   first layer: outputs of t's units, ReLU, dropout
//   each further hidden layer: products with the weights that leave t's units                   |
//       the sums of all threads for t's units, ReLU, dropout
//   logits: products with the weights that leave t's units                                      |
//       the sums of all threads, loss and its gradient for all examples; a share of the next images
//   from the last layer down: gradients of t's units below; where others need them               |
//   with clipping and in a call's last step, all layers: squared gradients of t's weights        |
//   all layers: gradients of t's weights, Adam
//
// A large minibatch is cut into microbatches, whose gradients are summed before Adam's step.
// With several processes, each has all parameters and computes some of the microbatches.
#include "engine/cpu/engine.hpp"

#include <algorithm>
#include <numeric>

#include "mnist/support/error.hpp"

namespace mnist {

CpuEngine::CpuEngine(const Mlp& initial, const Dataset& dataset, const TrainOptions& options,
                     int threads, const CpuKernels& kernels, Communicator& processes)
    : shape_(initial.shape()),
      options_(options),
      kernels_(kernels),
      // Without hidden units there is nothing to share.
      team_(shape_.hidden.empty() ? 1 : agreed_threads(threads, kernels, processes)),
      layers_(make_cpu_layers(shape_, options, team_.size(), kernels.slice_columns,
                              processes.size() > 1)),
      microbatches_(dataset, options, kernels, layers_[0].inputs, team_.size(), processes),
      processes_(processes),
      locals_(static_cast<std::size_t>(team_.size())) {
  if (!shape_.hidden.empty() && !fused_engines_support(shape_.activation)) {
    throw Error("the fused engine supports only relu, found " +
                std::string(name_of(shape_.activation)));
  }
  set_array(&CpuParameters::weights, initial);
  if (options_.ema > 0) set_array(&CpuParameters::averages, initial);
  if (processes.size() > 1) exchange_.emplace(processes, gradient_size(layers_));
}

LayerInputs CpuEngine::inputs_of(std::size_t layer, const CpuMicrobatch& part, int thread) {
  const std::size_t tiles = divide_up(part.examples, kTile);
  if (layer == 0) {
    const CpuImages& images = microbatches_.images(part);
    return {.inputs = layers_[0].inputs,
            .tiles = tiles,
            .masks = images.masks.data(),
            .pixels = images.pixels.data(),
            .pixel_values = microbatches_.pixel_values()};
  }
  const CpuLayer& below = layers_[layer - 1];
  return {.inputs = below.padded,
          .tiles = tiles,
          .masks = below.masks.data(),
          .values = below.activations.data(),
          .value_stride = below.stride(),
          .dense = local_of(thread).dense[layer] != 0};
}

Rows CpuEngine::outputs_of(std::size_t layer, int thread) {
  CpuLayer& of = layers_[layer];
  auto& logits = local_of(thread).logits;
  return {&of == &layers_.back() ? logits.data() : of.activations.data(), of.stride()};
}

Rows CpuEngine::deltas_of(std::size_t layer, int thread) {
  if (layer + 1 == layers_.size()) return outputs_of(layer, thread);
  return {layers_[layer].deltas.data(), layers_[layer].stride()};
}

void CpuEngine::reserve() {
  const std::size_t examples = microbatches_.largest();
  if (examples > layers_[0].examples) {
    reserve_examples(layers_, examples);
    const std::size_t widest = std::ranges::max_element(layers_, {}, &CpuLayer::padded)->padded;
    for (ThreadLocal& local : locals_) {
      local.logits.assign(layers_.back().examples * layers_.back().stride(), 0.0F);
      local.scratch.assign(widest * kScratchPerOutput, 0.0F);
      local.losses.assign(examples, 0.0F);
      local.dense.assign(layers_.size(), 0);
    }
  }
  std::size_t depth = 0;
  for (const CpuMicrobatch& part : microbatches_.own()) {
    if (!part.whole()) depth = std::max(depth, part.depth + 1);
    if (exchange_ && part.ends_step) exchange_->reserve(leaves_of(part.minibatch));
  }
  reserve_gradients(layers_, depth, gradients_);
}

void CpuEngine::barrier(int thread) {
  team_.barrier();
  local_of(thread).clock.end(Phase::kBarriers);
}

StepsResult CpuEngine::train(const Steps& steps) {
  microbatches_.start(steps, steps_done_ + 1);
  reserve();
  losses_.assign(microbatches_.count_of_all(), 0);
  team_.run([&](int thread) { run(thread, steps); });
  steps_done_ += steps.count();
  if (options_.profile) profiled_steps_ += steps.count();
  return gather_result(steps);
}

/// The losses of the minibatches: whichever process computed them, those of microbatches are added
/// from the first to the last.
StepsResult CpuEngine::gather_result(const Steps& steps) {
  losses_.push_back(static_cast<double>(locals_[0].correct));
  processes_.sum(losses_);
  StepsResult result;
  std::size_t next = 0;
  for (std::int64_t i = 0; i < steps.count(); ++i) {
    const std::size_t examples = steps.minibatch(i).size();
    double sum = 0;
    for (std::size_t n = microbatch_count(examples); n > 0; --n) sum += losses_[next++];
    result.losses.push_back(static_cast<float>(sum / static_cast<double>(examples)));
  }
  result.correct = static_cast<std::int64_t>(losses_.back());
  return result;
}

void CpuEngine::run(int thread, const Steps& steps) {
  flush_subnormals();
  PhaseClock& clock = local_of(thread).clock;
  clock.start(options_.profile);
  microbatches_.distort(thread, 0);
  barrier(thread);
  microbatches_.prepare(thread, 0);
  microbatches_.distort(thread, 1);
  barrier(thread);
  local_of(thread).correct = 0;
  for (const CpuMicrobatch& part : microbatches_.own()) {
    const bool empty = part.examples == 0;  // other processes compute this step
    microbatches_.prefetch(thread, part.index);
    if (empty) {
      barrier(thread);
    } else {
      forward(thread, part);
      compute_loss(thread, part);
    }
    clock.end(Phase::kLoss);
    microbatches_.prepare(thread, part.index + 1);
    microbatches_.distort(thread, part.index + 2);
    clock.end(Phase::kImages);
    if (layers_.size() < 3) barrier(thread);  // deeper networks have one in backward_input()
    if (!empty) backward_input(thread, part);
    backward_weight(thread, part, steps.learning_rates[static_cast<std::size_t>(part.step)],
                    part.step + 1 == steps.count());
  }
}

void CpuEngine::forward(int thread, const CpuMicrobatch& part) {
  PhaseClock& clock = local_of(thread).clock;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    CpuLayer& layer = layers_[l];
    LayerInputs inputs = inputs_of(l, part, thread);
    const Rows outputs = outputs_of(l, thread);
    const OwnWeights own = layer.own_weights(thread);
    const bool last = l + 1 == layers_.size();
    if (l == 0) {
      for (CpuSlice& slice : own.slices) {
        kernels_.linear_forward(inputs, {own.begin, own.end}, part.examples, slice.weights.view(),
                                layer.bias.weights.data() + slice.begin,
                                {outputs.data + slice.begin, outputs.stride});
      }
    } else {
      inputs.dense = kernels_.prefers_dense(inputs, own.begin, own.end);
      const PartialSums sums{layer.partials.data(), layer.examples * layer.stride(), layer.stride(),
                             layer.additions};
      for (std::size_t n = 0; n < layer.nodes.size(); ++n) {
        const PairwiseNode& node = layer.nodes[n];
        if (node.part != thread) continue;
        const std::size_t begin = node.begin * layer.input_leaf;
        const std::size_t end = std::min(begin + node.count * layer.input_leaf, layer.inputs);
        for (CpuSlice& slice : own.slices) {
          kernels_.linear_forward(
              inputs, {begin, end, layer.input_leaf}, part.examples, slice.weights.view(), nullptr,
              {layer.partials.data() + n * sums.node_stride + slice.begin, sums.stride});
        }
      }
      clock.end(Phase::kForward);
      barrier(thread);
      const Share units = layer.own_units(thread);
      kernels_.add_partial_sums(sums, part.examples, last ? 0 : units.begin,
                                last ? layer.padded : units.end, layer.bias.weights.data(),
                                outputs);
    }
    if (!last) activate(thread, layer, part);
    clock.end(l == 0 ? Phase::kFirstForward : Phase::kForward);
  }
}

void CpuEngine::activate(int thread, CpuLayer& layer, const CpuMicrobatch& part) {
  const Share units = layer.own_units(thread);
  Kept kept;
  if (layer.dropout.on()) {
    kept = {layer.keep.data() + units.begin, layer.dropout.scale()};
    const std::int64_t step = steps_done_ + 1 + part.step;
    for (std::size_t tile = 0; tile * kTile < part.examples; ++tile) {
      layer.dropout.keep_units(step, part.begin / kTile + tile, units.begin, units.end,
                               layer.keep.data() + tile * layer.padded);
    }
  }
  kernels_.relu({layer.activations.data() + units.begin, layer.stride()}, part.examples,
                units.end - units.begin, kept, layer.masks.data() + units.begin, layer.padded);
}

void CpuEngine::compute_loss(int thread, const CpuMicrobatch& part) {
  ThreadLocal& local = local_of(thread);
  const LossOptions options{layers_.back().outputs, 1.0F / static_cast<float>(part.minibatch),
                            static_cast<float>(options_.label_smoothing)};
  const std::size_t correct =
      kernels_.softmax_loss(outputs_of(layers_.size() - 1, thread), part.examples,
                            microbatches_.images(part).labels.data(), options, local.losses.data());
  // All threads must agree, so they decide while no activation changes.
  for (std::size_t l = 1; l < layers_.size(); ++l) {
    local.dense[l] = kernels_.prefers_dense(inputs_of(l, part, thread), 0, layers_[l].inputs);
  }
  const auto end = local.losses.begin() + static_cast<std::ptrdiff_t>(part.examples);
  // A minibatch of one leaf is computed by all processes, and counted by the first.
  if (part.whole() && processes_.rank() > 0) return;
  local.correct += correct;
  if (thread == 0) losses_[part.number] = std::accumulate(local.losses.begin(), end, 0.0);
}

void CpuEngine::backward_input(int thread, const CpuMicrobatch& part) {
  for (std::size_t l = layers_.size() - 1; l > 0; --l) {
    const Share below = layers_[l - 1].own_units(thread);
    kernels_.backward_input(inputs_of(l, part, thread), below.begin, below.end, layers_[l].weights,
                            deltas_of(l, thread), layers_[l - 1].dropout.scale(),
                            deltas_of(l - 1, thread), local_of(thread).scratch.data());
    local_of(thread).clock.end(Phase::kBackwardInput);
    if (l > 1) barrier(thread);  // the gradients of the first layer's units stay with the thread
  }
}

}  // namespace mnist
