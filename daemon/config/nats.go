package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/flattone/flattone/daemon/private"
)

// CheckServers says what is wrong with the addresses of NATS servers, as a [private.Flaw]. It quotes none of them, which may hold a password.
func CheckServers(list []string) error {
	flaw := func(reason, remedy string) error { return private.Flaw{Reason: reason, Remedy: remedy} }
	if len(list) == 0 {
		return flaw("there is no server", `write one or more, like "tls://nats.example.com:4222"`)
	}
	schemes := map[string]bool{}
	for _, raw := range list {
		u, err := url.Parse(raw)
		switch {
		case err != nil || u.Hostname() == "" || u.Scheme != "tls" && u.Scheme != "nats":
			return flaw("is not the address of a NATS server", "write one like tls://host:4222")
		case u.User != nil:
			return flaw("has a user name, password or token in it", "take it out, have the server take a new one, and name that in creds_file, nkey_file or password_file")
		case u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
			return flaw("has more than a host and a port", "end the address there")
		case !isPort(u.Port()):
			return flaw("has a port that there is not", "write a port from 1 to 65535, or leave it out for 4222")
		case u.Scheme == "nats" && !loopback(u.Hostname()):
			return flaw("is without TLS to another machine", "write tls://: nats:// is for localhost, 127.0.0.1 and [::1] alone")
		}
		schemes[u.Scheme] = true
	}
	if len(schemes) > 1 {
		return flaw("are partly without TLS", "write tls:// for each, or nats:// for each if they are this machine itself")
	}
	return nil
}

// streamName is what a server takes and a file system, too.
var streamName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

// CheckStream says what is wrong with a stream's name.
func CheckStream(name string) error {
	if streamName.MatchString(name) {
		return nil
	}
	return private.Flaw{Reason: "is not the name of a stream", Remedy: "write 1 to 255 of A-Z, a-z, 0-9, _ and -"}
}

// CheckSubject says what is wrong with the template of a subject: words between dots, of which {box}, {key} and, as the last, {type} stand for the event's.
func CheckSubject(template string) error {
	words := strings.Split(template, ".")
	for i, w := range words {
		known := slices.Contains([]string{"{box}", "{key}"}, w) || w == "{type}" && i == len(words)-1
		if !known && !streamName.MatchString(w) {
			return private.Flaw{Reason: "is not a subject", Remedy: "write words of A-Z, a-z, 0-9, _ and - with dots between them, such as flattone.{box}.{type}; {type} is the last"}
		}
	}
	if c := words[0]; strings.HasPrefix(c, "{") {
		return private.Flaw{Reason: "begins with what changes", Remedy: "begin with a word of your own, such as flattone: a stream is found by it"}
	}
	return nil
}
