// One message and one exit code for all processes.
#include "cli/launched.hpp"

#include <array>
#include <chrono>
#include <thread>

#include "cli/run_program.hpp"
#include "support/bytes.hpp"
#include "support/machine.hpp"
#include "support/stop_signal.hpp"

namespace mnist {
namespace {

/// How long other processes wait before they report an error. If all processes fail alike, process
/// 0 has reported it and ended them by then.
constexpr std::chrono::seconds kReportDelay{2};

int lead_others(ProcessGroup& group, const Lead& lead) {
  const int code = lead(group);
  if (code == kExitFailure || code == kExitUsage) return code;
  std::vector<std::uint8_t> nothing;
  group.broadcast(nothing);
  return code;
}

/// Waits, then returns whether to report an error: no other process has reported one and ended this
/// process.
bool is_first_to_report(const ProcessGroup& group) {
  std::this_thread::sleep_for(kReportDelay + std::chrono::milliseconds(100) * group.rank());
  return pending_stop_signal() == 0;
}

std::string error_text(const Communicator& group, const std::exception& error) {
  return "process " + std::to_string(group.rank()) + " on " + host_name() + ": " + error.what();
}

int follow(ProcessGroup& group, const Assist& assist) {
  try {
    int code = kExitSuccess;
    while (true) {
      std::vector<std::uint8_t> message;
      group.broadcast(message);
      if (message.empty()) return code;
      code = assist(group, {message.begin(), message.end()});
    }
  } catch (const UsageError& error) {
    if (is_first_to_report(group)) throw UsageError(error_text(group, error));
  } catch (const std::exception& error) {
    if (is_first_to_report(group)) throw Error(error_text(group, error));
  }
  return kExitFailure;
}

}  // namespace

int stop_signal_of_any(Communicator& processes) {
  return static_cast<int>(processes.max(pending_stop_signal()));
}

void train_together(Trainer& trainer, Communicator& processes, bool validates,
                    const Validate& validate) {
  trainer.set_should_stop([&] { return stop_signal_of_any(processes) != 0; });
  trainer.set_all_reduce_max([&](std::int64_t value) { return processes.max(value); });
  if (!validates) return;
  trainer.set_validation([&processes, validate](const Mlp& mlp) {
    std::array<double, 2> score{};
    if (validate) {
      const Score own = validate(mlp);
      score = {own.loss, own.accuracy};
    }
    processes.sum(score);
    return Score{score[0], score[1]};
  });
}

void check_same_parameters(const Engine& engine, Communicator& processes) {
  const std::vector<float> values = flatten(engine.parameters());
  const Bytes bytes = bytes_of(values);
  const std::vector<std::uint8_t> own(bytes.begin(), bytes.end());
  std::vector<std::uint8_t> first = own;
  processes.broadcast(first);
  if (processes.max(first == own ? 0 : 1) == 0) return;
  throw Error(
      "the processes have trained different parameters, because their CPUs round differently; use "
      "machines of one type, or with the fused engine an instruction set that all of them have, "
      "such as --cpu-target avx2");
}

int run_launched(const Launch& launch, const Lead& lead, const Assist& assist) {
  const StopDelay delay;
  std::unique_ptr<ProcessGroup> group;
  const int joined = run_guarded(TrainOptions::kProgram, [&]() -> int {
    try {
      group = join_processes(launch);
    } catch (const Error&) {
      if (launch.rank == 0) throw;
    }
    return kExitSuccess;
  });
  if (group == nullptr) return joined;
  const int code = run_guarded(TrainOptions::kProgram, [&] {
    return group->rank() == 0 ? lead_others(*group, lead) : follow(*group, assist);
  });
  group->leave(code == kExitFailure || code == kExitUsage ? code : kExitSuccess);
  return code;
}

}  // namespace mnist
