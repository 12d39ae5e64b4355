// Turns exceptions into exit codes, and keeps the process-wide state of signals and standard
// streams.
#include "cli/run_program.hpp"

#include <csignal>
#include <exception>
#include <fcntl.h>
#include <initializer_list>
#include <new>
#include <unistd.h>

#include <spdlog/fmt/fmt.h>

#include "support/stop_signal.hpp"

namespace mnist {
namespace {

constexpr const char* kOutOfMemory = "out of memory; try a smaller --batch, --limit or --hidden";

/// Opens /dev/null in place of closed standard streams: otherwise the next file opened would get
/// their number, and output would be written into it. It is read-only, so that printing fails.
void fill_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0) continue;
    if (::open("/dev/null", O_RDONLY) < 0) return;
  }
}

}  // namespace

int run_guarded(const std::string& name, const std::function<int()>& work) {
  fill_closed_streams();
  start_log(name);
  watch_stop_signals();
  // Failed writes are handled where they happen, by their error code.
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);  // NOLINT(cert-err33-c)
  try {
    return work();
  } catch (const UsageError& error) {
    const std::string message = error.what();
    // A message that already ends in a suggestion needs no pointer to --help.
    log_error(message.ends_with('?') ? message : message + "; see " + name + " --help");
    return kExitUsage;
  } catch (const Error& error) {
    log_error(error.what());
  } catch (const std::bad_alloc&) {
    log_error(kOutOfMemory);
  } catch (const std::exception& error) {
    // The first line says what happened; in LibTorch's messages, a stack trace follows.
    const std::string message = error.what();
    const bool memory = message.find("can't allocate memory") != std::string::npos;
    log_error(memory ? kOutOfMemory : message.substr(0, message.find('\n')));
  }
  return kExitFailure;
}

int check_accuracy(double accuracy, double percent) {
  if (100 * accuracy >= percent) return kExitSuccess;
  log_error(fmt::format("accuracy {:.2f} % is below the required {} %", 100 * accuracy, percent));
  return kExitBelowRequiredAccuracy;
}

}  // namespace mnist
