/* Processes that share memory in ways that RSS shows several times: cc -O1 -o sharing sharing.c; sharing MODE MIB N.
 * Every mode prints "ready PID..." once set up, ends when stdin closes, and its children die with it. Linux only. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* Memory nobody merges into huge pages. */
static char *map(size_t bytes, int protection, int flags) {
  char *at = mmap(NULL, bytes, protection, flags, -1, 0);
  if (at == MAP_FAILED) fail("mmap");
  madvise(at, bytes, MADV_NOHUGEPAGE);
  return at;
}

/* The kernel moves only pages out that one process maps, so this comes before the fork. It may leave some in memory; these
 * are asked for again. */
static void swap_out(char *at, size_t bytes) {
  memset(at, 1, bytes);
  for (int i = 0; i < 20; i++) {
    if (madvise(at, bytes, MADV_PAGEOUT)) fail("madvise");
    usleep(100000);
  }
}

static void name(const char *mode) {
  char text[16];
  snprintf(text, sizeof text, "hk-%s", mode);
  prctl(PR_SET_NAME, text);
}

static void *segment;
static size_t segment_bytes;

/* Maps all pages of the segment; the first to do so allocates them. */
static void map_all(void) {
  char *again = mremap(segment, 0, segment_bytes, MREMAP_MAYMOVE);
  if (again == MAP_FAILED) fail("mremap");
  for (size_t i = 0; i < segment_bytes; i += 4096) (void)((volatile char *)again)[i];
}

static const char usage[] =
    "sharing tables MIB N         N children map all pages of one segment\n"
    "sharing swapped MIB N        N processes after a fork, with so much private memory in swap\n"
    "sharing segment MIB N        N processes that map one segment, which is in swap\n";

int main(int argc, char **argv) {
  const char *mode = argc == 4 ? argv[1] : "";
  segment_bytes = argc == 4 ? strtoul(argv[2], NULL, 10) << 20 : 0;
  int n = argc == 4 ? atoi(argv[3]) : 0;
  const int readable = PROT_READ | PROT_WRITE;
  int all_are_children = 0;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!strcmp(mode, "tables")) {
    all_are_children = 1;
    segment = map(segment_bytes, readable, MAP_SHARED | MAP_ANONYMOUS);
    name("launcher");
  } else if (!strcmp(mode, "swapped") || !strcmp(mode, "segment")) {
    int sharing = mode[1] == 'w' ? MAP_PRIVATE : MAP_SHARED;
    swap_out(map(segment_bytes, readable, sharing | MAP_ANONYMOUS), segment_bytes);
    name(mode);
  } else {
    fputs(usage, stderr);
    return 2;
  }
  int done[2];
  if (pipe(done)) fail("pipe");
  printf("ready");
  if (!all_are_children) printf(" %d", getpid());
  fflush(stdout);
  for (int i = all_are_children ? 0 : 1; i < n; i++) {
    pid_t parent = getpid(), pid = fork();
    if (pid < 0) fail("fork");
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(1);
      name(mode);
      if (all_are_children) map_all();
      if (write(done[1], ".", 1) != 1) _exit(1);
      for (;;) pause();
    }
    printf(" %d", pid);
    fflush(stdout);
  }
  char c;
  for (int i = all_are_children ? 0 : 1; i < n; i++)
    if (read(done[0], &c, 1) != 1) fail("a child ended early");
  printf("\n");
  fflush(stdout);
  while (read(0, &c, 1) > 0) {
  }
  return 0;
}
