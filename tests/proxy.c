/* SPDX-License-Identifier: MIT */
/*
 * property: proxies pass bytes on to in-band files of all kinds, in order and whole, and fetch them, without demoting
 * anybody; flush at the end; and hand out the mapping of their file.
 *
 * evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=120
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "crew.h"

#define TOTAL	100000

static struct hand hand;

struct transfer {
	int fd;
	void *buf;
	size_t len;
};

static int do_read(void *arg)
{
	struct transfer *t = arg;

	return (int)evl_read_proxy(t->fd, t->buf, t->len);
}

static int do_write(void *arg)
{
	struct transfer *t = arg;

	return (int)evl_write_proxy(t->fd, t->buf, t->len);
}

static int do_print(void *arg)		{ return (int)evl_print_proxy(*(int *)arg, "%s-%d", "text", 42); }

static int do_oob_write(void *arg)
{
	struct transfer *t = arg;

	return oob_write(t->fd, t->buf, t->len) < 0 ? -errno : 0;
}

static int do_oob_read(void *arg)
{
	struct transfer *t = arg;

	return oob_read(t->fd, t->buf, t->len) < 0 ? -errno : 0;
}

static int reads(int fd, void *buf, size_t len)
{
	return ask(&hand, do_read, &(struct transfer){ fd, buf, len });
}

static int writes(int fd, const void *buf, size_t len)
{
	return ask(&hand, do_write, &(struct transfer){ fd, (void *)buf, len });
}

static ssize_t read_soon(int fd, void *buf, size_t len)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 5000) == 1 ? read(fd, buf, len) : -1;
}

static void test_output(void)
{
	uint32_t isw;
	char buf[256] = "";
	int p[2], fd, n;

	if (pipe(p))
		t_bail("pipe");
	fd = evl_new_proxy(p[1], 64, "out:%d", getpid());
	isw = t_isw(hand.efd);
	t_ok(fd >= 0 && writes(fd, "hello", 5) == 5 && read_soon(p[0], buf, 5) == 5 && !memcmp(buf, "hello", 5), "to a pipe, out-of-band");
	t_ok(t_isw(hand.efd) == isw, "nobody is demoted by that");
	t_ok(evl_write_proxy(fd, "world", 5) == 5 && read_soon(p[0], buf, 5) == 5 && !memcmp(buf, "world", 5), "and from in-band");
	t_ok(ask(&hand, do_print, &fd) == 7 && read_soon(p[0], buf, 64) == 7 && !memcmp(buf, "text-42", 7), "formatted");
	t_ok(evl_print_proxy(fd, "%s", "") == 0, "nothing: 0");
	t_ok(writes(fd, buf, 65) == -EFBIG && write(fd, buf, 65) == -1 && errno == EFBIG, "more than the ring: EFBIG");
	t_ok(reads(fd, buf, 1) == -ENXIO && read(fd, buf, 1) == -1 && errno == ENXIO, "no input: ENXIO");
	t_ok(ask(&hand, do_oob_write, &(struct transfer){ fd, buf, 65 }) == -EFBIG &&
	     ask(&hand, do_oob_read, &(struct transfer){ fd, buf, 1 }) == -ENXIO, "by the calls for files the same");
	t_ok(writes(fd, (void *)8, 4) == -EFAULT, "a bad address: EFAULT");
	close(p[1]);
	t_ok(writes(fd, "still", 5) == 5 && read_soon(p[0], buf, 5) == 5, "the proxy keeps the file");

	fcntl(fd, F_SETFL, O_NONBLOCK);
	/* The ring is soon full, and empty again as long as the pipe takes more. */
	for (n = 0; n < 40; n++) {
		while (writes(fd, buf, 64) == 64)
			n = 0;
		pause_ms(5);
	}
	t_ok(writes(fd, buf, 64) == -EAGAIN, "a pipe which nobody reads: EAGAIN in the end");
	fcntl(fd, F_SETFL, 0);
	tell(&hand, do_write, &(struct transfer){ fd, buf, 64 });
	t_ok(is_blocked(&hand) && read(p[0], buf, sizeof(buf)) > 0, "or waiting");
	while (read_soon(p[0], buf, sizeof(buf)) > 0 && hand.done != hand.orders)
		;
	t_ok(outcome_of(&hand) == 64, "until somebody does");
	for (n = 0; n < 40; n++) {
		fcntl(fd, F_SETFL, O_NONBLOCK);
		while (writes(fd, buf, 64) == 64)
			n = 0;
		pause_ms(5);
	}
	fcntl(fd, F_SETFL, 0);
	tell(&hand, do_write, &(struct transfer){ fd, buf, 64 });
	is_blocked(&hand);
	evl_unblock_thread(hand.efd);
	t_ok(outcome_of(&hand) == -EINTR, "or the writer is unblocked: EINTR (%d)", hand.ret);
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	t_ok(writes(fd, "lost", 4) == 4, "nobody will ever read: accepted and lost");
	close(fd);
}

