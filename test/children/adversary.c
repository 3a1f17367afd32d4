/* A user who does at random what a user may do: cc -O1 -pthread -o adversary adversary.c; adversary SECONDS SEED FOLDER
 * Names, titles, paths, threads, exec, fork, vfork, shared address spaces, memory, signals: each process picks its next
 * deed by a generator that the seed starts, so that a run can be repeated in kind. Bounded: at most 150 processes of
 * 24 MiB each; everything ends with the parent, after SECONDS, or when standard input closes. Linux only. */
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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t state;
static const char *folder;
static time_t end;

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

static void *idle(void *unused) {
  for (;;) pause();
  return unused;
}

static void *burn(void *unused) {
  for (volatile int i = 0; i < 20000000; i++) {
  }
  return unused;
}

static int in_shared_memory(void *unused) {
  (void)unused;
  usleep(1000 * (1 + chance(300)));
  _exit(0);
}

static void again(char **argv, int hidden) {
  char name[64], path[4000], seed[32];
  hostile(name, sizeof name);
  if (name[0] == 0) strcpy(name, "x");
  snprintf(path, sizeof path, "/proc/self/exe");
  if (hidden) { /* a program below a folder with a long name of odd bytes */
    char deep[256];
    memset(deep, 0xff, 250);
    deep[250] = 0;
    snprintf(path, sizeof path, "%s/%s", folder, deep);
    mkdir(path, 0755);
    strncat(path, "/program", sizeof path - strlen(path) - 1);
    if (link("/proc/self/exe", path) < 0 && errno != EEXIST) symlink("/proc/self/exe", path);
  }
  snprintf(seed, sizeof seed, "%u", chance(UINT32_MAX));
  char left[32];
  snprintf(left, sizeof left, "%ld", (long)(end - time(NULL)));
  char *args[] = {name, left, seed, (char *)folder, (char *)"again", NULL};
  (void)argv;
  execv(path, args);
  execv("/proc/self/exe", args);
}

static void deed(char **argv) {
  static char *memory;
  static size_t size;
  char text[4096];
  pthread_t thread;
  switch (chance(14)) {
    case 0:
    case 1:
      hostile(text, 16);
      prctl(PR_SET_NAME, text);
      break;
    case 2:
      hostile(argv[0], strlen(argv[0]) + 1);
      break;
    case 3:
    case 4: {
      if (memory) munmap(memory, size);
      size = (size_t)(1 + chance(24)) << 20;
      memory = mmap(NULL, size, PROT_READ | PROT_WRITE, (chance(2) ? MAP_PRIVATE : MAP_SHARED) | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) memory = NULL;
      else memset(memory, 1, size);
      break;
    }
    case 5:
      pthread_create(&thread, NULL, chance(2) ? idle : burn, NULL);
      break;
    case 6: /* the first thread goes, another stays */
      if (chance(4) == 0 && pthread_create(&thread, NULL, burn, NULL) == 0) pthread_exit(NULL);
      break;
    case 7:
      if (chance(3) == 0) again(argv, chance(2));
      break;
    case 8: /* a storm of short lives */
      for (int i = 0; i < 20; i++)
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
      while (waitpid(-1, NULL, WNOHANG) > 0) {
      }
      break;
  }
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  end = time(NULL) + atol(argv[1]);
  state = strtoull(argv[2], NULL, 10) * 2654435761u + 88172645463325252ull;
  folder = argv[3];
  signal(SIGURG, SIG_IGN);
  if (argc == 4) {
    struct rlimit few = {150, 150};
    setrlimit(RLIMIT_NPROC, &few);
    printf("ready %d\n", getpid());
    fflush(stdout);
    for (int i = 0; i < 30; i++) {
      if (fork() == 0) {
        state += (uint64_t)i * 7919 + 1;
        goto life;
      }
    }
    struct pollfd in = {.fd = 0, .events = POLLIN};
    while (time(NULL) < end) {
      if (poll(&in, 1, 200) > 0) break;
      while (waitpid(-1, NULL, WNOHANG) > 0) {
      }
      pid_t pid = fork();
      if (pid == 0) {
        state += (uint64_t)time(NULL);
        goto life;
      }
    }
    kill(0, SIGKILL);
  }
life:
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (time(NULL) < end) {
    deed(argv);
    usleep(1000 * chance(100));
  }
  _exit(0);
}
