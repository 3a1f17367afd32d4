/* Processes of known memory, CPU and name for the end-to-end tests and benchmarks: cc -O1 -pthread -o child child.c
 * Every mode prints "ready PID..." once set up, ends at SIGTERM or when stdin closes, and dies with its parent.
 * Linux only: prctl(2), /proc/sys/kernel/ns_last_pid. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const size_t MIB = 1 << 20;
static const size_t PAGE = 4096;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

/* Burns until this process has used so much CPU altogether. */
static void burn_until(double cpu_seconds) {
  while (seconds(CLOCK_PROCESS_CPUTIME_ID) < cpu_seconds)
    for (volatile int i = 0; i < 10000; i++) {
    }
}

static void name_self(const char *bytes) { prctl(PR_SET_NAME, bytes); }

/* Memory nobody merges into huge pages, so that what is touched is what is counted. */
static char *map(size_t bytes, int flags) {
  char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) fail("mmap");
  madvise(at, bytes, MADV_NOHUGEPAGE);
  return at;
}

static void touch(char *at, size_t bytes) {
  for (size_t i = 0; i < bytes; i += PAGE) at[i] = (char)(i / PAGE + 1);
}

/* 1: a line came, 0: nothing within ms (-1 waits on), -1: stdin closed. */
static int command(int ms) {
  char buffer[4096];
  struct pollfd in = {.fd = 0, .events = POLLIN};
  if (poll(&in, 1, ms) <= 0) return 0;
  return read(0, buffer, sizeof buffer) > 0 ? 1 : -1;
}

static void hold(void) {
  while (command(-1) >= 0) {
  }
}

static void ready(const pid_t *pids, int n) {
  printf("ready");
  for (int i = 0; i < n; i++) printf(" %d", pids[i]);
  printf("\n");
  fflush(stdout);
}

static void ready_self(void) {
  pid_t self = getpid();
  ready(&self, 1);
}

/* Forks; the child has lost stdin (only the first process obeys it) and dies with its parent. */
static pid_t spawn(void) {
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid < 0) fail("fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    close(0);
    open("/dev/null", O_RDONLY);
  }
  return pid;
}

/* Forks n children that run `work` once and then wait for their end; returns when all have run it. */
static pid_t *brood(int n, void (*work)(int)) {
  int done[2];
  pid_t *pids = calloc(n, sizeof *pids);
  if (!pids || pipe(done)) fail("brood");
  for (int i = 0; i < n; i++) {
    pids[i] = spawn();
    if (pids[i] == 0) {
      free(pids);
      work(i);
      if (write(done[1], ".", 1) != 1) _exit(1);
      for (;;) pause();
    }
  }
  close(done[1]);
  for (int i = 0; i < n; i++) {
    char c;
    if (read(done[0], &c, 1) != 1) fail("a child ended early");
  }
  return pids;
}

/* What the forked children work with. */
static char *segment;
static size_t segment_bytes, piece_bytes;
static int pieces, settled_threads = 1;
static const char *prefix;

static void touch_segment(int i) {
  (void)i;
  name_self("hk-shared");
  touch(segment, segment_bytes);
}

static void *wait_always(void *unused) {
  for (;;) pause();
  return unused;
}

static void more_threads(int n) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 64 * 1024);
  for (int i = 0; i < n; i++) {
    pthread_t thread;
    if (pthread_create(&thread, &small, wait_always, NULL)) fail("pthread_create");
  }
}

/* One member of a fleet: its name, its mappings and its touched memory spread over them, and its threads. */
static void settle(int i) {
  char name[32];
  snprintf(name, sizeof name, "%s%d", prefix, i);
  name_self(name);
  for (int k = 0; k < pieces; k++) {
    /* differing protections keep neighbours from merging into one mapping */
    char *at = map(piece_bytes + PAGE, MAP_PRIVATE);
    touch(at, piece_bytes);
    if (k % 2) mprotect(at, piece_bytes + PAGE, PROT_READ);
  }
  more_threads(settled_threads - 1);
}

static void inherit(int i) { (void)i; }

/* N short-lived children of MS ms of CPU each, so many at a time; then what the kernel accounted for them. */
static void storm(int n, double ms, int parallel) {
  int alive = 0;
  for (int started = 0; started < n || alive > 0;) {
    if (started < n && alive < parallel) {
      if (spawn() == 0) {
        burn_until(ms / 1e3);
        _exit(0);
      }
      started++;
      alive++;
    } else if (wait(NULL) > 0) {
      alive--;
    }
  }
  struct rusage children, self;
  getrusage(RUSAGE_CHILDREN, &children);
  getrusage(RUSAGE_SELF, &self);
  printf("accounted %.6f %.6f\n",
         children.ru_utime.tv_sec + children.ru_stime.tv_sec + (children.ru_utime.tv_usec + children.ru_stime.tv_usec) / 1e6,
         self.ru_utime.tv_sec + self.ru_stime.tv_sec + (self.ru_utime.tv_usec + self.ru_stime.tv_usec) / 1e6);
  fflush(stdout);
}

