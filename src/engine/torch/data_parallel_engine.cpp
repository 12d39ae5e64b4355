// A minibatch is cut into consecutive parts, one for each process.
#include "engine/torch/data_parallel_engine.hpp"

#include <torch/torch.h>

#include "mnist/support/part.hpp"
#include "model/sequential.hpp"

namespace mnist {
namespace {

std::span<const std::int64_t> examples_of(std::span<const std::int64_t> minibatch, Part part) {
  const std::size_t begin = part.begin(minibatch.size());
  return minibatch.subspan(begin, part.end(minibatch.size()) - begin);
}

}  // namespace

DataParallelEngine::DataParallelEngine(const Mlp& initial, const Dataset& dataset,
                                       const TrainOptions& options, int threads,
                                       Communicator& processes)
    : TorchEngine(initial, dataset, options, torch::kCPU),
      processes_(processes),
      exchange_(dataset, processes) {
  torch::set_num_threads(threads);
}

StepsResult DataParallelEngine::train(const Steps& steps) {
  std::vector<std::vector<std::int64_t>> wanted(static_cast<std::size_t>(processes_.size()));
  for (std::size_t p = 0; p < wanted.size(); ++p) {
    for (std::int64_t i = 0; i < steps.count(); ++i) {
      const auto part = examples_of(steps.minibatch(i), {p, wanted.size()});
      wanted[p].insert(wanted[p].end(), part.begin(), part.end());
    }
  }
  exchange_.fetch(wanted);
  StepsResult result;
  for (std::int64_t i = 0; i < steps.count(); ++i) train_own_part(steps, i, result);
  auto sum = static_cast<double>(result.correct);
  processes_.sum({&sum, 1});
  result.correct = static_cast<std::int64_t>(sum);
  return result;
}

/// One step; adds the minibatch's loss and this process's correct predictions to `result`.
void DataParallelEngine::train_own_part(const Steps& steps, std::int64_t step,
                                        StepsResult& result) {
  const auto minibatch = steps.minibatch(step);
  const Part part = part_of(processes_);
  const auto own = examples_of(minibatch, part);
  first_example_ = static_cast<std::int64_t>(part.begin(minibatch.size()));
  const StepOutput output = backward(gather(own, steps), labels_.index_select(0, as_tensor(own)));
  const double loss = all_reduce(
      output.loss, static_cast<double>(own.size()) / static_cast<double>(minibatch.size()));
  update(as_tensor(steps.learning_rates)[step]);
  finish_step();
  result.losses.push_back(static_cast<float>(loss));
  result.correct += output.correct.item<std::int64_t>();
}

/// Replaces the gradients by those of the whole minibatch, of which this process has computed
/// `fraction`; returns the mean of `loss`.
double DataParallelEngine::all_reduce(const torch::Tensor& loss, double fraction) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> means{loss.view(1)};
  for (const torch::Tensor& parameter : parameters_) means.push_back(parameter.grad().flatten());
  torch::Tensor sums = torch::cat(means).to(torch::kFloat64);
  // The mean over no examples is NaN.
  if (fraction > 0) {
    sums.mul_(fraction);
  } else {
    sums.zero_();
  }
  auto* const values = sums.mutable_data_ptr<double>();
  processes_.sum({values, static_cast<std::size_t>(sums.numel())});
  std::int64_t begin = 1;
  for (torch::Tensor& parameter : parameters_) {
    const std::int64_t count = parameter.numel();
    parameter.mutable_grad().copy_(sums.narrow(0, begin, count).view_as(parameter));
    begin += count;
  }
  return values[0];
}

}  // namespace mnist
