/* vcard: a sound card in files, as a plugin of ALSA, for machines that have none. Whoever opens it finds a card like any other:
 * periods, poll, mmap, overruns, and on request a clock that is fast, stands still, or a card that is pulled out.
 *
 *   pcm_type.vcard { lib "/folder/vcard.so" }
 *   pcm.line { type vcard dir "/folder" name "line" rate 8000 channels 2 ppm 200 patient 1 }
 *
 * dir, name, rate   where its files are, what they are called, frames a second
 * channels          1 if it isn't said
 * ppm               how many millionths its clock is faster than the machine's
 * burst             in steps of how many frames its clock is seen to go, 1 if it isn't said
 * as                the only name it opens under, and then for one stream each way at a time, as the kernel's own cards do
 * patient           1: the clock waits for a program that is late, instead of an overrun. All that the program is given and all that
 *                   it gives can then be checked to the bit, however busy the machine is.
 *
 * Its files; samples are 16-bit, little-endian, interleaved, and a frame's place is its number since all cards of dir began:
 *
 *   clock             when that was: nanoseconds of CLOCK_MONOTONIC
 *   NAME.in           what it captures; silence after the end
 *   NAME.out          what it played, written when there is more to play, or no more; 0 where it was given nothing
 *   NAME.out and NAME.in may also be wired to what is captured, see struct wire.
 *   NAME.card         struct card below, shared with the test. hw/hwtest/card writes and reads it by offset.
 */
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { LEAST_PERIOD = 8, MOST_PERIOD = 4096, MOST_PERIODS = 64 }; /* frames, frames, in a buffer */
enum { STALLED_POLL_NS = 5000000 };                               /* how soon a card that stands still is looked at again */

/* A wire from an output or an input to an input: what was heard there delay frames before is heard here too, times gain. What is played takes
 * two periods to be there for certain. */
struct wire {
	int32_t from; /* a channel of the outputs, from 1; of the inputs, from -1; 0: none */
	int32_t to;   /* a channel of the inputs, from 1 */
	int32_t delay;
	float gain;
};

enum { WIRES = 2 };

/* What both directions of a card share, and the test. */
struct card {
	int32_t unplugged;
	int32_t overruns; /* of either direction */
	int64_t stall_from, stall_until; /* the clock stands still between, and is then where it would have been */
	int64_t late;                    /* frames that a patient card waited */
	int64_t began[2];                /* a direction's first frame */
	int64_t captured;                /* up to which frame */
	int32_t runs[2];
	struct wire wires[WIRES];
};
_Static_assert(sizeof(struct card) == 96, "the offsets are known to hw/hwtest/card");

/* One direction of a card, opened. */
struct stream {
	snd_pcm_ioplug_t io;
	volatile struct card *card;
	int timer, out, lock;
	int channels, patient, draining, burst;
	double frame_ns;
	int64_t epoch;
	int64_t pos;     /* where the clock stands, frames since began */
	int64_t flushed; /* how far what was played is written */
	int64_t in_frames;
	int16_t *in, *ring;
	snd_pcm_uframes_t avail_min;
};

static int plays(const struct stream *s)
{
	return s->io.stream == SND_PCM_STREAM_PLAYBACK;
}

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int stalled(const struct stream *s, int64_t now)
{
	return s->card->stall_from <= now && now < s->card->stall_until;
}

/* now_frame is what the card's clock shows. */
static int64_t now_frame(const struct stream *s)
{
	int64_t now = now_ns();
	if (stalled(s, now))
		now = s->card->stall_from;
	int64_t frame = (int64_t)((double)(now - s->epoch) / s->frame_ns) - s->card->late;
	return frame - frame % s->burst;
}

static int gone(struct stream *s)
{
	if (!s->card->unplugged)
		return 0;
	snd_pcm_ioplug_set_state(&s->io, SND_PCM_STATE_DISCONNECTED);
	return 1;
}

static void wake_at(struct stream *s, int64_t ns, int how)
{
	struct itimerspec at = {.it_value = {ns / 1000000000LL, ns % 1000000000LL}};
	timerfd_settime(s->timer, how, &at, NULL);
}

static void wake_now(struct stream *s)
{
	wake_at(s, 1, TFD_TIMER_ABSTIME);
}

/* flush writes what was played up to the clock, or to where the program had got. Once a period: the program pays for it, as it doesn't for a card's work. */
static void flush(struct stream *s)
{
	if (!plays(s))
		return;
	int64_t size = (int64_t)s->io.buffer_size, end = s->pos;
	if (end > (int64_t)s->io.appl_ptr)
		end = (int64_t)s->io.appl_ptr;
	while (s->flushed < end) {
		int64_t at = s->flushed % size, n = end - s->flushed;
		if (n > size - at)
			n = size - at;
		size_t frame = (size_t)s->channels * 2;
		if (pwrite(s->out, s->ring + at * s->channels, (size_t)n * frame,
			   (s->card->began[SND_PCM_STREAM_PLAYBACK] + s->flushed) * (int64_t)frame) < 0)
			return;
		s->flushed += n;
	}
}

