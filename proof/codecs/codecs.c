/* codecs STAGE...: speech through one codec after the other, as it fares on its way to a telephone line.
 *
 * Standard input and output are 16-bit samples of this machine's byte order, 8 kHz, mono; as many come out as went in. Each stage
 * codes and decodes 20 ms at a time, and what it delays stays in the output. For tests only: see proof/channels.
 *
 *   gsm                           GSM full rate
 *   amr4.75 ... amr12.2           AMR narrowband; with -dtx, silence is not sent; with -loss3, 3 % of the frames are lost
 *   amrwb6.6 ... amrwb23.85       AMR wideband, from 8 kHz and back
 *   g726-16 ... g726-40           ADPCM
 *   opus6 ... opus24              Opus for speech, narrowband, kbit/s
 *   alaw                          G.711
 *   denoise                       a noise suppressor
 */
#include <gsm/gsm.h>
#include <opencore-amrnb/interf_dec.h>
#include <opencore-amrnb/interf_enc.h>
#include <opencore-amrwb/dec_if.h>
#include <opus/opus.h>
#include <spandsp.h>
#include <speex/speex_preprocess.h>
#include <speex/speex_resampler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vo-amrwbenc/enc_if.h>

enum { FRAME = 160, STAGES = 8 };

struct stage {
	void (*run)(struct stage *s, short *x);
	void *encoder, *decoder;
	SpeexResamplerState *up, *down;
	int mode;
	int loss;     /* frames lost of a thousand */
	unsigned dice; /* state of their choice: the same each time */
};

static void fail(const char *what, const char *name)
{
	fprintf(stderr, "codecs: %s %s: see the head of codecs.c for the stages\n", what, name);
	exit(2);
}

static void gsm_run(struct stage *s, short *x)
{
	gsm_frame code;
	gsm_encode(s->encoder, x, code);
	gsm_decode(s->decoder, code, x);
}

static int lost(struct stage *s)
{
	s->dice = s->dice * 1664525u + 1013904223u;
	return (int)((s->dice >> 16) % 1000) < s->loss;
}

static void amr_run(struct stage *s, short *x)
{
	unsigned char code[64];
	Encoder_Interface_Encode(s->encoder, s->mode, x, code, 0);
	if (lost(s))
		code[0] = 15 << 3 | 4; /* no data: the decoder conceals, unless it is in a pause */
	Decoder_Interface_Decode(s->decoder, code, x, 0);
}

static void amrwb_run(struct stage *s, short *x)
{
	unsigned char code[128];
	short wide[2 * FRAME];
	spx_uint32_t in = FRAME, out = 2 * FRAME;
	speex_resampler_process_int(s->up, 0, x, &in, wide, &out);
	E_IF_encode(s->encoder, s->mode, wide, code, 0);
	D_IF_decode(s->decoder, code, wide, _good_frame);
	in = 2 * FRAME;
	out = FRAME;
	speex_resampler_process_int(s->down, 0, wide, &in, x, &out);
}

static void g726_run(struct stage *s, short *x)
{
	unsigned char code[FRAME];
	int n = g726_encode(s->encoder, code, x, FRAME);
	g726_decode(s->decoder, x, code, n);
}

static void opus_run(struct stage *s, short *x)
{
	unsigned char code[1500];
	int n = opus_encode(s->encoder, x, FRAME, code, sizeof code);
	if (n < 0 || opus_decode(s->decoder, code, n, x, FRAME, 0) != FRAME)
		fail("can't code with", "opus");
}

static void alaw_run(struct stage *s, short *x)
{
	(void)s;
	for (int i = 0; i < FRAME; i++)
		x[i] = alaw_to_linear(linear_to_alaw(x[i]));
}

static void denoise_run(struct stage *s, short *x)
{
	speex_preprocess_run(s->encoder, x);
}

/* rate finds the number that name begins with among the rates, and what follows it. */
static int rate(const char *name, const char *const *rates, int n, const char **rest)
{
	int best = -1;
	size_t longest = 0;
	for (int i = 0; i < n; i++) {
		size_t len = strlen(rates[i]);
		if (len > longest && strncmp(name, rates[i], len) == 0) {
			best = i;
			longest = len;
		}
	}
	*rest = name + longest;
	return best;
}

