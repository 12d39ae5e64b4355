// Runs a program in the processes of an MPI launch.
#pragma once

#include <functional>
#include <string>

#include "distributed/launch.hpp"
#include "mnist/train/trainer.hpp"

namespace mnist {

/// Runs `lead` in the first process of `launch`, the only one that prints results and writes files.
/// In the others, runs `assist` with each message that `lead` broadcasts to start something, until
/// `lead` has returned. An error in any process ends all, with its message and exit code; stop
/// signals are delayed (see StopDelay) until all processes have ended. Returns the exit code.
int run_launched(const Launch& launch, const std::string& program,
                 const std::function<int(Communicator&)>& lead,
                 const std::function<int(Communicator&, const std::string&)>& assist);

/// A stop signal that any of the processes has received, or 0.
int stop_signal_of_any(Communicator& processes);

/// Makes `trainer` and those of the other processes train one network: they stop together, and all
/// get the score of `validate`, that of process 0.
void train_together(Trainer& trainer, Communicator& processes, bool validates,
                    const Validate& validate);

/// Throws Error when the processes have trained different parameters, as on different CPUs.
void check_same_parameters(const Engine& engine, Communicator& processes);

}  // namespace mnist
