package signin

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// contextOf is a request's context as of the session's agent; it ends with either.
func contextOf(r *http.Request, s *session) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(As(r.Context(), s.agent))
	stop := context.AfterFunc(s.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// longestWay bounds where somebody wanted to go, which comes back from the page where he signs in.
const longestWay = 1024

// local is where somebody wanted to go, if that is here; else the panel. Browsers take "//host", "/\host", and both with a tab or a line's end in them,
// for another host.
func local(then string) string {
	u, err := url.Parse(then)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || len(then) > longestWay || !strings.HasPrefix(then, "/") || strings.HasPrefix(then, "//") ||
		strings.ContainsFunc(then, func(c rune) bool { return c <= ' ' || c == '\\' || c >= 0x7f }) {
		return "/"
	}
	return then
}
