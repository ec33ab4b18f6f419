package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/config"
)

// Limits of the server. Each bounds what a slow or rude client can hold, and for how long.
const (
	maxConns   = 64               // at a time; the others wait
	maxStreams = maxConns / 2     // of these, so that watchers never lock commands out
	maxUnknown = 8                // at a time, beside those, who are only told that they have no role
	maxDesk    = 24               // of the desk's at a time, beside those: two hundred agents, or somebody who has overtaken it, keep no technician out
	maxBody    = 4 << 10          // bytes; the largest honest body has some 50
	maxHeader  = 8 << 10          // bytes
	readTime   = 5 * time.Second  // for a request, whole
	callTime   = 8 * time.Second  // for the backend's answer
	writeTime  = 10 * time.Second // from a request's head to its answer's end; in a stream, for each event
	idleTime   = 5 * time.Second  // between two requests
	beatEvery  = 15 * time.Second // a comment in a quiet stream, so that one nobody reads is found out
	stopTime   = 3 * time.Second  // for commands under way when the daemon stops
)

// Config of a [Server].
type Config struct {
	// Socket is the path of the unix socket.
	Socket string
	// Handed is that socket where systemd has it, and hands it over: nobody else's rights to it are touched, and it outlives the server. nil for one to be made.
	Handed *net.UnixListener
	// Roles say who may do what. Whom they don't name may do nothing.
	Roles config.Roles
}

// Deps of a [Server].
type Deps struct {
	Backend Backend
	Log     *slog.Logger
	// Login is the session that a process belongs to; nil where no sessions are kept. See [Server.vouch].
	Login func(ctx context.Context, pid int32) (Login, error)
}

// Server answers on the admin socket.
type Server struct {
	backend  Backend
	log      *slog.Logger
	policy   policy
	login    func(ctx context.Context, pid int32) (Login, error)
	fresh    freshness
	refusals *refusals
	listener *net.UnixListener
	streams  chan struct{}
	// asides are the calls that net/http no longer knows of.
	asides sync.WaitGroup
	// stopping is closed when streams are to end.
	stopping chan struct{}
}

// New opens the socket, so that a client's connection waits from then on rather than fails; [Server.Run]
// answers it. It fails with [ErrInUse] if a live daemon has the socket. A Server that is not run must be
// closed.
func New(cfg Config, deps Deps) (*Server, error) {
	p, unknown, err := newPolicy(cfg.Roles)
	if err != nil {
		return nil, err
	}
	if len(unknown) > 0 {
		deps.Log.Warn("the roles name users or groups that do not exist here, who so may nothing", "names", unknown)
	}
	l := cfg.Handed
	if l == nil {
		if l, err = listen(cfg.Socket, socketMode); err != nil {
			return nil, err
		}
	}
	s := &Server{
		backend:  deps.Backend,
		log:      deps.Log,
		policy:   p,
		login:    deps.Login,
		fresh:    freshness{until: map[[2]string]time.Time{}},
		listener: l,
		streams:  make(chan struct{}, maxStreams),
		stopping: make(chan struct{}),
	}
	s.refusals = newRefusals(s.noteRefusal)
	return s, nil
}

// Close gives up the socket of a Server that was never run. After Run it does nothing.
func (s *Server) Close() error {
	if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Run serves until ctx ends, lets the commands under way finish, ends the streams and removes the socket. It
// is called once.
func (s *Server) Run(ctx context.Context) error {
	srv := &http.Server{
		Handler:        s.handler(),
		ConnContext:    s.connContext,
		ReadTimeout:    readTime,
		WriteTimeout:   writeTime,
		IdleTimeout:    idleTime,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() {
		served <- srv.Serve(boundedListener{s.listener, make(chan struct{}, maxConns), make(chan struct{}, maxDesk), make(chan struct{}, maxUnknown), s.whoIs, s.closedOut})
	}()
	defer s.refusals.close()
	var err error
	select {
	case err = <-served:
		srv.Close()
		return fmt.Errorf("serving the admin socket: %w", err)
	case <-ctx.Done():
	}
	close(s.stopping)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err = srv.Shutdown(grace); errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("admin socket: closed on somebody who was not done in time")
		err = srv.Close()
	}
	<-served
	s.asides.Wait()
	return err
}

// whoIs names the connection's peer, with the roles it has. Without a name it has none.
func (s *Server) whoIs(c *net.UnixConn) Actor {
	a, err := actorOf(c)
	if err != nil {
		s.log.Warn("admin socket: peer unknown, refused", "err", err)
		return Actor{}
	}
	a.roles = s.policy.roles(a)
	return a
}

func (s *Server) connContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, actorKey{}, c.(*boundedConn).by)
}

// closedOut notes that somebody was not even answered.
func (s *Server) closedOut(by Actor) {
	s.refusals.addLater(by, "connection", "no role at this box, and too many connections")
}

// noteRefusal is what [refusals] are noted by.
func (s *Server) noteRefusal(ctx context.Context, by Actor, call, result string) {
	s.log.Warn("admin socket: refused", "user", by.String(), "call", call, "err", result)
	if err := s.backend.Refused(ctx, by, call, result); err != nil {
		s.log.Error("a refusal could not be noted in the audit log", "user", by.String(), "call", call, "err", err)
	}
}
