/* SPDX-License-Identifier: MIT */
/*
 * property: cross-buffers carry bytes both ways between the stages, in order, whole writes, none lost; and get unstuck
 * when transfers do not fit each other.
 *
 * evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=120
 */
#include <fcntl.h>
#include <poll.h>
#include "crew.h"

#define TOTAL	200000

static struct hand hand;
static int xb;

struct transfer {
	int fd;
	void *buf;
	size_t len;
};

static int do_oob_read(void *arg)
{
	struct transfer *t = arg;
	ssize_t ret = oob_read(t->fd, t->buf, t->len);

	return ret < 0 ? -errno : (int)ret;
}

static int do_oob_write(void *arg)
{
	struct transfer *t = arg;
	ssize_t ret = oob_write(t->fd, t->buf, t->len);

	return ret < 0 ? -errno : (int)ret;
}

static int reads(int fd, void *buf, size_t len)
{
	struct transfer t = { fd, buf, len };

	return ask(&hand, do_oob_read, &t);
}

static int writes(int fd, const void *buf, size_t len)
{
	struct transfer t = { fd, (void *)buf, len };

	return ask(&hand, do_oob_write, &t);
}

static void test_basics(void)
{
	char *volatile bad = (char *)8, buf[64] = "";
	struct pollfd pfd = { .fd = xb, .events = POLLIN | POLLOUT };

	t_ok(poll(&pfd, 1, 0) == 1 && pfd.revents == POLLOUT, "empty: writable from in-band");
	t_ok(writes(xb, "hello", 5) == 5, "five bytes to in-band");
	t_ok(poll(&pfd, 1, 0) == 1 && pfd.revents & POLLIN, "can be read there");
	t_ok(read(xb, buf, 5) == 5 && !memcmp(buf, "hello", 5), "and are the same");
	t_ok(write(xb, "world!", 6) == 6 && reads(xb, buf, 6) == 6 && !memcmp(buf, "world!", 6), "six the other way");
	t_ok(writes(xb, buf, 17) == -EINVAL && reads(xb, buf, 17) == -EINVAL, "more than the ring: EINVAL");
	t_ok(write(xb, buf, 17) == -1 && errno == EINVAL && read(xb, buf, 17) == -1 && errno == EINVAL, "in-band too");
	t_ok(writes(xb, buf, 0) == 0 && reads(xb, buf, 0) == 0 && read(xb, buf, 0) == 0, "nothing: 0");
	t_ok(writes(xb, (void *)8, 4) == -EFAULT && write(xb, bad, 4) == -1 && errno == EFAULT, "a bad address: EFAULT");
	writes(xb, "abcd", 4);
	t_ok(read(xb, bad, 4) == -1 && errno == EFAULT && read(xb, buf, 4) == 4 && !memcmp(buf, "abcd", 4),
	     "which leaves the bytes where they are");
	t_ok(oob_read(xb, buf, 1) == -1 && errno == EPERM, "unattached threads are in-band peers only");
}

static void test_stuck(void)
{
	struct transfer w = { xb, "12345678", 8 };
	char buf[32];

	writes(xb, "123456789abc", 12);
	tell(&hand, do_oob_write, &w);
	t_ok(is_blocked(&hand), "no room: the writer waits");
	t_ok(read(xb, buf, 16) == 12 && outcome_of(&hand) == 8, "a reader who wants more than there is gets that");
	t_ok(read(xb, buf, 8) == 8 && !memcmp(buf, "12345678", 8), "then the rest comes");
	tell(&hand, do_oob_read, &(struct transfer){ xb, buf, 8 });
	is_blocked(&hand);
	t_ok(write(xb, "1234", 4) == 4 && is_blocked(&hand), "half of it is not enough for a reader");
	t_ok(write(xb, "5678", 4) == 4 && outcome_of(&hand) == 8, "all is");
	tell(&hand, do_oob_read, &(struct transfer){ xb, buf, 8 });
	is_blocked(&hand);
	evl_unblock_thread(hand.efd);
	t_ok(outcome_of(&hand) == -EINTR, "unblocked: EINTR");
	writes(xb, "123456789abcdef0", 16);
	tell(&hand, do_oob_write, &w);
	is_blocked(&hand);
	evl_unblock_thread(hand.efd);
	t_ok(outcome_of(&hand) == -EINTR && read(xb, buf, 16) == 16 && !memcmp(buf, "123456789abcdef0", 16),
	     "a writer who is unblocked as well, and leaves nothing");
}

