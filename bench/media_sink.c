/* The far ends of a benchmark: one UDP socket per stream that reads everything, in a process of its own.
 *
 * usage: media_sink FIRST_PORT STREAMS PTIME_US ECHO
 * RTCP may be sent to FIRST_PORT - 1; nobody reads it. Prints "ready". Answers the first packet of each new SSRC with the packet itself, so that a sender
 * latches; with ECHO = 1 every packet. Each line on its standard input makes it print, and then forget, what it saw:
 *   packets lost p50 p99 p99.9 max
 * where lost comes from sequence numbers, and the rest says in µs by how much the time between two packets of a
 * socket differed from PTIME_US, by the kernel's receive timestamps. Ends with its standard input.
 *
 * It looks every 2 ms instead of waiting in epoll: a sender to a real network does not pay for waking the
 * receiver, which in a virtual machine costs more than sending.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STEP_US 20
#define BUCKETS 20000

static long histogram[BUCKETS], packets, lost, worst;

static long percentile(double share) {
    long total = 0, seen = 0;
    for (int i = 0; i < BUCKETS; i++) total += histogram[i];
    for (int i = 0; i < BUCKETS; i++)
        if ((seen += histogram[i]) >= total * share && histogram[i]) return (i + 1) * STEP_US;
    return 0;
}

static void report(void) {
    printf("%ld %ld %ld %ld %ld %ld\n", packets, lost, percentile(.5), percentile(.99), percentile(.999), worst);
    fflush(stdout);
    memset(histogram, 0, sizeof histogram);
    packets = lost = worst = 0;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    int first = atoi(argv[1]), streams = atoi(argv[2]), ptime = atoi(argv[3]), echo = atoi(argv[4]);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    int epoll = epoll_create1(0), one = 1, *sockets = malloc(sizeof(int) * streams);
    long *last = calloc(streams, sizeof(long));
    int *sequence = malloc(sizeof(int) * streams);
    unsigned *ssrc = calloc(streams, sizeof(unsigned));
    for (int i = 0; i < streams; i++) {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(first + i)};
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        sockets[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        if (bind(sockets[i], (struct sockaddr *)&at, sizeof at)) { perror("bind"); return 1; }
        setsockopt(sockets[i], SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
        sequence[i] = -1;
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(epoll, EPOLL_CTL_ADD, sockets[i], &event);
    }
    struct sockaddr_in rtcp = {.sin_family = AF_INET, .sin_port = htons(first - 1)};
    rtcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(socket(AF_INET, SOCK_DGRAM, 0), (struct sockaddr *)&rtcp, sizeof rtcp)) { perror("bind"); return 1; }
    struct epoll_event input = {.events = EPOLLIN, .data.u32 = streams};
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &input);
    puts("ready");
    fflush(stdout);

    static struct epoll_event events[1024];
    for (;;) {
        int count = epoll_wait(epoll, events, 1024, 0);
        if (!count) usleep(2000);
        for (int e = 0; e < count; e++) {
            unsigned i = events[e].data.u32;
            if (i == (unsigned)streams) {
                char line[64];
                if (read(0, line, sizeof line) <= 0) return 0;
                report();
                continue;
            }
            unsigned char packet[2048];
            char control[128];
            struct sockaddr_in from;
            struct iovec part = {packet, sizeof packet};
            struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1,
                                     .msg_control = control, .msg_controllen = sizeof control};
            ssize_t size = recvmsg(sockets[i], &message, 0);
            if (size < 12) continue;
            packets++;
            long now = 0;
            for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
                if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
                    struct timespec *at = (struct timespec *)CMSG_DATA(c);
                    now = at->tv_sec * 1000000000L + at->tv_nsec;
                }
            int number = packet[2] << 8 | packet[3];
            if (sequence[i] >= 0) {
                int step = (number - sequence[i]) & 0xFFFF;
                if (step > 1 && step < 3000) lost += step - 1;
                if (step == 1) {
                    long off = labs((now - last[i]) / 1000 - ptime);
                    if (off < 10000000) {
                        histogram[off / STEP_US < BUCKETS ? off / STEP_US : BUCKETS - 1]++;
                        if (off > worst) worst = off;
                    }
                }
            }
            unsigned source = packet[8] << 24 | packet[9] << 16 | packet[10] << 8 | packet[11];
            if (echo || sequence[i] < 0 || source != ssrc[i]) sendto(sockets[i], packet, size, 0, (struct sockaddr *)&from, sizeof from);
            sequence[i] = number;
            ssrc[i] = source;
            last[i] = now;
        }
    }
}
