// What the fused CPU engine reports about itself, and the state that it resumes from.
#include <cmath>

#include "engine/cpu/engine.hpp"
#include "support/cpu_target.hpp"

namespace mnist {

Mlp CpuEngine::parameters() const {
  return array_of(layers_, shape_,
                  options_.ema > 0 ? &CpuParameters::averages : &CpuParameters::weights);
}

EngineState CpuEngine::state() const {
  EngineState state{steps_done_,
                    array_of(layers_, shape_, &CpuParameters::weights),
                    array_of(layers_, shape_, &CpuParameters::first_moments),
                    array_of(layers_, shape_, &CpuParameters::second_moments),
                    {}};
  if (options_.ema > 0) state.averages = array_of(layers_, shape_, &CpuParameters::averages);
  return state;
}

void CpuEngine::restore(const EngineState& state) {
  steps_done_ = state.steps;
  set_array(layers_, state.weights, &CpuParameters::weights);
  set_array(layers_, state.first_moments, &CpuParameters::first_moments);
  set_array(layers_, state.second_moments, &CpuParameters::second_moments);
  if (options_.ema > 0) set_array(layers_, state.averages.value(), &CpuParameters::averages);
  mark_active(layers_);
}

NamedNorms CpuEngine::gradient_norms() const {
  NamedNorms norms;
  for (const ParameterInfo& parameter : parameter_table(shape_)) {
    const CpuLayer& layer = layers_[norms.size() / 2];
    const bool bias = norms.size() % 2 == 1;
    norms.emplace_back(parameter.name, std::sqrt(bias ? squared_bias_gradient(layer)
                                                      : squared_weight_gradient(layer)));
  }
  return norms;
}

std::string CpuEngine::description() const {
  return "fused on cpu (" + instruction_set_name(kernels_.target) + "), " +
         std::to_string(team_.size()) + (team_.size() == 1 ? " thread" : " threads");
}

StepProfile CpuEngine::profile() const {
  StepProfile profile{profiled_steps_, {}};
  for (std::size_t phase = 0; phase < std::size(kPhaseNames) && profiled_steps_ > 0; ++phase) {
    if (phase == static_cast<std::size_t>(Phase::kExchange) && !exchange_) continue;
    auto& entry = profile.phases.emplace_back(StepProfile::Phase{kPhaseNames[phase], {}});
    for (const Own& own : own_) entry.seconds.push_back(own.clock.seconds(phase));
  }
  return profile;
}

}  // namespace mnist
