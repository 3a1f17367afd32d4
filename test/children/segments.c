/* Processes that share two segments of huge pages: cc -O1 -o segments segments.c; segments MIB. The first segment is a memfd,
 * the second one is of System V, each of so many MiB. Four children: one maps the first segment, two map the second one, and
 * one maps both; each touches what it maps. Prints "ready PID..." once set up, ends when stdin closes, and its children die
 * with it. Linux only. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <unistd.h>

#define CHILDREN 4
#define PAGE (2ul << 20)

static const struct {
  const char *name;
  int first, second;
} maps[CHILDREN] = {{"hk-first", 1, 0}, {"hk-second", 0, 1}, {"hk-other", 0, 1}, {"hk-both", 1, 1}};

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void touch(char *at, size_t bytes) {
  for (size_t i = 0; i < bytes; i += PAGE) at[i] = 1;
}

int main(int argc, char **argv) {
  size_t bytes = argc == 2 ? strtoul(argv[1], NULL, 10) << 20 : 0;
  if (bytes == 0) {
    fputs("segments MIB\n", stderr);
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "hk-launcher");
  int file = memfd_create("segment", MFD_HUGETLB);
  int id = shmget(IPC_PRIVATE, bytes, IPC_CREAT | SHM_HUGETLB | 0600);
  if (file < 0 || ftruncate(file, bytes)) fail("memfd of huge pages");
  if (id < 0) fail("shmget of huge pages");
  char *second = shmat(id, NULL, 0);
  shmctl(id, IPC_RMID, NULL);
  if (second == (char *)-1) fail("shmat");
  int done[2];
  if (pipe(done)) fail("pipe");
  printf("ready");
  for (int i = 0; i < CHILDREN; i++) {
    fflush(stdout);
    pid_t parent = getpid(), pid = fork();
    if (pid < 0) fail("fork");
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(1);
      prctl(PR_SET_NAME, maps[i].name);
      if (maps[i].first) {
        char *first = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (first == MAP_FAILED) fail("mmap");
        touch(first, bytes);
      }
      if (maps[i].second) touch(second, bytes);
      else if (shmdt(second)) fail("shmdt");
      if (write(done[1], ".", 1) != 1) _exit(1);
      for (;;) pause();
    }
    printf(" %d", pid);
  }
  char c;
  close(done[1]);
  for (int i = 0; i < CHILDREN; i++)
    if (read(done[0], &c, 1) != 1) fail("a child ended early");
  if (shmdt(second)) fail("shmdt");
  close(file);
  printf("\n");
  fflush(stdout);
  while (read(0, &c, 1) > 0) {
  }
  return 0;
}
