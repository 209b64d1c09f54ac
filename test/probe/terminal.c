// Runs a program on a new terminal, of 24 rows and 80 columns, as the leader of its session:
//   terminal PROGRAM [ARG...]
// Standard input is what is typed, standard output what the screen gets. Where standard input ends, the terminal hangs up.
// Each line of file 3 is a size, "ROWS COLUMNS", that the terminal takes. Ends as the program ends, 128 + n by signal n,
// and not before it: whatever else still has the terminal then sees it hang up.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int ended[2];

static void on_child(int number) {
  (void)number;
  int before = errno;
  if (write(ended[1], "", 1) == -1) {}
  errno = before;
}

static void need(int result, const char *what) {
  if (result != -1) return;
  perror(what);
  _exit(97);
}

static void write_all(int fd, const char *bytes, ssize_t count) {
  while (count > 0) {
    ssize_t written = write(fd, bytes, (size_t)count);
    if (written == -1 && errno != EINTR) return;
    if (written > 0) bytes += written, count -= written;
  }
}

// All that is there to be read. False: the terminal has no program any more.
static int show(int master) {
  for (;;) {
    char bytes[4096];
    ssize_t count = read(master, bytes, sizeof bytes);
    if (count > 0) write_all(1, bytes, count);
    else if (count == -1 && errno == EINTR) continue;
    else return count == -1 && errno == EAGAIN;
  }
}

// False: there is no more to come. A line that is not whole yet is kept for the next time.
static int resize(int master) {
  static char line[64];
  static size_t length;
  char byte;
  if (read(3, &byte, 1) != 1) return 0;
  if (byte != '\n' && length < sizeof line - 1) line[length++] = byte;
  if (byte != '\n') return 1;
  line[length] = 0;
  length = 0;
  struct winsize size = {0};
  if (sscanf(line, "%hu %hu", &size.ws_row, &size.ws_col) == 2) need(ioctl(master, TIOCSWINSZ, &size), "TIOCSWINSZ");
  return 1;
}

int main(int argc, char **argv) {
  if (argc < 2) return 96;
  need(pipe2(ended, O_CLOEXEC | O_NONBLOCK), "pipe2");
  struct winsize size = {.ws_row = 24, .ws_col = 80};
  int master;
  pid_t child = forkpty(&master, NULL, NULL, &size);
  need(child, "forkpty");
  if (child == 0) {
    close(3);
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    _exit(127);
  }
  struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_NOCLDSTOP};
  need(sigaction(SIGCHLD, &action, NULL), "sigaction");
  need(fcntl(master, F_SETFD, FD_CLOEXEC), "cloexec");
  need(fcntl(master, F_SETFL, O_NONBLOCK), "nonblock");
  struct pollfd fds[] = {{0, POLLIN, 0}, {3, POLLIN, 0}, {master, POLLIN, 0}, {ended[0], POLLIN, 0}};
  int status;
  // It may have ended before the handler stood.
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (poll(fds, 4, -1) == -1) continue;
    if (fds[2].revents != 0 && !show(master)) fds[2].fd = -1;
    if (fds[1].revents != 0 && !resize(master)) fds[1].fd = -1;
    if (fds[0].revents != 0) {
      char bytes[1024];
      ssize_t count = read(0, bytes, sizeof bytes);
      if (count > 0) write_all(master, bytes, count);
      else close(master), fds[0].fd = fds[1].fd = fds[2].fd = -1;
    }
    char drained[16];
    while (read(ended[0], drained, sizeof drained) > 0) {}
  }
  if (fds[0].fd != -1) show(master);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
