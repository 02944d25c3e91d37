// Calls of Linux and glibc that Swift's module Glibc leaves out.
#ifdef __linux__
#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

// The headers declare these only under _GNU_SOURCE.
int ppoll(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *, const char *);

// O_PATH: opens a file as a place in the file system, without the right to read it.
static inline int beanrow_open_path_flag(void) { return __O_PATH; }

// Sets the user, group and supplementary groups that the kernel checks when this thread uses files. Other threads keep
// theirs (glibc's setgroups would change all threads). Returns 0, or -1 with errno; then nothing has changed.
static inline int beanrow_set_file_identity(uid_t user, gid_t group, size_t count, const gid_t *groups) {
    // With this bit (1 << SECURE_NO_SETUID_FIXUP) the thread would keep root's rights over files.
    if (user != 0 && (prctl(PR_GET_SECUREBITS) & (1 << 2)) != 0) {
        errno = EPERM;
        return -1;
    }
    if (user == 0) setfsuid(user);
    if (syscall(SYS_setgroups, count, groups) != 0) return -1;
    // These two return the previous id, and never an error.
    setfsgid(group);
    if (user != 0) setfsuid(user);
    if ((uid_t)setfsuid((uid_t)-1) == user && (gid_t)setfsgid((gid_t)-1) == group) return 0;
    errno = EPERM;
    return -1;
}
#endif
