// Replaces files atomically.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mnist {

/// Replaces `path` with `content`: temporary file in the same directory, fsync, rename, fsync of
/// the directory. Readers see the old file or the new one, never a mixture. Stop signals are
/// delayed until it is done. Throws Error; the old file is then unchanged and the temporary file
/// removed (except if only the fsync of the directory fails: the new file is in place, but a power
/// failure could undo the rename).
void write_file_atomically(const std::string& path, std::span<const std::uint8_t> content);
void write_file_atomically(const std::string& path, std::string_view content);

/// Makes `copy`, in the same directory, a hard link to the file `path`; replaces an existing
/// `copy`. Does nothing if there is no `path` or the file system has no hard links. Throws Error.
void keep_file_as(const std::string& path, const std::string& copy);

/// Removes temporary files that killed processes left in `directory`. No other process may be
/// writing there.
void remove_temporary_files(const std::string& directory);

/// Throws if write_file_atomically(path) would fail: UsageError if `path` is a directory or its
/// directory is missing or not writable, Error for failures of the disk. Changes no existing file.
void check_file_can_be_written(const std::string& path);

}  // namespace mnist
