/* A System V segment that stays when nobody is attached: segment MIB. Fills it, detaches, prints "ready ID" and ends. The test
 * removes it (ipcrm). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>

int main(int argc, char **argv) {
  size_t bytes = argc == 2 ? strtoul(argv[1], NULL, 10) << 20 : 0;
  int id = shmget(IPC_PRIVATE, bytes, IPC_CREAT | 0600);
  char *at = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
  if (at == (void *)-1) {
    perror("segment");
    return 1;
  }
  memset(at, 1, bytes);
  shmdt(at);
  printf("ready %d\n", id);
  return 0;
}
