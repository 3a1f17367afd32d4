/* A user who does at random what a user may do: cc -O1 -pthread -o adversary adversary.c; adversary SECONDS SEED FOLDER CGROUP
 * Names, titles, paths, threads, exec, fork, vfork, shared address spaces, memory, cgroups, signals: each process picks its
 * next deed by a generator that the seed starts, so that a run can be repeated in kind. FOLDER is his, as is the cgroup
 * CGROUP ("-": none). Bounded: at most 150 processes of 12 MiB each, none older than a minute; everything ends with the
 * parent, after SECONDS, or when standard input closes. Linux only. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t state;
static const char *folder, *cgroup;
static time_t end;
/* Where the kernel has the arguments of this process, and how many bytes. */
static char *title;
static size_t title_bytes;

static uint32_t chance(uint32_t below) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 11) % below;
}

static void hostile(char *out, size_t length) {
  static const char *const pieces[] = {"\n", "\"", "\\", ") R 1 (", "\xff\xfe", "\xe2\x80\xae", "<b>", "{a=\"b\"}", "postgres", " ", "\x1b[2J", "kworker/0:1"};
  size_t at = 0;
  while (at + 1 < length) {
    const char *piece = pieces[chance(sizeof pieces / sizeof *pieces)];
    for (; *piece && at + 1 < length; piece++) out[at++] = *piece;
    if (chance(3) == 0) break;
  }
  out[at] = 0;
}

static void again(int hidden);

/* Writes this program to a file and closes it. */
static void copy_self(int to) {
  if (to < 0) return;
  int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  while (from >= 0 && sendfile(to, from, NULL, 1 << 20) > 0) {
  }
  close(from);
  close(to);
}

static void *idle(void *unused) {
  char text[16];
  hostile(text, sizeof text);
  prctl(PR_SET_NAME, text);
  for (;;) pause();
  return unused;
}

static void *burn(void *unused) {
  for (volatile int i = 0; i < 5000000; i++) {
  }
  return unused;
}

static void *exec_from_thread(void *unused) {
  again(0);
  return unused;
}

static int in_shared_memory(void *unused) {
  (void)unused;
  usleep(1000 * (1 + chance(300)));
  _exit(0);
}

/* Runs this program again under a name, and from a path, that it makes up. */
static void again(int hidden) {
  char name[64], path[4096], seed[32], left[32], deep[256];
  hostile(name, sizeof name);
  if (name[0] == 0) strcpy(name, "x");
  snprintf(seed, sizeof seed, "%u", chance(UINT32_MAX));
  snprintf(left, sizeof left, "%ld", (long)(end - time(NULL)));
  char *args[] = {name, left, seed, (char *)folder, (char *)cgroup, (char *)"again", NULL};
  if (hidden == 1) { /* a program below folders with long names of odd bytes */
    memset(deep, 0xff - chance(3), 250);
    deep[250] = 0;
    snprintf(path, sizeof path, "%s", folder);
    for (int depth = 1 + chance(15); depth > 0; depth--) {
      strncat(path, "/", sizeof path - strlen(path) - 1);
      strncat(path, deep, sizeof path - strlen(path) - 1);
      mkdir(path, 0755);
    }
    strncat(path, "/program", sizeof path - strlen(path) - 1);
    copy_self(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755));
    execv(path, args);
  } else if (hidden == 2) { /* a program that has no path */
    hostile(deep, sizeof deep);
    int file = memfd_create(deep, MFD_CLOEXEC);
    copy_self(dup(file));
    fexecve(file, args, environ);
    close(file);
  } else if (hidden == 3) { /* a program that is deleted while it runs, in a folder that is called like a service */
    snprintf(path, sizeof path, "%s/postgres-%u", folder, chance(1000));
    copy_self(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755));
    if (fork() == 0) {
      usleep(2000);
      unlink(path);
      _exit(0);
    }
    execv(path, args);
  }
  execv("/proc/self/exe", args);
}

/* Moves this process into a cgroup with a name of the host's, or of nobody's. */
static void move(void) {
  static const char *const names[] = {"postgresql.service", "docker-c0ffee.scope", "kubepods", "sshd.service", "\xff\xfe", "a\"b"};
  char path[4096];
  if (cgroup[0] == '-') return;
  snprintf(path, sizeof path, "%s/%s", cgroup, names[chance(sizeof names / sizeof *names)]);
  mkdir(path, 0755);
  strncat(path, "/cgroup.procs", sizeof path - strlen(path) - 1);
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  if (write(file, "0", 1) < 0) chance(2);
  close(file);
}