static pid_t burner(double ms) {
  pid_t pid = spawn();
  if (pid != 0) return pid;
  name_self("hk-reuse");
  burn_until(ms / 1e3);
  for (;;) pause();
}

/* As the init of a pid namespace: at each line, ends its child and starts another under the very same pid. */
static void reuse(double ms) {
  name_self("hk-init");
  pid_t pid = burner(ms);
  ready(&pid, 1);
  while (command(-1) > 0) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    FILE *last = fopen("/proc/sys/kernel/ns_last_pid", "w");
    if (!last || fprintf(last, "%d", pid - 1) < 0 || fclose(last)) fail("ns_last_pid");
    pid_t next = burner(0);
    if (next != pid) fprintf(stderr, "pid %d was not given again: %d\n", pid, next);
    pid = next;
    ready(&pid, 1);
  }
}

/* What lives on when the first thread has ended. */
static void *outlive(void *bytes) {
  touch(map((size_t)bytes, MAP_PRIVATE), (size_t)bytes);
  usleep(50000); /* until the first thread has ended */
  ready_self();
  hold();
  exit(0);
}

/* Waits for its end in the address space of its parent. */
static int stay(void *unused) {
  (void)unused;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (pause() < 0) {
  }
  return 0;
}

/* N processes that have one address space, in which so many bytes are touched. */
static void together(size_t bytes, int n) {
  touch(map(bytes, MAP_PRIVATE), bytes);
  pid_t *pids = calloc(n, sizeof *pids);
  const size_t stack = 16 * 1024;
  char *stacks = map(n * stack, MAP_PRIVATE);
  if (!pids) fail("together");
  for (int i = 0; i < n; i++)
    if ((pids[i] = clone(stay, stacks + (i + 1) * stack, CLONE_VM | SIGCHLD, NULL)) < 0) fail("clone");
  ready(pids, n);
  hold();
}

static void touch_huge(int i) {
  name_self(i % 2 ? "hk-hugeone" : "hk-hugetwo");
  touch(segment, segment_bytes);
}

/* Huge pages: of this process alone, or one segment that N children map. */
static void huge(size_t bytes, int n) {
  const int sharing = n ? MAP_SHARED : MAP_PRIVATE;
  segment_bytes = bytes;
  segment = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_HUGETLB | sharing, -1, 0);
  if (segment == MAP_FAILED) fail("mmap of huge pages");
  if (n) {
    name_self("hk-launcher");
    ready(brood(n, touch_huge), n);
    munmap(segment, bytes);
  } else {
    touch(segment, bytes);
    ready_self();
  }
  hold();
}

/* So much memory, of a parent that vfork(2) holds and of its child. */
static void vforked(size_t bytes) {
  touch(map(bytes, MAP_PRIVATE), bytes);
  ready_self();
  if (vfork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
  }
}

static const char usage[] =
    "child private MIB            hold so much private memory\n"
    "child leaderless MIB         the first thread ends, another one holds so much private memory\n"
    "child zero GIB               fill page tables with the page of zeros, without resident memory\n"
    "child shared MIB N           N children map and touch one shared segment\n"
    "child together MIB N         N processes in one address space that holds so much\n"
    "child huge MIB [N]           huge pages of its own, or one segment that N children map\n"
    "child vfork MIB              a parent that vfork holds, and its child\n"
    "child threads N              N threads that wait\n"
    "child burn PERCENT           use so much of one core\n"
    "child name HEX [MIB]         be called these bytes\n"
    "child fleet N MAPS KIB NAME [T]  N children NAME0, NAME1... of MAPS mappings, KIB and T threads each\n"
    "child storm N MS PARALLEL    after a line on stdin: N children of MS ms CPU, then \"accounted CHILDREN SELF\"\n"
    "child leak MIB_PER_S         grow\n"
    "child file MIB N PATH        N children map a file of so many MiB and read it all\n"
    "child growshared MIB N       N children share a segment and each touches one MiB more of it a second\n"
    "child prefork MIB N          N children inherit private memory; at each line the parent writes it all\n"
    "child reuse MS               as init of a pid namespace: a child burns MS, each line replaces it under its pid\n";

static void read_segment(int at) { for (at = 0; (size_t)at < segment_bytes; at += PAGE) (void)*(volatile char *)(segment + at); }