static void test_flush(void)
{
	char name[] = "/tmp/proxy-XXXXXX", buf[16] = "";
	int file = mkstemp(name), fd, n;
	fd = evl_new_proxy(file, 4096, NULL);
	for (n = 0; n < 1000; n++)
		evl_print_proxy(fd, "%07d\n", n);
	close(fd);
	t_ok(lseek(file, 0, SEEK_END) == 8000, "closing writes out what is left (%ld)", (long)lseek(file, 0, SEEK_END));
	t_ok(pread(file, buf, 8, 8 * 500) == 8 && atoi(buf) == 500, "in order");
	unlink(name);
	close(file);
}

/* Nothing comes for a second. */
static uint64_t cpu_time_of_poll(struct pollfd *pfd)
{
	struct timespec before, after;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
	if (poll(pfd, 1, 1000))
		t_diag("there was something");
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);

	return (uint64_t)(after.tv_sec - before.tv_sec) * NSEC_PER_SEC + (uint64_t)after.tv_nsec - (uint64_t)before.tv_nsec;
}

static void test_input(void)
{
	struct pollfd pfd = { .events = POLLIN };
	char buf[64] = "";
	int p[2], fd, file;

	if (pipe(p))
		t_bail("pipe");
	fd = evl_create_proxy(p[0], 16, 0, EVL_CLONE_INPUT, "in:%d", getpid());
	tell(&hand, do_read, &(struct transfer){ fd, buf, 32 });
	is_blocked(&hand);
	evl_unblock_thread(hand.efd);
	t_ok(outcome_of(&hand) == -EINTR, "a reader is unblocked: EINTR (%d)", hand.ret);
	tell(&hand, do_read, &(struct transfer){ fd, buf, 32 });
	is_blocked(&hand);
	t_ok(write(p[1], "bytes", 5) == 5 && outcome_of(&hand) == 5 && !memcmp(buf, "bytes", 5), "from a pipe, what there is");
	t_ok(writes(fd, buf, 1) == -ENXIO && ask(&hand, do_oob_write, &(struct transfer){ fd, buf, 1 }) == -ENXIO, "no output: ENXIO");
	pfd.fd = fd;
	t_ok(poll(&pfd, 1, 0) == 0 && write(p[1], "more", 4) == 4 && poll(&pfd, 1, 5000) == 1 && read(fd, buf, 2) == 2 && reads(fd, buf, 9) == 2,
	     "polled and read in-band, then out-of-band");
	t_ok(cpu_time_of_poll(&pfd) < 100 * NSEC_PER_MSEC, "who polls sleeps meanwhile");
	fcntl(fd, F_SETFL, O_NONBLOCK);
	t_ok(reads(fd, buf, 1) == -EAGAIN, "non-blocking: EAGAIN");
	fcntl(fd, F_SETFL, 0);
	close(p[1]);
	t_ok(reads(fd, buf, 1) == 0, "end of file: 0");
	close(fd);
	close(p[0]);

	file = socket(AF_INET, SOCK_STREAM, 0);
	fd = evl_create_proxy(file, 16, 0, EVL_CLONE_INPUT, NULL);
	t_ok(reads(fd, buf, 1) == -ENOTCONN && reads(fd, buf, 1) == -ENOTCONN, "an error of the file, each time");
	close(fd);
	close(file);

	file = open("/etc/passwd", O_RDONLY);
	fd = evl_create_proxy(file, 16, 0, EVL_CLONE_INPUT, NULL);
	t_ok(reads(fd, buf, 5) == 5 && !memcmp(buf, "root:", 5), "from a file");
	close(fd);
	t_ok(evl_new_proxy(file, 16, NULL) == -EBADF, "which is not open for output: EBADF");
	close(file);
}

/* The proxy signals one by one: who reads meanwhile gets the value in parts. */
static uint64_t count_soon(int efd, uint64_t count)
{
	uint64_t sum = 0, part;

	while (sum < count && read_soon(efd, &part, 8) == 8)
		sum += part;

	return sum;
}