/* Page tables without memory, for a moment: 4 GiB of the page of zeros. */
static void zeros(void) {
  size_t bytes = (size_t)4 << 30;
  volatile char *at = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return;
  madvise((void *)at, bytes, MADV_NOHUGEPAGE);
  for (size_t i = 0; i < bytes; i += 4096) (void)at[i];
  usleep(1000 * chance(3000));
  munmap((void *)at, bytes);
}

/* Takes children that ended, and lets go those that it traces. */
static void reap(void) {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
    if (WIFSTOPPED(status)) ptrace(PTRACE_CONT, pid, NULL, NULL);
}

static void deed(void) {
  static char *memory;
  static size_t size;
  char text[4096];
  pthread_t thread;
  switch (chance(18)) {
    case 0:
    case 1:
      hostile(text, 16);
      prctl(PR_SET_NAME, text);
      break;
    case 2:
      hostile(title, title_bytes);
      break;
    case 3:
    case 4: {
      if (memory) munmap(memory, size);
      size = (size_t)(1 + chance(12)) << 20;
      memory = mmap(NULL, size, PROT_READ | PROT_WRITE, (chance(2) ? MAP_PRIVATE : MAP_SHARED) | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) memory = NULL;
      else memset(memory, 1, size);
      break;
    }
    case 5:
      pthread_create(&thread, NULL, chance(2) ? idle : burn, NULL);
      break;
    case 6: /* the first thread goes, another stays */
      if (chance(4) == 0 && pthread_create(&thread, NULL, chance(4) ? idle : burn, NULL) == 0) pthread_exit(NULL);
      break;
    case 7:
      if (chance(3) == 0) again(chance(4));
      break;
    case 8: /* a storm of short lives */
      for (int i = 0; chance(4) == 0 && i < 50; i++)
        if (fork() == 0) _exit(0);
      break;
    case 9:
      if (vfork() == 0) {
        usleep(1000 * chance(200));
        _exit(0);
      }
      break;
    case 10: {
      static char stack[65536];
      clone(in_shared_memory, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
      break;
    }
    case 11:
      kill(-getpgrp(), chance(2) ? SIGCONT : SIGURG);
      break;
    case 12:
      if (chance(8) == 0) _exit(chance(256));
      break;
    case 13:
      reap();
      break;
    case 14:
      move();
      break;
    case 15: /* stopped, or as a debugger holds it, until a signal of the group or of its parent */
      if (chance(4)) break;
      if (chance(2)) ptrace(PTRACE_TRACEME, 0, NULL, NULL);
      raise(SIGSTOP);
      break;
    case 16: /* an exec from another thread, which takes the place of the first; or a user who hides himself */
      if (chance(8) == 0) pthread_create(&thread, NULL, exec_from_thread, NULL);
      else prctl(PR_SET_DUMPABLE, chance(2));
      break;
    case 17:
      if (chance(60) == 0) zeros();
      break;
  }
}

/* What one process does with its life. */
static void live(void) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  alarm(5 + chance(50)); /* also where only threads are left that do nothing */
  while (time(NULL) < end) {
    deed();
    usleep(1000 * chance(300));
  }
  _exit(0);
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  end = time(NULL) + atol(argv[1]);
  state = strtoull(argv[2], NULL, 10) * 2654435761u + 88172645463325252ull;
  folder = strdup(argv[3]);
  cgroup = strdup(argv[4]);
  title = argv[0];
  title_bytes = argv[argc - 1] + strlen(argv[argc - 1]) + 1 - title;
  signal(SIGURG, SIG_IGN);
  if (argc > 5) live();
  struct rlimit few = {150, 150}, none = {0, 0};
  setrlimit(RLIMIT_NPROC, &few);
  setrlimit(RLIMIT_CORE, &none);
  printf("ready %d\n", getpid());
  fflush(stdout);
  for (int i = 0; i < 30; i++) {
    state += 7919;
    if (fork() == 0) live();
  }
  struct pollfd in = {.fd = 0, .events = POLLIN};
  for (unsigned lives = 30; time(NULL) < end; lives++) {
    if (poll(&in, 1, 200) > 0) break;
    reap();
    state += 7919;
    if (fork() == 0) live();
    if (lives % 50 == 0) kill(0, SIGCONT);
  }
  kill(0, SIGKILL);
}
