// Logging with spdlog, and the progress line.
#include "support/log.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <unistd.h>
#include <utility>

#include <spdlog/formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

constexpr std::string_view kEraseLine = "\r\x1b[K";
constexpr std::string_view kBoldRed = "\x1b[1;31m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kReset = "\x1b[0m";

/// The state of standard error.
struct Terminal {
  bool has_colors = false;
  bool has_progress = false;    ///< whether progress lines are allowed
  bool shows_progress = false;  ///< whether one is on the screen now
} terminal;

/// Formats messages as lines; warnings and errors get a prefix.
class LineFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
    const auto append = [&line](std::string_view text) {
      line.append(text.data(), text.data() + text.size());
    };
    if (terminal.shows_progress) append(kEraseLine);
    terminal.shows_progress = false;
    if (message.level >= spdlog::level::warn) {
      const bool error = message.level == spdlog::level::err;
      append({message.logger_name.data(), message.logger_name.size()});
      append(": ");
      if (terminal.has_colors) append(error ? kBoldRed : kYellow);
      append(error ? "error:" : "warning:");
      if (terminal.has_colors) append(kReset);
      append(" ");
    }
    append({message.payload.data(), message.payload.size()});
    append("\n");
  }

  std::unique_ptr<formatter> clone() const override { return std::make_unique<LineFormatter>(); }
};

}  // namespace

void start_log(const std::string& program) {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
  sink->set_formatter(std::make_unique<LineFormatter>());
  auto logger = std::make_shared<spdlog::logger>(program, std::move(sink));
  logger->set_error_handler([](const std::string&) {});  // there is nowhere to report it
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

void configure_log(const LogOptions& options) {
  const char* const type = std::getenv("TERM");
  const bool capable =
      ::isatty(STDERR_FILENO) == 1 && type != nullptr && std::strcmp(type, "dumb") != 0;
  const char* const no_color = std::getenv("NO_COLOR");
  const bool auto_colors = capable && (no_color == nullptr || *no_color == '\0');
  terminal.has_colors =
      options.color == ColorMode::kAuto ? auto_colors : options.color == ColorMode::kAlways;
  terminal.has_progress = capable && !options.quiet;
  if (options.quiet) spdlog::set_level(spdlog::level::warn);
  if (options.verbose) spdlog::set_level(spdlog::level::debug);
  if (options.log_file.empty()) return;
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_st>(options.log_file);
    sink->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %n %l: %v");
    spdlog::default_logger()->sinks().push_back(std::move(sink));
  } catch (const spdlog::spdlog_ex&) {
    throw UsageError("--log-file " + options.log_file +
                     " cannot be opened for writing: " + std::strerror(errno));
  }
}

void show_progress(std::string_view line) {
  if (!shows_progress() || (line.empty() && !terminal.shows_progress)) return;
  terminal.shows_progress = !line.empty();
  std::string shown(kEraseLine);
  shown += line;
  // A lost progress line is not an error.
  (void)!::write(STDERR_FILENO, shown.data(), shown.size());
}

bool shows_progress() {
  return terminal.has_progress;
}

void log_debug(std::string_view message) {
  spdlog::debug(message);
}

void log_info(std::string_view message) {
  spdlog::info(message);
}

void log_warning(std::string_view message) {
  spdlog::warn(message);
}

void log_error(std::string_view message) {
  spdlog::error(message);
}

void print_result(std::string_view text) {
  show_progress("");
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (written && std::fflush(stdout) == 0) return;
  if (errno == EPIPE) return;
  throw Error(std::string("standard output cannot be written: ") + std::strerror(errno));
}

}  // namespace mnist
