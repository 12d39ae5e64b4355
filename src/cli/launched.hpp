// Runs mnist-train in the processes of an MPI launch.
#pragma once

#include <functional>
#include <string>

#include "distributed/launch.hpp"
#include "mnist/train/trainer.hpp"

namespace mnist {

/// The work of process 0, the only one that prints results and writes files. Returns the exit code.
using Lead = std::function<int(Communicator&)>;

/// The work of any other process, with the message that process 0 broadcast to start it.
using Assist = std::function<int(Communicator&, const std::string& message)>;

/// Runs `lead` in process 0 of `launch`; in the others, `assist` for each message, until `lead` has
/// returned. An error in any process ends all, with its message and exit code; stop signals are
/// delayed (see StopDelay) until all processes have ended. Returns the exit code.
int run_launched(const Launch& launch, const Lead& lead, const Assist& assist);

/// A stop signal that any of the processes has received, or 0.
int stop_signal_of_any(Communicator& processes);

/// Lets `trainer` train one network with those of the other processes: they stop together, and, if
/// `validates`, all get the score that `validate` returns in process 0; it is empty in the others.
void train_together(Trainer& trainer, Communicator& processes, bool validates,
                    const Validate& validate);

/// Throws Error when the processes have trained different parameters, as different CPUs can.
void check_same_parameters(const Engine& engine, Communicator& processes);

}  // namespace mnist
