// Gives itself a state that a program seldom starts with, and becomes the program behind "--", by the same PID:
//   launch [ignore N] [block N] [pending N] [nofile SOFT] [stack SOFT] [slack NS] [deathsig N] [subreaper]
//          [nonblock FD] [closefd FD] [pipe FD] [file FD PATH] [socket FD] [null FD] [umask OCTAL] [oom N] [alarm S]
//          [nosuch DIR] [session] [group] [core] [pid FILE]
//          [entry TEXT] -- PROGRAM [ARG...]
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void need(int result, const char *what) {
  if (result != -1) return;
  perror(what);
  _exit(97);
}

static void move(int from, int to) {
  if (from == to) return;
  need(dup2(from, to), "dup2");
  close(from);
}

static void limit(int resource, const char *soft) {
  struct rlimit now;
  need(getrlimit(resource, &now), "getrlimit");
  now.rlim_cur = strcmp(soft, "unlimited") == 0 ? RLIM_INFINITY : strtoull(soft, NULL, 10);
  need(setrlimit(resource, &now), "setrlimit");
}

// An entry of the environment as it stands: putenv(3) would not take it twice, nor without "=". \NNN is a byte.
static void add_entry(const char *text) {
  size_t count = 0;
  while (environ[count] != NULL) count++;
  char **more = calloc(count + 2, sizeof *more);
  char *entry = calloc(strlen(text) + 1, 1);
  if (more == NULL || entry == NULL) _exit(97);
  memcpy(more, environ, count * sizeof *more);
  for (char *to = entry; *text != 0;) {
    if (*text != '\\') *to++ = *text++;
    else *to++ = (char)strtol((char[]){text[1], text[2], text[3], 0}, NULL, 8), text += 4;
  }
  more[count] = entry;
  environ = more;
}

static void block(int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  need(sigprocmask(SIG_BLOCK, &set, NULL), "sigprocmask");
}

int main(int argc, char **argv) {
  int i = 1;
  for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
    const char *word = argv[i];
#define IS(name) (strcmp(word, name) == 0)
    if (IS("ignore")) need(signal(atoi(argv[++i]), SIG_IGN) == SIG_ERR ? -1 : 0, "signal");
    else if (IS("block")) block(atoi(argv[++i]));
    else if (IS("pending")) block(atoi(argv[++i])), need(raise(atoi(argv[i])), "raise");
    else if (IS("nofile")) limit(RLIMIT_NOFILE, argv[++i]);
    else if (IS("stack")) limit(RLIMIT_STACK, argv[++i]);
    else if (IS("core")) limit(RLIMIT_CORE, "unlimited");
    else if (IS("slack")) need(prctl(PR_SET_TIMERSLACK, atol(argv[++i])), "slack");
    else if (IS("deathsig")) need(prctl(PR_SET_PDEATHSIG, atoi(argv[++i])), "deathsig");
    else if (IS("subreaper")) need(prctl(PR_SET_CHILD_SUBREAPER, 1), "subreaper");
    else if (IS("nonblock")) {
      int fd = atoi(argv[++i]);
      need(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), "nonblock");
    } else if (IS("closefd")) close(atoi(argv[++i]));
    else if (IS("pipe")) {
      int ends[2];
      need(pipe(ends), "pipe");
      move(ends[0], atoi(argv[++i]));
    } else if (IS("file")) {
      int fd = atoi(argv[++i]);
      int opened = open(argv[++i], O_RDWR | O_CREAT | O_APPEND, 0600);
      need(opened, "open");
      move(opened, fd);
    } else if (IS("null")) {
      int fd = atoi(argv[++i]);
      move(open("/dev/null", O_RDONLY), fd);
    } else if (IS("socket")) {
      int ends[2];
      need(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
      move(ends[0], atoi(argv[++i]));
    } else if (IS("umask")) umask((mode_t)strtol(argv[++i], NULL, 8));
    else if (IS("oom")) {
      int fd = open("/proc/self/oom_score_adj", O_WRONLY);
      need(fd, "oom_score_adj");
      need((int)write(fd, argv[i + 1], strlen(argv[i + 1])), "oom_score_adj"), i++;
      close(fd);
    } else if (IS("pid")) {
      FILE *file = fopen(argv[++i], "we");
      need(file == NULL ? -1 : 0, "pid");
      fprintf(file, "%d\n", getpid());
      fclose(file);
    } else if (IS("entry")) add_entry(argv[++i]);
    else if (IS("alarm")) alarm((unsigned)atoi(argv[++i]));
    else if (IS("session")) need(setsid(), "setsid");
    else if (IS("group")) need(setpgid(0, 0), "setpgid");
    else if (IS("nosuch")) {
      need(mkdir(argv[++i], 0700), "mkdir");
      need(chdir(argv[i]), "chdir");
      need(rmdir(argv[i]), "rmdir");
    } else {
      fprintf(stderr, "launch: %s?\n", word);
      return 96;
    }
  }
  if (i + 1 >= argc) return 96;
  execvp(argv[i + 1], argv + i + 1);
  perror(argv[i + 1]);
  return errno == ENOENT ? 127 : 126;
}
