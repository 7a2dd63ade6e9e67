#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Copies bytes between files inside of the kernel, from an offset of one to the position of the other.
///
/// Returns how many were copied, 0 at the end of the source, -1 with errno set.
ssize_t nn_copy_range(int source, int64_t offset, int target, size_t count);

/// Starts to write a part of a file to its device, without waiting for it. What cannot be started early is written later.
void nn_start_writing(int descriptor, int64_t offset, int64_t count);

/// Opens a file without a name in a folder for reading and writing; it goes when it is closed before it has got a name.
///
/// Returns the descriptor, -1 with errno set: EOPNOTSUPP, EISDIR or EINVAL where the file system has no such files.
int nn_open_unnamed(const char *folder);

/// Opens a file for reading by a path from a folder, as long as neither the path nor a link on its way leaves that folder.
///
/// Returns the descriptor, -1 with errno set: EXDEV where it leaves the folder or goes through an absolute link, ENOSYS where the
/// kernel cannot tell.
int nn_open_beneath(const char *folder, const char *path);

/// Gives an open file, named or not, a further name. Returns 0, -1 with errno set: EEXIST when the name is taken.
int nn_name_file(int descriptor, const char *path);
