// From exceptions to exit codes: the frame around every program's work.
#include "mnist/cli/run_program.hpp"

#include <csignal>
#include <new>

namespace mnist {

int run_guarded(const std::string& name, const std::function<int()>& work) {
  start_log(name);
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): a reader that leaves is no error
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
