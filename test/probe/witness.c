// Writes down, line by line at the end of a file, what happens to it on a terminal:
//   witness FILE [catch N] [ignore N] [deaf] [raw] [tty] [spawn] [exit STATUS] [end N STATUS]
//     start       it runs
//     signal N    a signal that it catches has come
//     line TEXT   this line was read from standard input; "tty": from /dev/tty
//     size R C    the size of the terminal, when it reads "size"
//     end         there is nothing more to read: it ends with the status of "exit", else 0. So it does by "quit".
// "deaf": it never reads. "raw": it puts the terminal into a mode without echo and lines, and does not put it back.
// "end": by signal N it ends with that status.
// "spawn": it starts a child in its own process group that does nothing but be there.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static int out;

static void note(const char *text) {
  int before = errno;
  if (write(out, text, strlen(text)) == -1) _exit(95);
  errno = before;
}

static int ends[65];

static void on_end(int number) {
  _exit(ends[number]);
}

static void on_signal(int number) {
  char text[] = "signal 00\n";
  text[7] = (char)('0' + number / 10);
  text[8] = (char)('0' + number % 10);
  note(text);
}

static void note_size(int terminal) {
  struct winsize size;
  char text[64];
  if (ioctl(terminal, TIOCGWINSZ, &size) == -1) return note("no size\n");
  snprintf(text, sizeof text, "size %d %d\n", size.ws_row, size.ws_col);
  note(text);
}

int main(int argc, char **argv) {
  if (argc < 2) return 96;
  out = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (out == -1) return 97;
  int status = 0, deaf = 0, in = 0;
  for (int i = 2; i < argc; i++) {
    const char *word = argv[i];
#define IS(name) (strcmp(word, name) == 0)
    if (IS("catch")) {
      struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
      sigaction(atoi(argv[++i]), &action, NULL);
    } else if (IS("ignore")) signal(atoi(argv[++i]), SIG_IGN);
    else if (IS("end")) {
      ends[atoi(argv[i + 1])] = atoi(argv[i + 2]);
      signal(atoi(argv[i + 1]), on_end);
      i += 2;
    } else if (IS("deaf")) deaf = 1;
    else if (IS("tty")) in = open("/dev/tty", O_RDWR | O_CLOEXEC);
    else if (IS("exit")) status = atoi(argv[++i]);
    else if (IS("raw")) {
      struct termios modes;
      if (tcgetattr(0, &modes) == -1) return 94;
      cfmakeraw(&modes);
      tcsetattr(0, TCSANOW, &modes);
    } else if (IS("spawn")) {
      if (fork() == 0)
        for (;;) pause();
    } else return 96;
  }
  note("start\n");
  while (deaf) pause();
  for (;;) {
    char line[256] = "line ";
    ssize_t count = read(in, line + 5, sizeof line - 6);
    if (count == -1 && errno == EINTR) continue;
    if (count <= 0) break;
    line[5 + count] = 0;
    if (strcmp(line, "line size\n") == 0) note_size(in);
    else note(line);
    if (strcmp(line, "line quit\n") == 0) break;
  }
  note("end\n");
  return status;
}
