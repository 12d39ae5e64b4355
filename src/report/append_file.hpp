// Append-only logs: files that grow in place instead of being replaced.
#pragma once

#include <string>
#include <string_view>

namespace mnist {

/// Appends `content` to the file `path`, creating it if needed, and syncs it to disk. A failure or
/// a crash can leave a part of `content` at the end: readers must tolerate a truncated tail. Throws
/// Error that names the file.
void append_to_file(const std::string& path, std::string_view content);

}  // namespace mnist
