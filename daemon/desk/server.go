package desk

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// What one connection may cost. A stream puts off its own write time-out with every message, and its read time-out for as long as it lasts, by
// [http.ResponseController].
const (
	headerTime = 5 * time.Second // also of a TLS handshake
	readTime   = 10 * time.Second
	writeTime  = 30 * time.Second
	idleTime   = time.Minute
	mostHeader = 16 << 10
	// mostStreams is for one connection of HTTP/2: a browser has one for all of its windows.
	mostStreams = 64
)

func (d *Desk) newServer(handler http.Handler) (*http.Server, error) {
	return &http.Server{
		Handler:           handler,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: d.pair.get},
		ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime, MaxHeaderBytes: mostHeader,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: mostStreams, MaxReadFrameSize: 16 << 10, SendPingTimeout: idleTime, PingTimeout: readTime, WriteByteTimeout: writeTime},
		// What a stranger has sent stands in it, and a port that is reached from a network hears a lot.
		ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelDebug),
	}, nil
}

// works asks the desk, as somebody who isn't signed in, for its first page.
func (d *Desk) works(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.cfg.Origin+"/", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "text/html")
	var answered answer
	d.server.Handler.ServeHTTP(&answered, r)
	switch {
	case ctx.Err() != nil:
		return errors.New("the desk doesn't answer in time")
	case answered.status != http.StatusSeeOther:
		return fmt.Errorf("the desk answers %d to who isn't signed in, not %d", answered.status, http.StatusSeeOther)
	}
	return nil
}

// answer is what of an answer tells whether the desk works.
type answer struct {
	header http.Header
	status int
}

func (a *answer) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return len(b), nil }
