package control

import "runtime/debug"

// Version is what the Go tool knows of this build: the release, and the Go it was built with. Whoever asks and
// whoever answers say it in the same words.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown build)"
	}
	v := info.Main.Version
	if v == "" {
		v = "(devel)"
	}
	return v + " " + info.GoVersion
}