static void test_kinds(void)
{
	char buf[8] = "";
	int fd;

	t_ok(evl_create_xbuf(0, 0, 0, "x:%d", getpid()) == -EINVAL && evl_create_xbuf((1U << 30) + 1, 4, 0, "x:%d", getpid()) == -EINVAL,
	     "no ring, one too large: EINVAL");
	t_ok(evl_create_xbuf(4, 4, 1, "x:%d", getpid()) == -EINVAL, "unknown flags: EINVAL");
	fd = evl_create_xbuf(8, 0, EVL_CLONE_NONBLOCK, "/one-way:%d", getpid());
	t_ok(fd >= 0 && reads(fd, buf, 1) == -ENOBUFS && write(fd, buf, 1) == -1 && errno == ENOBUFS, "one way: the other gives ENOBUFS");
	t_ok(read(fd, buf, 1) == -1 && errno == EAGAIN, "non-blocking: EAGAIN");
	t_ok(writes(fd, "12345678", 8) == 8 && writes(fd, "9", 1) == -EAGAIN, "when full as well");
	t_ok(evl_new_xbuf(8, "one-way:%d", getpid()) == -EEXIST, "a name taken: EEXIST");
	close(fd);
	t_ok(writes(fd, buf, 1) == -EBADF && reads(fd, buf, 1) == -EBADF, "closed: EBADF");
	fd = evl_create_xbuf(0, 8, 0, "other-way:%d", getpid());
	t_ok(fd >= 0 && writes(fd, buf, 1) == -ENOBUFS && read(fd, buf, 1) == -1 && errno == ENOBUFS && write(fd, "1", 1) == 1 &&
	     reads(fd, buf, 1) == 1, "the other way: the one gives ENOBUFS");
	close(fd);
	fd = evl_new_xbuf(8, "closing:%d", getpid());
	tell(&hand, do_oob_read, &(struct transfer){ fd, buf, 4 });
	is_blocked(&hand);
	close(fd);
	t_ok(outcome_of(&hand) == -EBADF, "closed under the reader: EBADF");
}

struct polled {
	int set;
	struct evl_poll_event ev;
};

static int do_poll(void *arg)
{
	struct polled *p = arg;
	int ret = evl_add_pollfd(p->set, xb, POLLIN, evl_nil);

	return ret ? ret : evl_poll(p->set, &p->ev, 1);
}

static void test_poll(void)
{
	struct polled p = { .set = evl_new_poll() };
	char buf[4];

	tell(&hand, do_poll, &p);
	is_blocked(&hand);
	t_ok(write(xb, "1", 1) == 1 && outcome_of(&hand) == 1 && p.ev.events == POLLIN, "polled out-of-band (%#x)", p.ev.events);
	reads(xb, buf, 1);
	close(p.set);
}

static uint32_t step(uint32_t *seed) { return *seed = *seed * 1103515245 + 12345; }

static int stream_out(void *arg)
{
	char buf[16];
	uint32_t seed = 1;
	long sent = 0;
	size_t n, len;

	while (sent < TOTAL) {
		len = 1 + (step(&seed) >> 16) % 16;
		for (n = 0; n < len; n++)
			buf[n] = (char)(sent + (long)n);
		if (oob_write(xb, buf, len) != (ssize_t)len)
			return -errno;
		sent += (long)len;
	}

	return (int)sent;
}

static int stream_in(void *arg)
{
	char buf[16];
	uint32_t seed = 7;
	long got = 0;
	ssize_t len, n;

	while (got < TOTAL) {
		len = 1 + (step(&seed) >> 16) % 16;
		if (len > TOTAL - got)
			len = TOTAL - got;
		len = oob_read(xb, buf, (size_t)len);
		if (len < 0)
			return -errno;
		for (n = 0; n < len; n++)
			if (buf[n] != (char)(got + n))
				return -EILSEQ;
		got += len;
	}

	return (int)got;
}

static void test_streams(void)
{
	long n, moved = 0, wrong = 0;
	uint32_t seed = 3;
	char buf[16];
	ssize_t len;
	int sent;

	tell(&hand, stream_out, NULL);
	while (hand.done != hand.orders || poll(&(struct pollfd){ .fd = xb, .events = POLLIN }, 1, 0) == 1) {
		struct pollfd pfd = { .fd = xb, .events = POLLIN };

		if (poll(&pfd, 1, 100) <= 0 || !(pfd.revents & POLLIN))
			continue;
		len = read(xb, buf, 1);
		for (n = 0; n < len; n++)
			wrong += buf[n] != (char)(moved + n);
		moved += len > 0 ? len : 0;
		if (moved % 16 == 0 && (len = read(xb, buf, 1 + (step(&seed) >> 16) % 2)) > 0) {
			for (n = 0; n < len; n++)
				wrong += buf[n] != (char)(moved + n);
			moved += len;
		}
	}
	sent = outcome_of(&hand);
	t_ok(sent >= TOTAL && moved == sent && !wrong, "%ld bytes to in-band, in order (%d sent, %ld wrong)", moved, sent, wrong);

	tell(&hand, stream_in, NULL);
	for (moved = 0; moved < TOTAL; moved += len) {
		len = 1 + (step(&seed) >> 16) % 16;
		if (len > TOTAL - moved)
			len = TOTAL - moved;
		for (n = 0; n < len; n++)
			buf[n] = (char)(moved + n);
		if (write(xb, buf, (size_t)len) != len)
			break;
	}
	t_ok(moved == TOTAL && outcome_of(&hand) == TOTAL, "and as many back (%d)", hand.ret);
}

int main(void)
{
	deadline(110);
	t_require_core();
	t_need_cpus(1);
	evl_init();

	xb = evl_new_xbuf(16, "xbuf:%d", getpid());
	hire(&hand, "xbuf-hand", 15, t_cpu((int)sysconf(_SC_NPROCESSORS_ONLN) - 1));

	t_plan(30);
	test_basics();
	test_stuck();
	test_kinds();
	test_poll();
	test_streams();

	return t_end();
}
