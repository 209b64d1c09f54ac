// What a program sees of itself, as lines of text: written to the file named by the first argument ("-": standard
// output). Whatever is another from run to run by its nature (numbers of processes, of pipes, of terminals) is
// written as its relation to the rest. Build: cc -static -O1 -o probe probe.c
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static char *text;
static size_t used, size;

static void say(const char *format, ...) {
  va_list list;
  for (;;) {
    va_start(list, format);
    int n = vsnprintf(text + used, size - used, format, list);
    va_end(list);
    if (n >= 0 && used + (size_t)n < size) {
      used += (size_t)n;
      return;
    }
    size = size * 2 + (n > 0 ? (size_t)n : 0) + 4096;
    text = realloc(text, size);
    if (text == NULL) _exit(99);
  }
}

// Bytes that are not plain ASCII as \xNN, so that a line stays a line.
static void say_bytes(const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if (c < 0x20 || c > 0x7e || c == '\\')
      say("\\x%02x", c);
    else
      say("%c", c);
  }
}

static size_t slurp(const char *file, char *into, size_t room) {
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  size_t got = 0;
  for (ssize_t n; got < room - 1 && (n = read(fd, into + got, room - 1 - got)) > 0;) got += (size_t)n;
  close(fd);
  into[got] = 0;
  return got;
}

static void say_file(const char *name, const char *file) {
  static char content[65536];
  size_t n = slurp(file, content, sizeof content);
  while (n > 0 && content[n - 1] == '\n') n--;
  say("%s: ", name);
  say_bytes(content, n);
  say("\n");
}

static const char *relation(pid_t id) {
  static char number[32];
  if (id == getpid()) return "self";
  if (id == 0) return "0 (outside)";
  if (id == -1) return "none";
  if (getppid() > 0) {
    if (id == getppid()) return "the parent";
    if (id == getpgid(getppid())) return "the parent's group";
    if (id == getsid(getppid())) return "the parent's session";
  }
  snprintf(number, sizeof number, "other");
  return number;
}

static void say_status(void) {
  static char status[65536];
  slurp("/proc/self/status", status, sizeof status);
  static const char *const names[] = {
      "Umask", "Groups", "CoreDumping", "THP_enabled", "Threads", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt",
      "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters",
      "Speculation_Store_Bypass", "SpeculationIndirectBranch", "Cpus_allowed", "Mems_allowed", "VmLck", "VmPin"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    for (char *line = status; line != NULL; line = strchr(line, '\n')) {
      if (*line == '\n') line++;
      size_t n = strlen(names[i]);
      if (strncmp(line, names[i], n) == 0 && line[n] == ':') {
        say("%s:", names[i]);
        for (char *p = line + n + 1; *p != '\n' && *p != 0; p++) say("%c", *p == '\t' ? ' ' : *p);
        say("\n");
      }
    }
  }
}

static void say_limits(void) {
  for (int i = 0; i < 16; i++) {
    struct rlimit limit;
    if (getrlimit(i, &limit) != 0) continue;
    say("rlimit %d: soft %llx hard %llx\n", i, (unsigned long long)limit.rlim_cur,
        (unsigned long long)limit.rlim_max);
  }
}

static void say_fds(void) {
  struct { dev_t dev; ino_t ino; } seen[256];
  size_t known = 0;
  for (int fd = 0; fd < 65536; fd++) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) continue;
    struct stat stat;
    if (fstat(fd, &stat) != 0) continue;
    char link[64], target[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, target, sizeof target - 1);
    target[n < 0 ? 0 : n] = 0;
    // pipe:[NUMBER], socket:[NUMBER]: the number counts up, but which fds are one and the same is to stay.
    char *bracket = strstr(target, ":[");
    if (bracket != NULL && strncmp(target, "anon_inode", 10) != 0) {
      size_t i = 0;
      while (i < known && (seen[i].dev != stat.st_dev || seen[i].ino != stat.st_ino)) i++;
      if (i == known && known < 256) {
        seen[known].dev = stat.st_dev;
        seen[known++].ino = stat.st_ino;
      }
      snprintf(bracket, 32, " number %zu", i);
    }
    say("fd %d: flags %o, descriptor flags %d, position %lld, mode %o, owner %d, signal %d: ", fd, (unsigned)flags,
        fcntl(fd, F_GETFD), (long long)lseek(fd, 0, SEEK_CUR), stat.st_mode & S_IFMT,
        fcntl(fd, F_GETOWN) == 0 ? 0 : 1, fcntl(fd, F_GETSIG));
    say_bytes(target, strlen(target));
    say("\n");
  }
}

static void say_terminal(int fd) {
  struct termios modes;
  struct winsize window;
  if (tcgetattr(fd, &modes) != 0) return;
  say("terminal %d: modes %x %x %x %x, characters ", fd, modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag);
  for (int i = 0; i < NCCS; i++) say("%02x", modes.c_cc[i]);
  memset(&window, 0, sizeof window);
  ioctl(fd, TIOCGWINSZ, &window);
  say(", window %dx%d, foreground %s, session %s\n", window.ws_row, window.ws_col, relation(tcgetpgrp(fd)),
      relation(tcgetsid(fd)));
}

