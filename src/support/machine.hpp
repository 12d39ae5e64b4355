// Facts about the machine and the process that the programs report or decide by.
#pragma once

#include <cstdint>
#include <string>

namespace mnist {

/// Processors that this process may run on, as the scheduler's affinity has it; at least 1.
int available_processors();

/// The cores that these processors belong to: a core that shows itself as two counts once, because
/// two threads of arithmetic on it are no faster than one.
int available_cores();

/// The processor's name, such as "Intel(R) Xeon(R) Processor"; "unknown processor" when not told.
std::string processor_name();

/// Largest resident size of this process so far, in bytes.
std::int64_t peak_memory_bytes();

}  // namespace mnist