static void test_eventfd(void)
{
	int efd = eventfd(0, EFD_NONBLOCK), fd;
	uint64_t val = 3, got, rest;
	bool written;

	fd = evl_create_proxy(efd, 64, 8, 0, "event:%d", getpid());
	written = fd >= 0 && writes(fd, &val, 8) == 8;
	got = count_soon(efd, val);
	t_ok(written && got == val && read(efd, &rest, 8) == -1, "an eventfd counts (%llu)", (unsigned long long)got);
	t_ok(writes(fd, &val, 4) == -EINVAL, "not half a value");
	t_ok(evl_create_proxy(efd, 12, 8, 0, "x:%d", getpid()) == -EINVAL, "no room for whole values: EINVAL");
	close(fd);
	close(efd);
}

static void test_mapping(void)
{
	int memfd = memfd_create("proxy", 0), fd, peer, status;
	char name[64];
	char *mine, *theirs;
	pid_t pid;

	if (ftruncate(memfd, 4096))
		t_bail("ftruncate");
	mine = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	strcpy(mine, "shared");
	fd = evl_new_proxy(memfd, 0, "/map:%d", getpid());
	t_ok(fd >= 0 && writes(fd, "x", 1) == -ENXIO && reads(fd, name, 1) == -ENXIO, "for mapping only");
	snprintf(name, sizeof(name), "/dev/evl/proxy/map:%d", getpid());
	pid = fork();
	if (!pid) {
		peer = open(name, O_RDWR);
		theirs = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, peer, 0);
		if (theirs == MAP_FAILED || strcmp(theirs, "shared"))
			_exit(1);
		close(peer);
		strcpy(theirs, "answer");
		_exit(0);
	}
	waitpid(pid, &status, 0);
	t_ok(!status && !strcmp(mine, "answer"), "another process maps the same memory by name");
	close(fd);
	fd = evl_new_proxy(0, 0, NULL);
	t_ok(fd >= 0 && mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED, "what cannot be mapped cannot be");
	close(fd);
	munmap(mine, 4096);
	close(memfd);
}

static void *close_file(void *arg)
{
	close(*(int *)arg);

	return NULL;
}

/* Closing the last file takes until a pipe is read: nobody gets to the proxy by its name any more. */
static void test_late_opener(void)
{
	char name[64], buf[4096] = "";
	int p[2], fd;
	pthread_t closer;
	ssize_t len;

	if (pipe(p))
		t_bail("pipe");
	fd = evl_new_proxy(p[1], 64, "/late:%d", getpid());
	snprintf(name, sizeof(name), "/dev/evl/proxy/late:%d", getpid());
	fcntl(p[1], F_SETFL, O_NONBLOCK);
	while (write(p[1], buf, sizeof(buf)) > 0)
		;
	if (fd < 0 || evl_print_proxy(fd, "last") != 4)
		t_bail("no proxy");
	pthread_create(&closer, NULL, close_file, &fd);
	while (fcntl(fd, F_GETFD) != -1)
		pause_ms(1);
	pause_ms(200);
	t_ok(open(name, O_RDWR) == -1 && errno == ENXIO, "opened while the last file is being closed: ENXIO");
	do
		len = read_soon(p[0], buf, sizeof(buf));
	while (len > 4 && memcmp(buf + len - 4, "last", 4));
	close(p[0]);
	close(p[1]);
	pthread_join(closer, NULL);
	t_ok(len >= 4 && !memcmp(buf + len - 4, "last", 4) && path_vanishes(name), "which ends when all is written");
}

/* It need not be the one who made the proxy. */
static void test_last_closer(void)
{
	struct transfer t = { .buf = &t, .len = 1 };
	char name[64];
	int p[2], fd;

	if (pipe(p))
		t_bail("pipe");
	fd = evl_create_proxy(p[0], 64, 0, EVL_CLONE_INPUT, "/both:%d", getpid());
	snprintf(name, sizeof(name), "/dev/evl/proxy/both:%d", getpid());
	t.fd = open(name, O_RDWR);
	tell(&hand, do_read, &t);
	is_blocked(&hand);
	close(fd);
	pause_ms(50);
	t_ok(fd >= 0 && t.fd >= 0 && is_blocked(&hand), "closing one of two files ends no wait");
	close(t.fd);
	t_ok(outcome_of(&hand) == -EBADF && path_vanishes(name), "closing the other does: EBADF (%d)", hand.ret);
	close(p[0]);
	close(p[1]);
}

/* Makes a proxy of signals to itself, tells, and goes when told. */
static void own_signalfd(int told, int tell_fd)
{
	sigset_t set;
	char byte;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	evl_init();
	fd = evl_create_proxy(signalfd(-1, &set, 0), 256, 0, EVL_CLONE_INPUT, "/signals:%d", getppid());
	_exit(write(tell_fd, fd < 0 ? "n" : "y", 1) != 1 || read(told, &byte, 1) != 1);
}

