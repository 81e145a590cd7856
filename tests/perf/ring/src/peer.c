/*
 * The peer of `cargo xtask bench ring`: the same exchange as in main.rs, written with the macros of Xen's io/ring.h and the
 * barriers of xenctrl.h. It prints operations a second.
 *
 *     peer THREADS ENTRY BATCH OPERATIONS        THREADS is one or two; ENTRY is net or block
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <xenctrl.h>
#include <xen/grant_table.h>
#include <xen/io/blkif.h>
#include <xen/io/netif.h>

#define PAGE 4096
#define SLICES 20
#define SPINS_BEFORE_YIELD 10000

static long batch;
static unsigned long operations;
static volatile int stop;

static void die(const char *what)
{
    fprintf(stderr, "peer: %s\n", what);
    exit(1);
}

/* Waits a little; gives the processor away if the other end does not come to run. */
static void relax(unsigned *spins)
{
    if (++*spins % SPINS_BEFORE_YIELD == 0)
        sched_yield();
    else
        __builtin_ia32_pause();
}

static uint64_t now_ns(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The first and the last processor that we may use, found before a thread is pinned. */
static int processors[2] = { -1, -1 };

static void find_processors(void)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof(allowed), &allowed))
        die("cannot ask for the processors");
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed))
            continue;
        if (processors[0] < 0)
            processors[0] = cpu;
        processors[1] = cpu;
    }
}

static void pin(int cpu)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof(one), &one))
        die("cannot pin a thread");
}

/* Each end waits for something at the beginning at least. */
static void check(unsigned long notifications)
{
    if (!notifications)
        die("no notification was ever needed");
}

/* One exchange for each kind of entry: the macros know no types. NAME##_ask fills a request, NAME##_answer makes its response. */
#define EXCHANGE(NAME, REQ, RSP)                                                                  \
                                                                                                  \
/* How many notifications that would need. */                                                     \
static unsigned long NAME##_back_turn(struct NAME##_back_ring *ring)                              \
{                                                                                                 \
    RING_IDX prod;                                                                                \
    unsigned long notifications = 0;                                                              \
    int notify, more;                                                                             \
    do {                                                                                          \
        prod = ring->sring->req_prod;                                                             \
        xen_rmb();                                                                                \
        if (RING_REQUEST_PROD_OVERFLOW(ring, prod))                                               \
            die("too many requests");                                                             \
        if (ring->req_cons == prod)                                                               \
            return notifications;                                                                 \
        while (ring->req_cons != prod) {                                                          \
            REQ request;                                                                          \
            RSP response;                                                                         \
            RING_COPY_REQUEST(ring, ring->req_cons, &request);                                    \
            ring->req_cons++;                                                                     \
            NAME##_answer(&request, &response);                                                   \
            *RING_GET_RESPONSE(ring, ring->rsp_prod_pvt) = response;                              \
            ring->rsp_prod_pvt++;                                                                 \
        }                                                                                         \
        RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(ring, notify);                                       \
        notifications += (unsigned)notify;                                                        \
        RING_FINAL_CHECK_FOR_REQUESTS(ring, more);                                                \
    } while (more);                                                                               \
    return notifications;                                                                         \
}                                                                                                 \
                                                                                                  \
/* How many notifications that would need. */                                                     \
static unsigned long NAME##_front_push(struct NAME##_front_ring *ring, unsigned long from)        \
{                                                                                                 \
    int notify;                                                                                   \
    for (long i = 0; i < batch; i++) {                                                            \
        REQ request;                                                                              \
        if (RING_FULL(ring))                                                                      \
            die("the ring is full");                                                              \
        NAME##_ask(&request, from + (unsigned long)i);                                            \
        *RING_GET_REQUEST(ring, ring->req_prod_pvt) = request;                                    \
        ring->req_prod_pvt++;                                                                     \
    }                                                                                             \
    RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(ring, notify);                                            \
    return (unsigned)notify;                                                                      \
}                                                                                                 \
                                                                                                  \
