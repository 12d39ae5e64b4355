// Messages for people, on standard error; results go to standard output.
#include "mnist/report/log.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

/// The program's one logger.
spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("mnist",
                                                 std::make_shared<spdlog::sinks::stderr_sink_st>());
    made->set_error_handler([](const std::string&) {});  // nowhere is left to complain to
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

void log_line(spdlog::level::level_enum level, const char* pattern, std::string_view message) {
  logger().set_pattern(pattern);
  logger().log(level, message);
}

}  // namespace

void start_log(const std::string& program) {
  const auto sinks = logger().sinks();
  spdlog::logger named(program, sinks.begin(), sinks.end());
  named.set_error_handler([](const std::string&) {});
  logger() = std::move(named);
}

void log_info(std::string_view message) {
  log_line(spdlog::level::info, "%v", message);
}

void log_warning(std::string_view message) {
  log_line(spdlog::level::warn, "%n: warning: %v", message);
}

void log_error(std::string_view message) {
  log_line(spdlog::level::err, "%n: error: %v", message);
}

void print_result(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (written && std::fflush(stdout) == 0) return;
  if (errno == EPIPE) return;
  throw Error(std::string("standard output cannot be written: ") + std::strerror(errno));
}

}  // namespace mnist
