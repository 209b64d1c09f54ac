// Leaves orphans behind: processes whose parent has ended.
//   orphans COUNT wait FILE    they end one after the other; it says "done" in FILE, and waits to be killed
//   orphans COUNT exit STATUS  they all end in the moment in which it ends itself, with that status
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 4) return 96;
  int count = atoi(argv[1]), all_at_once = strcmp(argv[2], "exit") == 0;
  int gate[2], gone[2];
  if (pipe(gate) != 0 || pipe(gone) != 0) return 97;
  pid_t parent = fork();
  if (parent == 0) {
    for (int i = 0; i < count; i++) {
      pid_t orphan = fork();
      if (orphan == -1) _exit(97);
      if (orphan != 0) continue;
      close(gate[1]);
      close(gone[0]);
      // Until the gate is closed; a tenth of a millisecond more for each.
      char byte;
      if (read(gate[0], &byte, 1) != 0) _exit(97);
      if (!all_at_once) usleep((useconds_t)i * 100);
      _exit(0);
    }
    _exit(0);
  }
  int status;
  if (waitpid(parent, &status, 0) != parent || status != 0) return 97;
  close(gate[0]);
  close(gone[1]);
  close(gate[1]);
  if (all_at_once) _exit(atoi(argv[3]));
  // It is at its end when the last of them has ended.
  char byte;
  if (read(gone[0], &byte, 1) != 0) return 97;
  FILE *file = fopen(argv[3], "we");
  if (file == NULL) return 97;
  fprintf(file, "done\n");
  fclose(file);
  for (;;) pause();
}
