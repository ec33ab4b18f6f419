/* What DTMF detection costs in Debian's libspandsp, for proof/speed, which runs this and flattone's whole path on the same samples.
 *
 *   spandsp_bench FILE PASSES     FILE: 8 kHz, 16 bit, mono, raw
 *
 * Takes the samples in blocks of 160 through one detector, PASSES times over, and prints nanoseconds of the thread's processor
 * time for each sample. Then five times from a fresh start with a clock around each block. A block does the same work each time;
 * so the least of its five times is its own, without the machine's interruptions. Prints the longest block as a multiple of
 * the median. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <tiffio.h>
#include <spandsp.h>

enum { block = 160, starts = 5 };

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

static void feed(dtmf_rx_state_t *d, const int16_t *x)
{
    char digits[129];
    dtmf_rx(d, x, block);
    dtmf_rx_get(d, digits, 128);
}

static dtmf_rx_state_t *fresh(void)
{
    dtmf_rx_state_t *d = dtmf_rx_init(NULL, NULL, NULL);
    if (!d)
        exit(1);
    return d;
}

int main(int argc, char **argv)
{
    FILE *f = argc == 3 ? fopen(argv[1], "rb") : NULL;
    int passes = argc == 3 ? atoi(argv[2]) : 0;
    long size, blocks;
    if (!f || passes < 1 || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 2 * block) {
        fprintf(stderr, "usage: spandsp_bench FILE PASSES\n");
        return 2;
    }
    blocks = size / (2 * block);
    int16_t *x = malloc(size);
    double *took = malloc(blocks * sizeof *took);
    rewind(f);
    if (!x || !took || fread(x, 2 * block, blocks, f) != (size_t) blocks) {
        fprintf(stderr, "spandsp_bench: can't read %s\n", argv[1]);
        return 1;
    }
    dtmf_rx_state_t *d = fresh();
    double began = now(CLOCK_THREAD_CPUTIME_ID);
    for (int p = 0; p < passes; p++)
        for (long b = 0; b < blocks; b++)
            feed(d, x + b * block);
    double spent = now(CLOCK_THREAD_CPUTIME_ID) - began;
    for (int n = 0; n < starts; n++) {
        d = fresh();
        for (long b = 0; b < blocks; b++) {
            began = now(CLOCK_MONOTONIC);
            feed(d, x + b * block);
            double t = now(CLOCK_MONOTONIC) - began;
            took[b] = n && took[b] < t ? took[b] : t;
        }
    }
    qsort(took, blocks, sizeof *took, rising);
    printf("%.3f %.3f\n", spent / passes / (blocks * block), took[blocks - 1] / took[blocks / 2]);
    return 0;
}
