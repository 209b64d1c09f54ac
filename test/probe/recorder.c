// Stays until it is killed, and writes down each signal that it is sent, one line each, at the end of FILE:
//   recorder FILE [lock FILE] [end N STATUS] [slow MS] [deaf] [heir MS] [deafheir] [daemon] [stop]
//   start PID      it runs; with "lock", and nobody else holds that lock
//   busy PID       somebody else holds it
//   N SENDER       signal N was sent by the "parent", the "kernel", "self", or another ("other")
//   end PID        it ends by itself: "end N STATUS" is what signal N does
// slow: it takes so long for that. deaf: TERM is ignored. heir: a process stays behind in its group, with the lock, and takes so
// long to end at TERM; deafheir: one that ignores TERM; daemon: it has forked twice, and has a session of its own. stop: it stops itself when it runs.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static int out;
static int ends[65];
static long slow;

static void say(const char *what, const char *who, long number) {
  char line[64];
  int n = who != NULL ? snprintf(line, sizeof line, "%s %s\n", what, who) : snprintf(line, sizeof line, "%s %ld\n", what, number);
  // O_APPEND: a whole line, wherever others write.
  if (write(out, line, (size_t)n) != n) _exit(98);
}

static void rest(long ms) {
  struct timespec left = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0) {}
}

// All signals are blocked in here.
static void on_signal(int number, siginfo_t *info, void *context) {
  (void)context;
  char name[16];
  snprintf(name, sizeof name, "%d", number);
  // sigaction(2): of a code above 0 the kernel itself is the sender; SI_USER is 0, SI_TKILL and SI_QUEUE are below.
  say(name, info->si_code > 0 ? "kernel" : info->si_pid == getppid() ? "parent" : info->si_pid == getpid() ? "self" : "other", 0);
  if (ends[number] == 0) return;
  rest(slow);
  say("end", NULL, getpid());
  _exit(ends[number] - 1);
}

static void heir_ends(int number) {
  (void)number;
  rest(slow);
  _exit(0);
}

static void leave_heir(int is_deaf, int is_daemon, long ms) {
  // What it is sent is not CMD's to write down, from the first moment.
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  if (fork() != 0) {
    sigprocmask(SIG_SETMASK, &before, NULL);
    return;
  }
  if (is_daemon && (setsid() == -1 || fork() != 0)) _exit(0);
  for (int number = 1; number <= 64; number++) signal(number, SIG_DFL);
  slow = ms;
  signal(SIGTERM, is_deaf ? SIG_IGN : heir_ends);
  sigprocmask(SIG_SETMASK, &before, NULL);
  for (;;) pause();
}

int main(int argc, char **argv) {
  if (argc < 2) return 96;
  out = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (out < 0) return 97;
  int is_deaf = 0, stops = 0, heir = 0, is_daemon = 0;
  long heir_ms = 0;
  const char *lock = NULL;
  for (int i = 2; i < argc; i++) {
#define IS(word) (strcmp(argv[i], word) == 0)
    if (IS("lock")) lock = argv[++i];
    else if (IS("end")) ends[atoi(argv[i + 1])] = atoi(argv[i + 2]) + 1, i += 2;
    else if (IS("slow")) slow = atol(argv[++i]);
    else if (IS("deaf")) is_deaf = 1;
    else if (IS("heir")) heir = 1, heir_ms = atol(argv[++i]);
    else if (IS("deafheir")) heir = 2;
    else if (IS("daemon")) is_daemon = 1;
    else if (IS("stop")) stops = 1;
    else return 96;
  }
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigfillset(&action.sa_mask);
  for (int number = 1; number <= 64; number++) {
    if (number == SIGTERM && is_deaf) signal(number, SIG_IGN);
    // 32 and 33 are the C library's own.
    else if (number != SIGKILL && number != SIGSTOP && number != 32 && number != 33) sigaction(number, &action, NULL);
  }
  int is_free = 1;
  if (lock != NULL) {
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    is_free = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
  }
  if (heir != 0) leave_heir(heir == 2, is_daemon, heir_ms);
  say(is_free ? "start" : "busy", NULL, getpid());
  if (stops) raise(SIGSTOP);
  for (;;) pause();
}