static void say_scheduling(void) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  sched_getaffinity(0, sizeof cpus, &cpus);
  struct sched_param parameter = {0};
  sched_getparam(0, &parameter);
  errno = 0;
  say("nice: %d\n", getpriority(PRIO_PROCESS, 0));
  say("cpus: %d\n", CPU_COUNT(&cpus));
  say("policy: %d, priority %d\n", sched_getscheduler(0), parameter.sched_priority);
  say("ioprio: %ld\n", syscall(SYS_ioprio_get, 1, 0));
}

static void say_prctl(void) {
  int signal = -1, subreaper = -1;
  prctl(PR_GET_PDEATHSIG, &signal);
  prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
  say("timer slack: %d\n", prctl(PR_GET_TIMERSLACK));
  say("dumpable: %d\n", prctl(PR_GET_DUMPABLE));
  say("parent-death signal: %d\n", signal);
  say("subreaper: %d\n", subreaper);
  say("keep capabilities: %d\n", prctl(PR_GET_KEEPCAPS));
  say("secure bits: %d\n", prctl(PR_GET_SECUREBITS));
  say("huge pages off: %d\n", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
  say("machine-check policy: %d\n", prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
  say("memory merging: %d\n", prctl(68 /* PR_GET_MEMORY_MERGE */, 0, 0, 0, 0));
  say("write-execute refused: %d\n", prctl(66 /* PR_GET_MDWE */, 0, 0, 0, 0));
  say("io flusher: %d\n", prctl(58 /* PR_GET_IO_FLUSHER */, 0, 0, 0, 0));
  say("personality: %x\n", (unsigned)personality(0xffffffff));
}

static void say_timers(void) {
  for (int which = 0; which < 3; which++) {
    struct itimerval timer = {0};
    getitimer(which, &timer);
    say("timer %d: %s, every %ld s\n", which,
        timer.it_value.tv_sec != 0 || timer.it_value.tv_usec != 0 ? "runs" : "off", (long)timer.it_interval.tv_sec);
  }
}

static void say_children(void) {
  int status;
  pid_t child = waitpid(-1, &status, WNOHANG | __WALL);
  say("children: %s\n", child == -1 && errno == ECHILD ? "none" : "some");
  struct rusage usage;
  getrusage(RUSAGE_CHILDREN, &usage);
  say("children before: %s\n", usage.ru_maxrss == 0 ? "none" : "some");
}

int main(int argc, char **argv, char **envp) {
  // First of all: the files, before any is opened here.
  say_fds();
  say("pid: %d\n", getpid());
  for (int i = 0; i < argc; i++) {
    say("argv %d: ", i);
    say_bytes(argv[i], strlen(argv[i]));
    say("\n");
  }
  for (char **entry = envp; *entry != NULL; entry++) {
    say("env: ");
    say_bytes(*entry, strlen(*entry));
    say("\n");
  }
  say_file("environment block", "/proc/self/environ");
  say_file("command line", "/proc/self/cmdline");
  say_file("comm", "/proc/self/comm");
  say("executed as: %s\n", (const char *)getauxval(AT_EXECFN));
  say("secure execution: %lu\n", getauxval(AT_SECURE));
  char path[4096];
  say("cwd: %s\n", getcwd(path, sizeof path) != NULL ? path : strerror(errno));
  uid_t u[3];
  gid_t g[3];
  getresuid(&u[0], &u[1], &u[2]);
  getresgid(&g[0], &g[1], &g[2]);
  say("ids: %d %d %d, %d %d %d\n", u[0], u[1], u[2], g[0], g[1], g[2]);
  gid_t groups[1024];
  int count = getgroups(1024, groups);
  say("groups:");
  for (int i = 0; i < count; i++) say(" %d", groups[i]);
  say("\nsession: %s\n", relation(getsid(0)));
  say("process group: %s\n", relation(getpgrp()));
  for (int fd = 0; fd < 3; fd++) say_terminal(fd);
  say_status();
  say_limits();
  say_scheduling();
  say_prctl();
  say_timers();
  say_children();
  say_file("oom_score_adj", "/proc/self/oom_score_adj");
  say_file("timer slack, ns", "/proc/self/timerslack_ns");
  say_file("core filter", "/proc/self/coredump_filter");
  say_file("cgroup", "/proc/self/cgroup");
  say_file("login uid", "/proc/self/loginuid");
  const char *file = argc > 1 ? argv[1] : "-";
  int fd = strcmp(file, "-") == 0 ? 1 : open(file, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  for (size_t done = 0; done < used;) {
    ssize_t n = write(fd, text + done, used - done);
    if (n <= 0) return 98;
    done += (size_t)n;
  }
  return 0;
}
