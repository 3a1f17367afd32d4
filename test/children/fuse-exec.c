/* Processes whose files below /proc do not answer: cc -O1 -o fuse-exec fuse-exec.c; fuse-exec DIRECTORY COUNT
 * Each execs while it holds a close-on-exec file of a FUSE server that keeps silent. Until the server answers, the
 * kernel holds the process's exec_update_lock, and a read of its io, smaps_rollup and exe waits; on recent kernels
 * of its stat too. Linux only: fuse(4), the protocol of include/uapi/linux/fuse.h, without a library.
 * Mounts on DIRECTORY, prints "ready PID..." once all of them hang, and ends all when standard input does.
 * A read of DIRECTORY/file is never answered either: the server has taken it, so that SIGKILL does not end its wait
 * (fs/fuse/dev.c, request_wait_answer). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <poll.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void answer(int fuse, unsigned long long unique, int error, const void *body, size_t length) {
  char reply[4096];
  struct fuse_out_header *header = (void *)reply;
  header->len = sizeof *header + length;
  header->error = error;
  header->unique = unique;
  memcpy(header + 1, body, length);
  if (write(fuse, reply, header->len) < 0 && errno != ENOENT) fail("write /dev/fuse");
}

static void serve(int fuse, int *held) {
  static char request[1 << 20];
  if (read(fuse, request, sizeof request) < 0) {
    if (errno == EINTR || errno == EAGAIN || errno == ENOENT) return;
    fail("read /dev/fuse");
  }
  struct fuse_in_header *in = (void *)request;
  struct fuse_attr attr = {.ino = in->nodeid, .nlink = 1, .mode = in->nodeid == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0666};
  switch (in->opcode) {
    case FUSE_INIT: {
      struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = 4096};
      answer(fuse, in->unique, 0, &out, sizeof out);
      break;
    }
    case FUSE_LOOKUP: {
      attr.ino = 2;
      attr.mode = S_IFREG | 0666;
      struct fuse_entry_out out = {.nodeid = 2, .attr = attr};
      answer(fuse, in->unique, 0, &out, sizeof out);
      break;
    }
    case FUSE_GETATTR: {
      struct fuse_attr_out out = {.attr = attr};
      answer(fuse, in->unique, 0, &out, sizeof out);
      break;
    }
    case FUSE_OPEN: {
      struct fuse_open_out out = {.fh = 1, .open_flags = FOPEN_DIRECT_IO};
      answer(fuse, in->unique, 0, &out, sizeof out);
      break;
    }
    case FUSE_FLUSH:
      ++*held; /* never answered */
      break;
    case FUSE_READ: /* never answered */
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
      break;
    default:
      answer(fuse, in->unique, -ENOSYS, NULL, 0);
  }
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  int count = atoi(argv[2]), held = 0;
  pid_t pids[count + 1];
  int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (fuse < 0) fail("/dev/fuse");
  char options[200];
  snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=%d,group_id=%d,allow_other", fuse, getuid(), getgid());
  if (mount("held", argv[1], "fuse", MS_NOSUID | MS_NODEV, options) < 0) fail("mount");
  char path[4096];
  snprintf(path, sizeof path, "%s/file", argv[1]);
  for (int i = 0; i < count; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      int file = open(path, O_RDONLY | O_CLOEXEC);
      if (file < 0) fail("open");
      execl("/bin/sleep", "sleep", "600", NULL);
      fail("exec");
    }
    pids[i] = pid;
  }
  int told = 0;
  for (;;) {
    if (held == count && !told) {
      told = 1;
      printf(count > 0 ? "ready" : "ready none");
      for (int i = 0; i < count; i++) printf(" %d", pids[i]);
      puts("");
      fflush(stdout);
    }
    struct pollfd fds[] = {{.fd = fuse, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    if (poll(fds, 2, -1) < 0) fail("poll");
    if (fds[1].revents) break;
    if (fds[0].revents) serve(fuse, &held);
  }
  umount2(argv[1], MNT_DETACH);
  return 0;
}
