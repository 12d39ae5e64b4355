// The one way in which this program writes files: whole or not at all.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mnist {

/// Replaces `path` with `content`: a temporary file beside it, fsync, rename, fsync of the folder.
/// Whoever opens `path` sees the old file or the new one, never a part. A stop signal waits until
/// that is done. Throws Error that names the file; then the old file is untouched and nothing is
/// left beside it (but when the folder's own fsync fails: then the new file is there, and only a
/// power cut could undo it).
void write_file_atomically(const std::string& path, std::span<const std::uint8_t> content);
void write_file_atomically(const std::string& path, std::string_view content);

/// Makes `copy` another name of the file `path`, in the same folder, replacing what had that name.
/// Does nothing when there is no `path`, or the file system knows no second names. Throws Error.
void keep_file_as(const std::string& path, const std::string& copy);

/// Removes what write_file_atomically left in `folder` when its process was killed. Not while
/// others write there.
void remove_temporary_files(const std::string& folder);

/// Throws UsageError when `path` could not be written with write_file_atomically: its folder is
/// missing or closed to us, or it is itself a folder; Error when the disk does not let it. Touches
/// nothing that is there.
void check_file_can_be_written(const std::string& path);

}  // namespace mnist
