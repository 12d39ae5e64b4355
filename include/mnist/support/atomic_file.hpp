// The one way in which this program writes files: whole or not at all.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mnist {

/// Replaces `path` with `content`: a temporary file beside it, fsync, rename, fsync of the folder.
/// Whoever opens `path` sees the old file or the new one, never a part. Throws Error that names the
/// file; then the old file is untouched and nothing is left beside it.
void write_file_atomically(const std::string& path, std::span<const std::uint8_t> content);
void write_file_atomically(const std::string& path, std::string_view content);

/// Throws UsageError when `path` could not be written with write_file_atomically: its folder is
/// missing or closed to us, or it is itself a folder. Touches nothing that is there.
void check_file_can_be_written(const std::string& path);

}  // namespace mnist