static void growshared(size_t bytes, int n) {
  segment = map(bytes, MAP_SHARED);
  pid_t *pids = calloc(n, sizeof *pids);
  if (!pids) fail("growshared");
  for (int i = 0; i < n; i++) {
    pids[i] = spawn();
    for (size_t at = 0; pids[i] == 0; at += at + MIB <= bytes ? MIB : 0) {
      sleep(1);
      if (at + MIB <= bytes) touch(segment + at, MIB);
    }
  }
  ready(pids, n);
  hold();
}

int main(int argc, char **argv) {
  const char *mode = argc > 2 ? argv[1] : "";
  double number = argc > 2 ? atof(argv[2]) : 0;
  int n = argc > 3 ? atoi(argv[3]) : 1;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (strcmp(mode, "name")) {
    char name[16];
    snprintf(name, sizeof name, "hk-%s", mode);
    name_self(name);
  }
  if (!strcmp(mode, "private")) {
    touch(map(number * MIB, MAP_PRIVATE), number * MIB);
    ready_self(), hold();
  } else if (!strcmp(mode, "zero")) {
    size_t bytes = number * 1024 * MIB;
    volatile char *at = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) fail("mmap");
    madvise((void *)at, bytes, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < bytes; i += PAGE) (void)at[i];
    ready_self();
    hold();
  } else if (!strcmp(mode, "leaderless")) {
    pthread_t other;
    if (pthread_create(&other, NULL, outlive, (void *)(size_t)(number * MIB))) fail("pthread_create");
    pthread_exit(NULL);
  } else if (!strcmp(mode, "shared")) {
    name_self("hk-launcher");
    segment_bytes = number * MIB;
    segment = map(segment_bytes, MAP_SHARED);
    ready(brood(n, touch_segment), n);
    hold();
  } else if (!strcmp(mode, "file") && argc == 5) {
    segment = mmap(NULL, segment_bytes = number * MIB, PROT_READ, MAP_SHARED, open(argv[4], O_RDONLY), 0); /* a fault tells where it failed */
    ready(brood(n, read_segment), n), hold();
  } else if (!strcmp(mode, "burn")) {
    /* where it may, before everything else: a busy machine must not keep it from its share */
    struct sched_param first = {.sched_priority = 1};
    sched_setscheduler(0, SCHED_RR, &first);
    ready_self();
    double began = seconds(CLOCK_MONOTONIC), used = seconds(CLOCK_PROCESS_CPUTIME_ID);
    while (command(2) >= 0) burn_until(used + (seconds(CLOCK_MONOTONIC) - began) * number / 100);
  } else if (!strcmp(mode, "name")) {
    char name[17] = "";
    for (int i = 0; i < 15 && argv[2][2 * i]; i++) sscanf(argv[2] + 2 * i, "%2hhx", (unsigned char *)&name[i]);
    name_self(name);
    if (argc > 3) touch(map(n * MIB, MAP_PRIVATE), n * MIB);
    ready_self();
    hold();
  } else if (!strcmp(mode, "fleet") && (argc == 6 || argc == 7)) {
    name_self("hk-launcher");
    pieces = n;
    piece_bytes = pieces > 0 ? (size_t)atoi(argv[4]) * 1024 / pieces / PAGE * PAGE : 0;
    prefix = argv[5];
    if (argc == 7) settled_threads = atoi(argv[6]);
    ready(brood(number, settle), number);
    hold();
  } else if (!strcmp(mode, "storm") && argc == 5) {
    ready_self();
    while (command(-1) > 0) storm(number, n, atoi(argv[4]));
  } else if (!strcmp(mode, "leak")) {
    ready_self();
    double began = seconds(CLOCK_MONOTONIC);
    for (size_t held = 0; command(50) >= 0;) {
      size_t due = (size_t)((seconds(CLOCK_MONOTONIC) - began) * number * MIB) / PAGE * PAGE;
      if (due == held) continue;
      touch(map(due - held, MAP_PRIVATE), due - held);
      held = due;
    }
  } else if (!strcmp(mode, "together")) {
    together(number * MIB, n);
  } else if (!strcmp(mode, "huge")) {
    huge(number * MIB, argc > 3 ? n : 0);
  } else if (!strcmp(mode, "vfork")) {
    vforked(number * MIB);
  } else if (!strcmp(mode, "threads")) {
    more_threads(number);
    ready_self();
    hold();
  } else if (!strcmp(mode, "growshared")) {
    growshared(number * MIB, n);
  } else if (!strcmp(mode, "prefork")) {
    char *memory = map(number * MIB, MAP_PRIVATE);
    touch(memory, number * MIB);
    ready(brood(n, inherit), n);
    while (command(-1) > 0) touch(memory, number * MIB);
  } else if (!strcmp(mode, "reuse")) {
    reuse(number);
  } else {
    fputs(usage, stderr);
    return 2;
  }
  return 0;
}
