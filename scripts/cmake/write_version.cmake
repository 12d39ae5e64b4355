# Writes version.cpp with the git revision; run at each build, it touches the file only on change.
execute_process(COMMAND git -C "${SOURCE_DIR}" describe --always --dirty --abbrev=10 --exclude=*
  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT revision)
  set(revision "unknown")
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" @ONLY CONTENT [[
// Written by scripts/cmake/write_version.cmake.
#include "mnist/support/version.hpp"

namespace mnist {
const char* const kVersion = "@VERSION@";
const char* const kRevision = "@revision@";
}  // namespace mnist
]])
