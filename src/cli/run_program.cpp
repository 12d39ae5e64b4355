// From exceptions to exit codes: the frame around every program's work.
#include "cli/run_program.hpp"

#include <csignal>
#include <exception>
#include <fcntl.h>
#include <initializer_list>
#include <new>
#include <unistd.h>

#include "support/stop_signal.hpp"

namespace mnist {

namespace {

/// Standard streams that were closed get something to be: otherwise the next file to be opened
/// would take their number, and what is printed would go into it. Nothing can be written to this.
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
  // A reader that leaves is no error, and a file that grows too large is one like any other.
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);  // NOLINT(cert-err33-c)
  try {
    return work();
  } catch (const UsageError& error) {
    log_error(std::string(error.what()) + "; see " + name + " --help");
    return kExitUsage;
  } catch (const Error& error) {
    log_error(error.what());
  } catch (const std::bad_alloc&) {
    log_error("out of memory; try a smaller --batch or --limit");
  } catch (const std::exception& error) {
    // LibTorch's messages go on with a stack trace; the first line says what happened.
    const std::string message = error.what();
    log_error(message.substr(0, message.find('\n')));
  }
  return kExitFailure;
}

}  // namespace mnist