/* advance brings the direction up to the clock, and reports whether it has overrun. A card moves both ways in one step: what is played
 * never gets ahead of what the program has seen captured, or PortAudio would now and then take silence for the period that is missing.
 */
static int advance(struct stream *s)
{
	if (!s->card->runs[s->io.stream])
		return 0;
	int64_t now = now_frame(s);
	if (plays(s) && s->card->runs[SND_PCM_STREAM_CAPTURE] && now > s->card->captured)
		now = s->card->captured;
	int64_t pos = now - s->card->began[s->io.stream];
	/* Played further than there was something to play, or captured more than there is room for. */
	int64_t most = (int64_t)s->io.appl_ptr + (plays(s) ? 0 : (int64_t)s->io.buffer_size);
	if (s->patient && !s->draining)
		most--; /* ALSA itself takes a buffer that is all empty, or all full, for an overrun */
	int over = 0;
	if (pos > most && s->patient) {
		s->card->late += pos - most;
		pos = most;
	} else if (pos > most) {
		over = 1;
	}
	if (pos > s->pos)
		s->pos = pos;
	if (!plays(s))
		s->card->captured = s->card->began[SND_PCM_STREAM_CAPTURE] + s->pos;
	return over;
}

static snd_pcm_sframes_t on_pointer(snd_pcm_ioplug_t *io)
{
	struct stream *s = io->private_data;
	if (gone(s))
		return -ENODEV;
	if (!advance(s))
		return s->pos;
	flush(s);
	s->card->runs[io->stream] = 0;
	s->card->overruns++;
	return -EPIPE;
}

/* A card has one clock: the direction that is started within a buffer of the other began with it. */
static int on_start(snd_pcm_ioplug_t *io)
{
	struct stream *s = io->private_data;
	if (gone(s))
		return -ENODEV;
	int64_t began = now_frame(s);
	if (s->card->runs[!io->stream]) {
		int64_t other = s->card->began[!io->stream];
		if (s->patient && began > other) /* and waits for it */
			s->card->late += began - other;
		if (s->patient || began - other < (int64_t)io->buffer_size)
			began = other;
	}
	s->card->began[io->stream] = began;
	if (!plays(s))
		s->card->captured = began;
	s->card->runs[io->stream] = 1;
	wake_now(s);
	return 0;
}

static int on_stop(snd_pcm_ioplug_t *io)
{
	struct stream *s = io->private_data;
	advance(s);
	flush(s);
	s->card->runs[io->stream] = 0;
	return 0;
}

static int on_prepare(snd_pcm_ioplug_t *io)
{
	struct stream *s = io->private_data;
	if (gone(s))
		return -ENODEV;
	free(s->ring);
	s->ring = calloc(io->buffer_size, (size_t)s->channels * 2);
	s->card->runs[io->stream] = 0;
	s->pos = s->flushed = s->draining = 0;
	wake_now(s);
	return s->ring ? 0 : -ENOMEM;
}

static int on_sw_params(snd_pcm_ioplug_t *io, snd_pcm_sw_params_t *params)
{
	struct stream *s = io->private_data;
	return snd_pcm_sw_params_get_avail_min(params, &s->avail_min);
}

/* wired is what the wires add to a channel's frame, given as it is without them. */
static int16_t wired(struct stream *s, int c, int64_t at, int16_t x)
{
	double v = x;
	for (int w = 0; w < WIRES; w++) {
		volatile struct wire *wire = &s->card->wires[w];
		int64_t then = at - wire->delay;
		int16_t heard = 0;
		if (!wire->from || wire->to != c + 1 || then < 0)
			continue;
		if (wire->from < 0)
			heard = then < s->in_frames ? s->in[then * s->channels - wire->from - 1] : 0;
		else if (pread(s->out, &heard, sizeof heard, (then * s->channels + wire->from - 1) * 2) < (ssize_t)sizeof heard)
			heard = 0; /* nothing was played so far */
		v += wire->gain * heard;
	}
	v += v < 0 ? -0.5 : 0.5;
	return v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : (int16_t)v;
}

static snd_pcm_sframes_t on_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset,
				     snd_pcm_uframes_t frames)
{
	struct stream *s = io->private_data;
	if (gone(s))
		return -ENODEV;
	flush(s); /* before it is written over */
	for (int c = 0; c < s->channels; c++) {
		const snd_pcm_channel_area_t *a = &areas[c];
		int16_t *x = (int16_t *)((char *)a->addr + (a->first + a->step * offset) / 8);
		for (int64_t i = 0; i < (int64_t)frames; i++, x += a->step / 16) {
			int64_t at = (int64_t)io->appl_ptr + i;
			if (plays(s)) {
				s->ring[at % (int64_t)io->buffer_size * s->channels + c] = *x;
				continue;
			}
			at += s->card->began[SND_PCM_STREAM_CAPTURE];
			*x = wired(s, c, at, at < s->in_frames ? s->in[at * s->channels + c] : 0);
		}
	}
	return (snd_pcm_sframes_t)frames;
}

