/* What the machines that hang on an agent's port would take a recording for, by Debian's libspandsp, for proof/hangup.
 *
 *   spandsp_hear FILE     FILE: 8 kHz, 16 bit, mono, raw
 *
 * Runs every detector below over the samples and prints for each its name and how often it fired. Call progress tones and cadences:
 * ITU-T E.180 supplement 2, each pulse and pause within a quarter of its length; SIT: E.180; modem and fax tones: T.30, V.8, V.25. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <spandsp.h>

enum { block = 160, for_ever = -1 };

static const struct { const char *name; int type; } modem[] = {
    {"fax-calling", MODEM_CONNECT_TONES_FAX_CNG},
    {"fax-answer", MODEM_CONNECT_TONES_FAX_CED_OR_PREAMBLE},
    {"modem-answer", MODEM_CONNECT_TONES_ANS},
    {"modem-answer-reversed", MODEM_CONNECT_TONES_ANS_PR},
    {"modem-answer-bell", MODEM_CONNECT_TONES_BELL_ANS},
    {"modem-calling", MODEM_CONNECT_TONES_CALLING_TONE},
};

/* A pulse of one or two frequencies, or a pause. For the library 0 is no frequency, whatever its header says. */
struct pulse { int hz, hz2, ms; };

static const struct { const char *name; struct pulse pulses[5]; } progress[] = {
    {"dial-us", {{350, 440, for_ever}}},
    {"dial-europe", {{425, 0, for_ever}}},
    {"busy-us", {{480, 620, 500}, {0, 0, 500}, {480, 620, 500}}},
    {"reorder-us", {{480, 620, 250}, {0, 0, 250}, {480, 620, 250}}},
    {"busy-europe", {{425, 0, 500}, {0, 0, 500}, {425, 0, 500}}},
    {"congestion-europe", {{425, 0, 250}, {0, 0, 250}, {425, 0, 250}}},
    {"busy-uk", {{400, 0, 375}, {0, 0, 375}, {400, 0, 375}}},
    {"ringback-us", {{440, 480, 2000}, {0, 0, 4000}}},
    {"ringback-europe", {{425, 0, 1000}, {0, 0, 4000}}},
    {"ringback-uk", {{400, 450, 400}, {0, 0, 200}, {400, 450, 400}, {0, 0, 2000}}},
    {"special-information", {{950, 0, 330}, {1400, 0, 330}, {1800, 0, 330}}},
};

enum { modems = sizeof modem / sizeof *modem, progresses = sizeof progress / sizeof *progress };

/* The callbacks tell of a tone's end, too: as no tone. */
static void modem_fired(void *count, int code, int level, int delay)
{
    (void) level, (void) delay;
    *(long *) count += code != MODEM_CONNECT_TONES_NONE;
}

static void progress_fired(void *count, int code, int level, int delay)
{
    (void) level, (void) delay;
    *(long *) count += code == 0;
}

static void *need(void *p)
{
    if (!p) {
        fprintf(stderr, "spandsp_hear: out of memory\n");
        exit(1);
    }
    return p;
}

int main(int argc, char **argv)
{
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    int16_t x[block];
    int n;
    long digits = 0, modem_count[modems] = {0}, progress_count[progresses] = {0};
    modem_connect_tones_rx_state_t *m[modems];
    super_tone_rx_state_t *s[progresses];
    dtmf_rx_state_t *d = need(dtmf_rx_init(NULL, NULL, NULL));

    if (!f) {
        fprintf(stderr, "usage: spandsp_hear FILE\n");
        return 2;
    }
    for (int i = 0; i < modems; i++)
        m[i] = need(modem_connect_tones_rx_init(NULL, modem[i].type, modem_fired, &modem_count[i]));
    for (int i = 0; i < progresses; i++) {
        super_tone_rx_descriptor_t *one = need(super_tone_rx_make_descriptor(NULL));
        int tone = super_tone_rx_add_tone(one);
        for (const struct pulse *p = progress[i].pulses; p->ms; p++)
            super_tone_rx_add_element(one, tone, p->hz, p->hz2, p->ms > 0 ? p->ms * 3 / 4 : 700, p->ms > 0 ? p->ms * 5 / 4 : 0);
        /* With a single frequency the library compares what it never set: here is a second one, of a tone that never comes. */
        super_tone_rx_add_element(one, super_tone_rx_add_tone(one), 3000, 0, 600000, 0);
        s[i] = need(super_tone_rx_init(NULL, one, progress_fired, &progress_count[i]));
    }
    while ((n = fread(x, 2, block, f)) > 0) {
        int16_t y[block]; /* some detectors may write */
        char keys[129];
        dtmf_rx(d, memcpy(y, x, sizeof y), n);
        digits += dtmf_rx_get(d, keys, 128);
        for (int i = 0; i < modems; i++)
            modem_connect_tones_rx(m[i], memcpy(y, x, sizeof y), n);
        for (int i = 0; i < progresses; i++)
            super_tone_rx(s[i], memcpy(y, x, sizeof y), n);
    }
    printf("dtmf %ld\n", digits);
    for (int i = 0; i < modems; i++)
        printf("%s %ld\n", modem[i].name, modem_count[i]);
    for (int i = 0; i < progresses; i++)
        printf("%s %ld\n", progress[i].name, progress_count[i]);
    return 0;
}