/* How many responses there were. */                                                              \
static long NAME##_front_take(struct NAME##_front_ring *ring, unsigned long from)                 \
{                                                                                                 \
    long taken = 0;                                                                               \
    int more;                                                                                     \
    do {                                                                                          \
        RING_IDX prod = ring->sring->rsp_prod;                                                    \
        xen_rmb();                                                                                \
        if (RING_RESPONSE_PROD_OVERFLOW(ring, prod))                                              \
            die("too many responses");                                                            \
        if (ring->rsp_cons == prod)                                                               \
            return taken;                                                                         \
        while (ring->rsp_cons != prod) {                                                          \
            RSP response;                                                                         \
            RING_COPY_RESPONSE(ring, ring->rsp_cons, &response);                                  \
            ring->rsp_cons++;                                                                     \
            if (!NAME##_fits(&response, from + (unsigned long)taken))                             \
                die("a wrong response");                                                          \
            taken++;                                                                              \
        }                                                                                         \
        RING_FINAL_CHECK_FOR_RESPONSES(ring, more);                                               \
    } while (more);                                                                               \
    return taken;                                                                                 \
}                                                                                                 \
                                                                                                  \
static void *NAME##_back_thread(void *page)                                                       \
{                                                                                                 \
    struct NAME##_back_ring ring;                                                                 \
    unsigned long notifications = 0;                                                              \
    unsigned spins = 0;                                                                           \
    pin(processors[1]);                                                                                       \
    BACK_RING_INIT(&ring, (struct NAME##_sring *)page, PAGE);                                     \
    while (!stop) {                                                                               \
        notifications += NAME##_back_turn(&ring);                                                 \
        relax(&spins);                                                                            \
    }                                                                                             \
    check(notifications);                                                                         \
    return NULL;                                                                                  \
}                                                                                                 \
                                                                                                  \
static double NAME##_run(int threads, void *front_page, void *back_page)                          \
{                                                                                                 \
    struct NAME##_front_ring front;                                                               \
    struct NAME##_back_ring back;                                                                 \
    double rates[SLICES];                                                                         \
    clockid_t clock = threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;                   \
    unsigned long number = 0, notifications = 0, rounds = operations / SLICES / (unsigned long)batch;\
    unsigned spins = 0;                                                                           \
    pthread_t thread;                                                                             \
    XEN_FRONT_RING_INIT(&front, (struct NAME##_sring *)front_page, PAGE);                         \
    BACK_RING_INIT(&back, (struct NAME##_sring *)back_page, PAGE);                                \
    if (threads == 2 && pthread_create(&thread, NULL, NAME##_back_thread, back_page))             \
        die("cannot start a thread");                                                             \
    for (int slice = 0; slice < SLICES; slice++) {                                                \
        uint64_t start = now_ns(clock);                                                           \
        for (unsigned long round = 0; round < rounds; round++) {                                  \
            long taken = 0;                                                                       \
            notifications += NAME##_front_push(&front, number);                                   \
            while (taken < batch) {                                                               \
                long more;                                                                        \
                if (threads == 1)                                                                 \
                    notifications += NAME##_back_turn(&back);                                     \
                more = NAME##_front_take(&front, number + (unsigned long)taken);                  \
                if (more == 0)                                                                    \
                    relax(&spins);                                                                \
                taken += more;                                                                    \
            }                                                                                     \
            number += (unsigned long)batch;                                                       \
        }                                                                                         \
        rates[slice] = (double)rounds * (double)batch * 1e9 / (double)(now_ns(clock) - start);    \
    }                                                                                             \
    check(notifications);                                                                         \
    stop = 1;                                                                                     \
    if (threads == 2)                                                                             \
        pthread_join(thread, NULL);                                                               \
    qsort(rates, SLICES, sizeof(rates[0]), by_size);                                              \
    return rates[SLICES / 2];                                                                     \
}

static void netif_tx_ask(netif_tx_request_t *request, unsigned long number)
{
    request->gref = (uint32_t)number;
    request->offset = 0;
    request->flags = 0;
    request->id = (uint16_t)number;
    request->size = 1500;
}

static void netif_tx_answer(const netif_tx_request_t *request, netif_tx_response_t *response)
{
    /* Every field is looked at, as a back end does: a compiler leaves out the copy of what nobody uses. */
    int good = (uint16_t)request->gref == request->id && request->offset == 0 && request->flags == 0 && request->size == 1500;
    response->id = request->id;
    response->status = __builtin_expect(good, 1) ? NETIF_RSP_OKAY : NETIF_RSP_ERROR;
}

static int netif_tx_fits(const netif_tx_response_t *response, unsigned long number)
{
    return response->id == (uint16_t)number && response->status == NETIF_RSP_OKAY;
}

static void blkif_ask(blkif_request_t *request, unsigned long number)
{
    memset(request, 0, sizeof(*request));
    request->nr_segments = BLKIF_MAX_SEGMENTS_PER_REQUEST;
    request->id = number;
    request->sector_number = number;
}

static void blkif_answer(const blkif_request_t *request, blkif_response_t *response)
{
    memset(response, 0, sizeof(*response));
    response->id = request->id;
    response->status = request->sector_number == request->id ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR;
}

static int blkif_fits(const blkif_response_t *response, unsigned long number)
{
    return response->id == number && response->status == BLKIF_RSP_OKAY;
}

EXCHANGE(netif_tx, netif_tx_request_t, netif_tx_response_t)
EXCHANGE(blkif, blkif_request_t, blkif_response_t)

int main(int argc, char **argv)
{
    void *front, *back;
    int threads, page;
    double rate;
    if (argc != 5)
        die("peer THREADS ENTRY BATCH OPERATIONS");
    threads = strcmp(argv[1], "two") ? 1 : 2;
    batch = atol(argv[3]);
    operations = strtoul(argv[4], NULL, 10);
    if (batch < 1 || operations < (unsigned long)batch * SLICES)
        die("too few operations");
    /* Each end sees the page at an address of its own, as two domains do. */
    page = memfd_create("ring", MFD_CLOEXEC);
    if (page < 0 || ftruncate(page, PAGE))
        die("cannot make a page");
    front = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
    back = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
    if (front == MAP_FAILED || back == MAP_FAILED)
        die("cannot map a page");
    find_processors();
    pin(processors[0]);
    rate = strcmp(argv[2], "net") ? blkif_run(threads, front, back) : netif_tx_run(threads, front, back);
    printf("%.0f\n", rate);
    return 0;
}
