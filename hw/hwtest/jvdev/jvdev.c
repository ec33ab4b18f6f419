/* jvdev: sound devices in files, on a JACK server. PortAudio lists every client of a server as a device: here each has a port to capture from and one to
 * play to.
 *
 *   jvdev SERVER FOLDER NAME...
 *
 * Its files; samples are 16-bit, little-endian, mono, and a frame's place is its number since the first device began. The server's cycles are counted, so
 * nothing is skipped, however busy the machine is:
 *
 *   NAME.in    what it captures; silence after the end
 *   NAME.out   what it was given to play; 0 where that was nothing
 *
 * It writes "ready" to standard output. A line on standard input makes the server go as fast as it can, the next one in real time again, and so on. It ends
 * with its standard input, and with the server.
 */
#include <fcntl.h>
#include <jack/jack.h>
#include <math.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_DEVICES = 8, LONGEST_CYCLE = 8192, WAITS_MS = 10000 };

struct device {
	jack_client_t *client;
	jack_port_t *captured, *played;
	const int16_t *in;
	int64_t in_frames;
	int out;
	int begun;
	int64_t at; /* frames since the first device began */
};

static struct device devices[MOST_DEVICES];
static _Atomic int64_t epoch = -1; /* the server's time when the first device began */
static _Atomic int gone;

/* What becomes of a sample in between, a PortAudio 19.6 that isn't to add dither takes back: it multiplies by one less than it divides by, and cuts off. */
static float level(int16_t v)
{
	return v ? ((float)v + (v > 0 ? .5f : -.5f)) / 32767.f : 0.f;
}

static int16_t sample(float v)
{
	float s = v * 32768.f;
	return s >= 32767.f ? 32767 : s <= -32768.f ? -32768 : (int16_t)lrintf(s);
}

static int on_cycle(jack_nframes_t frames, void *arg)
{
	struct device *d = arg;
	if (!d->begun) {
		int64_t now = jack_last_frame_time(d->client), none = -1;
		atomic_compare_exchange_strong(&epoch, &none, now);
		d->at = now - atomic_load(&epoch);
		d->begun = 1;
	}
	float *captured = jack_port_get_buffer(d->captured, frames);
	const float *played = jack_port_get_buffer(d->played, frames);
	int16_t out[LONGEST_CYCLE];
	for (jack_nframes_t i = 0; i < frames; i++) {
		int64_t at = d->at + i;
		captured[i] = level(at < d->in_frames ? d->in[at] : 0);
		out[i] = sample(played[i]);
	}
	if (pwrite(d->out, out, frames * sizeof *out, d->at * (int64_t)sizeof *out) < 0)
		return 1;
	d->at += frames;
	return 0;
}

static int on_size(jack_nframes_t frames, void *arg)
{
	(void)arg;
	return frames > LONGEST_CYCLE;
}

static void on_shutdown(void *arg)
{
	(void)arg;
	atomic_store(&gone, 1);
}

static void say_nothing(const char *text)
{
	(void)text;
}

/* open_client waits for a server that is only just starting. */
static jack_client_t *open_client(const char *server, const char *name)
{
	for (int ms = 0; ms < WAITS_MS; ms += 20) {
		jack_client_t *c = jack_client_open(name, JackNoStartServer | JackServerName | JackUseExactName, NULL, server);
		if (c)
			return c;
		usleep(20000);
	}
	return NULL;
}

static int open_file(const char *folder, const char *name, const char *ending, int flags)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s%s", folder, name, ending);
	return open(path, flags | O_CLOEXEC, 0600);
}

static int open_device(struct device *d, const char *server, const char *folder, const char *name)
{
	int in = open_file(folder, name, ".in", O_RDONLY);
	struct stat info;
	if (in < 0 || fstat(in, &info) < 0)
		return -1;
	if ((d->in_frames = info.st_size / 2) > 0) {
		void *map = mmap(NULL, (size_t)d->in_frames * 2, PROT_READ, MAP_SHARED | MAP_POPULATE, in, 0);
		if (map == MAP_FAILED)
			return -1;
		d->in = map;
	}
	close(in);
	d->out = open_file(folder, name, ".out", O_WRONLY | O_CREAT | O_TRUNC);
	if (d->out < 0 || !(d->client = open_client(server, name)))
		return -1;
	const unsigned long like_a_card = JackPortIsPhysical | JackPortIsTerminal;
	d->captured = jack_port_register(d->client, "capture_1", JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput | like_a_card, 0);
	d->played = jack_port_register(d->client, "playback_1", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput | like_a_card, 0);
	if (!d->captured || !d->played)
		return -1;
	jack_set_process_callback(d->client, on_cycle, d);
	jack_set_buffer_size_callback(d->client, on_size, d);
	jack_on_shutdown(d->client, on_shutdown, d);
	return 0;
}

int main(int argc, char **argv)
{
	int n = argc - 3, freewheels = 0;
	if (n < 1 || n > MOST_DEVICES) {
		fprintf(stderr, "usage: jvdev SERVER FOLDER NAME...\n");
		return 2;
	}
	jack_set_error_function(say_nothing);
	jack_set_info_function(say_nothing);
	for (int i = 0; i < n; i++)
		if (open_device(&devices[i], argv[1], argv[2], argv[3 + i]) < 0) {
			fprintf(stderr, "jvdev: %s: no server, or no files\n", argv[3 + i]);
			return 1;
		}
	for (int i = 0; i < n; i++)
		if (jack_activate(devices[i].client))
			return 1;
	printf("ready\n");
	fflush(stdout);
	while (!atomic_load(&gone)) {
		struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
		char line[64];
		if (poll(&input, 1, 20) <= 0)
			continue;
		if (read(STDIN_FILENO, line, sizeof line) <= 0)
			break;
		if (jack_set_freewheel(devices[0].client, freewheels = !freewheels))
			return 1;
	}
	if (!atomic_load(&gone))
		for (int i = 0; i < n; i++)
			jack_client_close(devices[i].client);
	return 0;
}
