/* The kernel's ceiling for RTP: sendmsg on one connected UDP socket per stream, as fast as it goes.
 *
 * usage: sendmsg_ceiling FIRST_PORT STREAMS PACKETS SIZE PACED
 * Sends PACKETS packets of SIZE bytes in turns over STREAMS sockets, each connected to its own port of
 * 127.0.0.1 (FIRST_PORT and on), and prints the packets that the kernel took and the CPU seconds.
 * With PACED = 1 it sends STREAMS / 20 packets each millisecond, as the media worker does, instead of all at
 * once: sleeping 1,000 times a second, with the caches cold after each sleep, has a price of its own.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

int main(int argc, char **argv) {
    if (argc != 6) return 2;
    int first = atoi(argv[1]), streams = atoi(argv[2]), packets = atoi(argv[3]), size = atoi(argv[4]);
    int paced = atoi(argv[5]), per_tick = streams / 20;
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    int *sockets = malloc(sizeof(int) * streams);
    for (int i = 0; i < streams; i++) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(first + i)};
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        sockets[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        if (sockets[i] < 0 || connect(sockets[i], (struct sockaddr *)&to, sizeof to)) { perror("socket"); return 1; }
    }
    unsigned char header[12] = {0x80, 0}, *payload = calloc(1, size);
    struct iovec parts[2] = {{header, sizeof header}, {payload, size - sizeof header}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    long taken = 0;
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (int i = 0; i < packets; i++) {
        if (paced && i % per_tick == 0) {
            due.tv_nsec += 1000000;
            if (due.tv_nsec >= 1000000000) { due.tv_nsec -= 1000000000; due.tv_sec++; }
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        }
        unsigned sequence = i / streams, timestamp = sequence * 160;
        header[2] = sequence >> 8; header[3] = sequence;
        header[4] = timestamp >> 24; header[5] = timestamp >> 16; header[6] = timestamp >> 8; header[7] = timestamp;
        taken += sendmsg(sockets[i % streams], &message, 0) == size;
    }
    getrusage(RUSAGE_SELF, &after);
    double cpu = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) + (after.ru_stime.tv_sec - before.ru_stime.tv_sec)
        + ((after.ru_utime.tv_usec - before.ru_utime.tv_usec) + (after.ru_stime.tv_usec - before.ru_stime.tv_usec)) / 1e6;
    printf("%ld %.6f\n", taken, cpu);
    return 0;
}
