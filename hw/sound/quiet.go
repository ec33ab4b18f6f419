//go:build cgo

package sound

/*
#cgo LDFLAGS: -ldl
#define _GNU_SOURCE
#include <dlfcn.h>

static void say_nothing(const char *text) { (void)text; }

static void say_nothing_of(const char *file, int line, const char *function, int err, const char *format, ...)
{
	(void)file, (void)line, (void)function, (void)err, (void)format;
}

// quiet finds the libraries where PortAudio has brought them along. It may have been built without.
static void quiet(void)
{
	void (*jack)(void (*)(const char *)) = dlsym(RTLD_DEFAULT, "jack_set_error_function");
	if (jack)
		jack(say_nothing);
	int (*alsa)(void (*)(const char *, int, const char *, int, const char *, ...)) = dlsym(RTLD_DEFAULT, "snd_lib_error_set_handler");
	if (alsa)
		alsa(say_nothing_of);
}
*/
import "C"

// quiet keeps the libraries below PortAudio from writing to standard error. Whenever PortAudio looks for devices, JACK writes that it has no server, and ALSA
// what its config names and the machine lacks; a line that waits for a device would fill the log with it. What is wrong with a line's own device is in the
// error that Open returns.
func quiet() { C.quiet() }
