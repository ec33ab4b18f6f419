// Package control is the admin socket: what a technician at the box, and the tools they use, may ask of a
// running flattoned. It is HTTP with JSON bodies, and server-sent events, over one unix socket, so that
// plain curl --unix-socket is enough on a bad day.
//
// It exists to keep one rule in one place: who may command the box. Every connection is named by the kernel
// (SO_PEERCRED, SO_PEERGROUPS) and becomes an [Actor]; root, the daemon's own user and the members of one
// group are let in, everyone else is refused with the reason and the remedy.
//
// The package promises:
//   - a caller that is slow, rude or plenty costs bounded memory and never holds up the box: bodies, headers,
//     times, connections and streams all have limits, and [Feed.Publish] never blocks;
//   - every error that reaches a client says what went wrong and what to do about it ([Error]);
//   - a new watcher is told the present before the future.
//
// It must never carry a digit. Nothing here can hold a card: the most that is known of one is its brand,
// its last four and its expiry, and the package imports neither secret nor capture (a test says so).
package control