static int on_poll(snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned n, unsigned short *events)
{
	(void)fds, (void)n;
	struct stream *s = io->private_data;
	if (gone(s)) {
		*events = POLLERR | POLLNVAL;
		return 0;
	}
	int over = advance(s);
	int64_t want = (int64_t)(s->avail_min ? s->avail_min : io->period_size);
	int64_t avail = s->pos - (int64_t)io->appl_ptr + (plays(s) ? (int64_t)io->buffer_size : 0);
	*events = 0;
	if (over || avail >= want) { /* the timer stays readable until the program has come */
		*events = plays(s) ? POLLOUT : POLLIN;
		return 0;
	}
	uint64_t times;
	if (read(s->timer, &times, sizeof times) < 0 && errno != EAGAIN)
		return -errno;
	if (stalled(s, now_ns()))
		wake_at(s, STALLED_POLL_NS, 0);
	else if (s->card->runs[io->stream]) {
		int64_t at = s->card->began[io->stream] + s->pos + want - avail + s->card->late;
		at += s->burst - 1; /* by when the step has been made that it lies in */
		wake_at(s, s->epoch + (int64_t)((double)at * s->frame_ns) + 1000, TFD_TIMER_ABSTIME);
	}
	return 0;
}

static int on_drain(snd_pcm_ioplug_t *io)
{
	struct stream *s = io->private_data;
	s->draining = 1;
	for (int ms = 0; ms < 1000 && s->card->runs[io->stream] && s->pos < (int64_t)io->appl_ptr && !gone(s); ms++) {
		usleep(1000);
		advance(s);
	}
	flush(s);
	return 0;
}

static int on_close(snd_pcm_ioplug_t *io)
{
	struct stream *s = io->private_data;
	if (s->out >= 0)
		close(s->out);
	if (s->in)
		munmap(s->in, (size_t)s->in_frames * (size_t)s->channels * 2);
	if (s->timer >= 0)
		close(s->timer);
	if (s->lock >= 0)
		close(s->lock);
	munmap((void *)s->card, sizeof *s->card);
	free(s->ring);
	free(s);
	return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
	.start = on_start,
	.stop = on_stop,
	.pointer = on_pointer,
	.transfer = on_transfer,
	.prepare = on_prepare,
	.sw_params = on_sw_params,
	.poll_revents = on_poll,
	.drain = on_drain,
	.close = on_close,
};

static int open_in(const char *dir, const char *name, const char *what, int flags)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s%s", dir, name, what);
	int fd = open(path, flags | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

static int open_card(struct stream *s, const char *dir, const char *name)
{
	int fd = open_in(dir, name, ".card", O_RDWR | O_CREAT);
	if (fd < 0)
		return fd;
	int err = ftruncate(fd, sizeof *s->card) < 0 ? -errno : 0;
	void *card = err ? MAP_FAILED : mmap(NULL, sizeof *s->card, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!err && card == MAP_FAILED)
		err = -errno;
	close(fd);
	if (!err)
		s->card = card;
	return err;
}

/* alone takes a direction for this stream. */
static int alone(struct stream *s, const char *dir, const char *name, snd_pcm_stream_t direction)
{
	s->lock = open_in(dir, name, direction == SND_PCM_STREAM_PLAYBACK ? ".plays" : ".captures", O_RDWR | O_CREAT);
	if (s->lock < 0)
		return s->lock;
	return flock(s->lock, LOCK_EX | LOCK_NB) < 0 ? -EBUSY : 0;
}

/* open_clock reads when the cards of dir began, or begins. */
static int open_clock(struct stream *s, const char *dir)
{
	int fd = open_in(dir, "clock", "", O_RDWR | O_CREAT | O_EXCL);
	if (fd >= 0) {
		s->epoch = now_ns();
		ssize_t n = write(fd, &s->epoch, sizeof s->epoch);
		close(fd);
		return n == sizeof s->epoch ? 0 : -EIO;
	}
	for (int ms = 0; ms < 1000; ms++) { /* its first user may not have written it yet */
		fd = open_in(dir, "clock", "", O_RDONLY);
		if (fd < 0)
			return fd;
		ssize_t n = read(fd, &s->epoch, sizeof s->epoch);
		close(fd);
		if (n == sizeof s->epoch)
			return 0;
		usleep(1000);
	}
	return -EIO;
}

static int open_samples(struct stream *s, const char *dir, const char *name, snd_pcm_stream_t direction)
{
	if (direction == SND_PCM_STREAM_PLAYBACK) {
		s->out = open_in(dir, name, ".out", O_WRONLY | O_CREAT);
		return s->out < 0 ? s->out : 0;
	}
	s->out = open_in(dir, name, ".out", O_RDONLY | O_CREAT); /* for wires */
	if (s->out < 0)
		return s->out;
	int fd = open_in(dir, name, ".in", O_RDONLY);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	struct stat info;
	int err = fstat(fd, &info) < 0 ? -errno : 0;
	int64_t frames = err ? 0 : info.st_size / (2 * s->channels);
	if (frames > 0) {
		void *in = mmap(NULL, (size_t)frames * (size_t)s->channels * 2, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
		if (in == MAP_FAILED)
			err = -errno;
		else
			s->in = in, s->in_frames = frames;
	}
	close(fd);
	return err;
}

static int limit(snd_pcm_ioplug_t *io, long rate, long channels)
{
	static const unsigned access[] = {SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_RW_INTERLEAVED,
					  SND_PCM_ACCESS_MMAP_NONINTERLEAVED, SND_PCM_ACCESS_RW_NONINTERLEAVED};
	static const unsigned format[] = {SND_PCM_FORMAT_S16_LE};
	unsigned n = (unsigned)channels, frame = n * 2, r = (unsigned)rate;
	int err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 4, access);
	if (err >= 0)
		err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, format);
	if (err >= 0)
		err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, n, n);
	if (err >= 0)
		err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, r, r);
	if (err >= 0)
		err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, LEAST_PERIOD * frame, MOST_PERIOD * frame);
	if (err >= 0)
		err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2, MOST_PERIODS);
	return err;
}

