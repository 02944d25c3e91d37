// Calls of Linux and glibc that Swift's Glibc module leaves out.
#ifdef __linux__
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

// Declared under _GNU_SOURCE alone.
int ppoll(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *, const char *);
#endif
