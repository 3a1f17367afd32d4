/* A System V segment: segment MIB [stay]. Fills it, detaches, prints "ready ID" and ends; the segment stays, and the test removes
 * it (ipcrm). With "stay" it remains attached until stdin closes, and the segment goes with it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <unistd.h>

int main(int argc, char **argv) {
  size_t bytes = argc >= 2 ? strtoul(argv[1], NULL, 10) << 20 : 0;
  int stay = argc == 3 && !strcmp(argv[2], "stay");
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  int id = shmget(IPC_PRIVATE, bytes, IPC_CREAT | 0600);
  char *at = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
  if (at == (void *)-1) {
    perror("segment");
    return 1;
  }
  memset(at, 1, bytes);
  if (stay) shmctl(id, IPC_RMID, NULL); /* it goes with its last process, however that ends */
  else shmdt(at);
  printf("ready %d\n", id);
  fflush(stdout);
  while (stay && read(0, at, 1) > 0) continue;
  return 0;
}
