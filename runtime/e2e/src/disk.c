/* Stands before the C library's function: waits for a lock that a test may hold, and fails where a test says so. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

int fdatasync(int file) {
    int lock = open(getenv("LONGSHORE_DISK_LOCK"), O_RDONLY | O_CLOEXEC);
    flock(lock, LOCK_SH);
    close(lock);
    if (access(getenv("LONGSHORE_DISK_FAILS"), F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    return syscall(SYS_fdatasync, file);
}