SND_PCM_PLUGIN_DEFINE_FUNC(vcard)
{
	(void)root;
	const char *dir = NULL, *card = NULL, *as = NULL;
	long rate = 0, channels = 1, ppm = 0, patient = 0, burst = 1;
	snd_config_iterator_t i, next;
	snd_config_for_each(i, next, conf) {
		snd_config_t *n = snd_config_iterator_entry(i);
		const char *id;
		if (snd_config_get_id(n, &id) < 0 || !strcmp(id, "type") || !strcmp(id, "comment") || !strcmp(id, "hint"))
			continue;
		if (!strcmp(id, "dir"))
			snd_config_get_string(n, &dir);
		else if (!strcmp(id, "name"))
			snd_config_get_string(n, &card);
		else if (!strcmp(id, "as"))
			snd_config_get_string(n, &as);
		else if (!strcmp(id, "rate"))
			snd_config_get_integer(n, &rate);
		else if (!strcmp(id, "channels"))
			snd_config_get_integer(n, &channels);
		else if (!strcmp(id, "ppm"))
			snd_config_get_integer(n, &ppm);
		else if (!strcmp(id, "burst"))
			snd_config_get_integer(n, &burst);
		else if (!strcmp(id, "patient"))
			snd_config_get_integer(n, &patient);
		else
			return -EINVAL;
	}
	if (!dir || !card || rate < 1 || channels < 1 || burst < 1)
		return -EINVAL;
	if (as && strcmp(as, name))
		return -ENOENT;
	struct stream *s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	s->channels = (int)channels;
	s->patient = (int)patient;
	s->burst = (int)burst;
	s->frame_ns = 1e9 / ((double)rate * (1 + (double)ppm * 1e-6));
	s->timer = s->out = s->lock = -1;
	s->io.private_data = s;
	int err = open_card(s, dir, card);
	if (err < 0) {
		free(s);
		return err;
	}
	err = s->card->unplugged ? -ENODEV : open_clock(s, dir);
	if (err >= 0 && as)
		err = alone(s, dir, card, stream);
	if (err >= 0)
		err = open_samples(s, dir, card, stream);
	if (err >= 0 && (s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) < 0)
		err = -errno;
	if (err >= 0) {
		s->io.version = SND_PCM_IOPLUG_VERSION;
		s->io.name = "virtual card";
		s->io.callback = &callbacks;
		s->io.poll_fd = s->timer;
		s->io.poll_events = POLLIN;
		s->io.flags = SND_PCM_IOPLUG_FLAG_MONOTONIC | SND_PCM_IOPLUG_FLAG_BOUNDARY_WA;
		err = snd_pcm_ioplug_create(&s->io, name, stream, mode);
	}
	if (err < 0) {
		on_close(&s->io);
		return err;
	}
	err = limit(&s->io, rate, channels);
	if (err < 0) {
		snd_pcm_ioplug_delete(&s->io);
		return err;
	}
	*pcmp = s->io.pcm;
	return 0;
}
SND_PCM_PLUGIN_SYMBOL(vcard);