/* The wait queue of a signalfd goes with its process, whoever has the file: the kernel warned of the proxy in it. */
static void test_signalfd(void)
{
	int to[2], from[2], fd, status = -1;
	char byte = 0, name[64];
	pid_t pid;

	if (pipe(to) || pipe(from))
		t_bail("pipe");
	pid = fork();
	if (!pid)
		own_signalfd(to[0], from[1]);
	if (read(from[0], &byte, 1) != 1)
		t_bail("read");
	snprintf(name, sizeof(name), "/dev/evl/proxy/signals:%d", getpid());
	fd = open(name, O_RDWR | O_CLOEXEC);
	t_ok(byte == 'y' && fd >= 0, "the proxy of a signalfd is opened by another process");
	if (write(to[1], "x", 1) != 1)
		t_bail("write");
	waitpid(pid, &status, 0);
	pause_ms(100);
	close(fd);
	t_ok(!status && access(name, F_OK), "which outlives its maker, and goes");
	close(to[0]);
	close(to[1]);
	close(from[0]);
	close(from[1]);
}

static int do_printf(void *arg)		{ return (int)evl_printf("# evl_printf %s\n", (char *)arg); }

static void test_creation(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd;
	char val;

	t_ok(evl_new_proxy(999, 64, NULL) == -EBADF, "no file: EBADF");
	t_ok(evl_create_proxy(1, (1U << 30) + 1, 0, 0, NULL) == -EINVAL && evl_create_proxy(1, 0, 0, EVL_CLONE_OUTPUT, NULL) == -EINVAL &&
	     evl_create_proxy(1, 64, 0, 1, NULL) == -EINVAL, "too large, none, unknown flags: EINVAL");
	t_ok(evl_new_proxy(evl_stdout(), 64, NULL) == -EINVAL && evl_new_proxy(epoll, 64, NULL) == -EINVAL, "what takes no output: EINVAL");
	fd = evl_new_proxy(1, 64, "taken:%d", getpid());
	t_ok(fd >= 0 && evl_new_proxy(1, 64, "/taken:%d", getpid()) == -EEXIST, "a name taken: EEXIST");
	close(fd);
	t_ok(evl_write_proxy(fd, "x", 1) == -EBADF && evl_read_proxy(fd, &epoll, 1) == -EBADF && writes(fd, "x", 1) == -EBADF &&
	     reads(fd, &val, 1) == -EBADF && evl_print_proxy(fd, "x") == -EBADF, "what is closed is no proxy: EBADF");
	close(epoll);
	t_ok(evl_stdout() >= 0 && evl_stderr() >= 0 && ask(&hand, do_printf, "works") == 19, "evl_printf() (%d)", hand.ret);
}

static int stream_out(void *arg)
{
	char buf[48];
	long sent = 0;
	size_t n, len;

	while (sent < TOTAL) {
		len = (size_t)(1 + sent * 7 % 48);
		if (len > (size_t)(TOTAL - sent))
			len = (size_t)(TOTAL - sent);
		for (n = 0; n < len; n++)
			buf[n] = (char)(sent + (long)n);
		if (evl_write_proxy(*(int *)arg, buf, len) != (ssize_t)len)
			return -1;
		sent += (long)len;
	}

	return 0;
}

static void test_stream(void)
{
	long got = 0, wrong = 0;
	char buf[1000];
	int s[2], fd;
	ssize_t n, len;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
		t_bail("socketpair");
	fd = evl_new_proxy(s[0], 256, "stream:%d", getpid());
	tell(&hand, stream_out, &fd);
	while (got < TOTAL && (len = read_soon(s[1], buf, sizeof(buf))) > 0) {
		for (n = 0; n < len; n++)
			wrong += buf[n] != (char)(got + n);
		got += len;
	}
	t_ok(!outcome_of(&hand) && got == TOTAL && !wrong, "%ld bytes to a socket, in order (%ld wrong)", got, wrong);
	close(fd);
	close(s[0]);
	close(s[1]);
}

int main(void)
{
	deadline(110);
	t_require_core();
	t_need_cpus(1);
	t_plan(46);
	evl_init();
	hire(&hand, "proxy-hand", 15, t_cpu((int)sysconf(_SC_NPROCESSORS_ONLN) - 1));

	test_output();
	test_flush();
	test_input();
	test_eventfd();
	test_mapping();
	test_late_opener();
	test_last_closer();
	test_signalfd();
	test_creation();
	test_stream();

	return t_end();
}