static void begin_amr(struct stage *s, const char *name)
{
	static const char *const rates[] = {"4.75", "5.15", "5.9", "6.7", "7.4", "7.95", "10.2", "12.2"};
	const char *rest;
	int dtx = 0;
	s->mode = rate(name + 3, rates, 8, &rest);
	if (strcmp(rest, "-dtx") == 0)
		dtx = 1;
	else if (strcmp(rest, "-loss3") == 0)
		s->loss = 30;
	else if (*rest != 0)
		s->mode = -1;
	s->run = amr_run;
	s->encoder = Encoder_Interface_init(dtx);
	s->decoder = Decoder_Interface_init();
}

static void begin_amrwb(struct stage *s, const char *name)
{
	static const char *const rates[] = {"6.6", "8.85", "12.65", "14.25", "15.85", "18.25", "19.85", "23.05", "23.85"};
	const char *rest;
	int err;
	s->mode = rate(name + 5, rates, 9, &rest);
	if (*rest != 0)
		s->mode = -1;
	s->run = amrwb_run;
	s->encoder = E_IF_init();
	s->decoder = D_IF_init();
	s->up = speex_resampler_init(1, 8000, 16000, 8, &err);
	s->down = speex_resampler_init(1, 16000, 8000, 8, &err);
}

static void begin_opus(struct stage *s, const char *name)
{
	int err, kbits = atoi(name + 4);
	s->mode = kbits >= 6 && kbits <= 64 ? 0 : -1;
	s->run = opus_run;
	s->encoder = opus_encoder_create(8000, 1, OPUS_APPLICATION_VOIP, &err);
	opus_encoder_ctl(s->encoder, OPUS_SET_BITRATE(1000 * kbits));
	s->decoder = opus_decoder_create(8000, 1, &err);
}

static void begin(struct stage *s, const char *name)
{
	memset(s, 0, sizeof *s);
	s->dice = 1;
	if (strcmp(name, "gsm") == 0) {
		s->run = gsm_run;
		s->encoder = gsm_create();
		s->decoder = gsm_create();
	} else if (strncmp(name, "amrwb", 5) == 0) {
		begin_amrwb(s, name);
	} else if (strncmp(name, "amr", 3) == 0) {
		begin_amr(s, name);
	} else if (strncmp(name, "g726-", 5) == 0) {
		int kbits = atoi(name + 5);
		s->mode = kbits == 16 || kbits == 24 || kbits == 32 || kbits == 40 ? 0 : -1;
		s->run = g726_run;
		s->encoder = g726_init(NULL, 1000 * kbits, G726_ENCODING_LINEAR, G726_PACKING_NONE);
		s->decoder = g726_init(NULL, 1000 * kbits, G726_ENCODING_LINEAR, G726_PACKING_NONE);
	} else if (strncmp(name, "opus", 4) == 0) {
		begin_opus(s, name);
	} else if (strcmp(name, "alaw") == 0) {
		s->run = alaw_run;
		s->encoder = s->decoder = s;
	} else if (strcmp(name, "denoise") == 0) {
		s->run = denoise_run;
		s->encoder = s->decoder = speex_preprocess_state_init(FRAME, 8000);
	} else {
		fail("no stage", name);
	}
	if (s->mode < 0 || s->encoder == NULL || s->decoder == NULL)
		fail("no such", name);
}

int main(int argc, char **argv)
{
	struct stage stages[STAGES];
	short x[FRAME];
	size_t n;
	if (argc < 2 || argc > STAGES + 1)
		fail("needs 1 to 8 stages", "");
	for (int i = 1; i < argc; i++)
		begin(&stages[i - 1], argv[i]);
	while ((n = fread(x, sizeof *x, FRAME, stdin)) > 0) {
		memset(x + n, 0, (FRAME - n) * sizeof *x);
		for (int i = 0; i < argc - 1; i++)
			stages[i].run(&stages[i], x);
		if (fwrite(x, sizeof *x, n, stdout) != n) {
			perror("codecs: write");
			return 1;
		}
	}
	return ferror(stdin) || fflush(stdout) != 0;
}
