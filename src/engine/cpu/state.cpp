// The state that the fused CPU engine resumes from, and what it reports about itself.
#include <algorithm>

#include "engine/cpu/engine.hpp"
#include "support/cpu_target.hpp"
#include "support/text.hpp"

namespace mnist {
namespace {

/// Calls copy(ours, index in its arrays, value of the network) for each weight and bias.
template <class Layers, class Network, class Copy>
void for_each_parameter(Layers& layers, Network& mlp, const Copy& copy) {
  for (std::size_t l = 0; l < layers.size(); ++l) {
    auto& linear = mlp.layers.at(l);
    const auto inputs = static_cast<std::size_t>(linear.inputs);
    for (auto& slice : layers[l].slices) {
      const std::size_t columns = slice.weights.columns;
      const std::size_t end = std::min(slice.begin + columns, layers[l].outputs);
      for (std::size_t j = slice.begin; j < end; ++j) {
        for (std::size_t k = 0; k < inputs; ++k) {
          copy(slice.weights, k * columns + j - slice.begin, linear.weight[j * inputs + k]);
        }
      }
    }
    for (std::size_t j = 0; j < layers[l].outputs; ++j) copy(layers[l].bias, j, linear.bias[j]);
  }
}

/// Marks the weight rows that have nonzero moments as active.
void mark_active(CpuSlice& slice) {
  const std::size_t pair = 2 * slice.weights.columns;
  for (std::size_t k = 0; k < slice.active.size(); ++k) {
    const float* const moments = slice.weights.second_moments.data() + k * pair;
    if (std::any_of(moments, moments + pair, [](float moment) { return moment != 0; })) {
      slice.active[k] = 1;
    }
  }
}

}  // namespace

Mlp CpuEngine::array(CpuArray array) const {
  Mlp mlp = zero_mlp(shape_);
  for_each_parameter(layers_, mlp, [&](const CpuParameters& ours, std::size_t i, float& value) {
    value = (ours.*array)[i];
  });
  return mlp;
}

void CpuEngine::set_array(CpuArray array, const Mlp& values) {
  for_each_parameter(layers_, values, [&](CpuParameters& ours, std::size_t i, float value) {
    (ours.*array)[i] = value;
  });
}

Mlp CpuEngine::parameters() const {
  return array(options_.ema > 0 ? &CpuParameters::averages : &CpuParameters::weights);
}

EngineState CpuEngine::state() const {
  EngineState state{steps_done_,
                    array(&CpuParameters::weights),
                    array(&CpuParameters::first_moments),
                    array(&CpuParameters::second_moments),
                    {}};
  if (options_.ema > 0) state.averages = array(&CpuParameters::averages);
  return state;
}

void CpuEngine::restore(const EngineState& state) {
  steps_done_ = state.steps;
  set_array(&CpuParameters::weights, state.weights);
  set_array(&CpuParameters::first_moments, state.first_moments);
  set_array(&CpuParameters::second_moments, state.second_moments);
  if (options_.ema > 0) set_array(&CpuParameters::averages, state.averages.value());
  for (CpuLayer& layer : layers_) std::ranges::for_each(layer.slices, mark_active);
}

std::string CpuEngine::description() const {
  return "fused on cpu (" + instruction_set_name(kernels_.target) + "), " +
         counted(team_.size(), "thread");
}

StepProfile CpuEngine::profile() const {
  StepProfile profile{profiled_steps_, {}};
  for (std::size_t phase = 0; phase < std::size(kPhaseNames) && profiled_steps_ > 0; ++phase) {
    if (phase == static_cast<std::size_t>(Phase::kExchange) && !exchange_) continue;
    auto& entry = profile.phases.emplace_back(StepProfile::Phase{kPhaseNames[phase], {}});
    for (const ThreadLocal& local : locals_) entry.seconds.push_back(local.clock.seconds(phase));
  }
  return profile;
}

}  // namespace mnist
