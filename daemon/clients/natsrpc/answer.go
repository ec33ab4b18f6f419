package natsrpc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/flattone/flattone/daemon/clients"
	"github.com/flattone/flattone/daemon/upstream/signature"
)

// answer has a request done, and answers it.
func (s *Server) answer(ctx context.Context, c Client, m *nats.Msg) {
	id := m.Header.Get(signature.HeaderID)
	secrets, err := s.secrets(c)
	if err == nil {
		err = believe(secrets, m)
	}
	var a clients.Answer
	if err != nil {
		a = s.deps.Clients.Refuse(ctx, c.Name, id, clients.NotBelieved, err.Error())
	} else {
		a = s.deps.Clients.Serve(ctx, c.Name, id, m.Data)
	}
	if m.Reply == "" {
		return
	}
	reply := &nats.Msg{Header: nats.Header{}, Data: a.JSON()}
	// Who isn't believed is answered without a signature: it would prove to somebody else what he wasn't told.
	if err == nil {
		if err := secrets.Sign(reply.Header, AnswerPrefix+id, time.Now(), reply.Data); err != nil {
			s.deps.Log.Error("an answer can't be signed", "client", c.Name, "error", err)
			return
		}
	}
	if err := m.RespondMsg(reply); err != nil {
		s.deps.Log.Warn("an answer was not sent; asked again under its id, it will be", "client", c.Name, "error", err)
	}
}

func (s *Server) secrets(c Client) (signature.Secrets, error) {
	texts, err := c.Secrets()
	if err != nil {
		s.deps.Log.Error("a client's secret can't be read", "client", c.Name, "error", err)
		return nil, errors.New("the box can't read the client's secret: its log says why")
	}
	return signature.New(texts...)
}

var (
	errNoReply = errors.New("it has no subject for the answer")
	errOurs    = fmt.Errorf("its id begins with %s, as an answer's", AnswerPrefix)
)

// believe says why a request isn't the client's.
func believe(secrets signature.Secrets, m *nats.Msg) error {
	if err := secrets.Verify(m.Header, m.Data); err != nil {
		return err
	}
	switch {
	case m.Reply == "":
		return errNoReply
	case strings.HasPrefix(m.Header.Get(signature.HeaderID), AnswerPrefix):
		return errOurs
	}
	return nil
}
