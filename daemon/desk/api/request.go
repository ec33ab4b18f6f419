package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// mostBody is how large a request's body may be.
const mostBody = 8 << 10

type clientKey struct{}

// clientOf is who asks.
func clientOf(ctx context.Context) string { return ctx.Value(clientKey{}).(string) }

// token gives a client an access token for its secret (RFC 6749, section 4.4).
func (a *API) token(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, why string) {
		w.Header().Set("WWW-Authenticate", `Basic realm="flattone"`)
		answer(w, status, map[string]string{"error": why})
	}
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	if err := r.ParseForm(); err != nil {
		refuse(http.StatusBadRequest, "invalid_request")
		return
	}
	if r.PostForm.Get("grant_type") != "client_credentials" {
		refuse(http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	client, secret, basic := r.BasicAuth()
	if !basic {
		client, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	token, ok := a.credentials.grant(client, secret, time.Now())
	if !ok {
		a.deps.Log.Warn("somebody was refused an access token", "from", r.RemoteAddr)
		refuse(http.StatusUnauthorized, "invalid_client")
		return
	}
	answer(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(tokenFor.Seconds())})
}

// known has next answer a client that proves itself, and nobody else.
func (a *API) known(next func(http.ResponseWriter, *http.Request)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, ok := a.credentials.clientOf(r, time.Now())
		if !ok {
			w.Header().Set("WWW-Authenticate", `Bearer realm="flattone"`)
			problemOf(http.StatusUnauthorized, "no_token", "the access token is missing, wrong or too old", "ask /api/v1/token for one").write(w)
			return
		}
		next(w, r.WithContext(context.WithValue(r.Context(), clientKey{}, client)))
	})
}

// call answers with what do answers with; a POST under a key, once.
func (a *API) call(do func(*http.Request) (any, error)) http.Handler {
	return a.known(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
		if err != nil {
			problemOf(http.StatusRequestEntityTooLarge, "too_large", "the body can't be read, or is too large", "").write(w)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		key := r.Header.Get("Idempotency-Key")
		if r.Method != http.MethodPost || key == "" {
			a.do(w, r, do)
			return
		}
		if len(key) > mostKey {
			problemOf(http.StatusBadRequest, "bad_request", "the Idempotency-Key is too long", "64 characters are enough").write(w)
			return
		}
		k := onceKey{clientOf(r.Context()), key}
		sum := sha256.Sum256(append([]byte(r.URL.Path+"\n"), body...))
		before, place, p := a.once.begin(k, sum, time.Now())
		if p != nil {
			p.write(w)
			return
		}
		if before == nil {
			kept := &keeping{header: http.Header{}, status: http.StatusInternalServerError}
			defer func() { a.once.end(k, place, kept.status, kept.header.Get("Content-Type"), kept.body.Bytes()) }()
			a.do(kept, r, do)
			before = &answered{status: kept.status, kind: kept.header.Get("Content-Type"), body: kept.body.Bytes()}
		}
		w.Header().Set("Content-Type", before.kind)
		w.WriteHeader(before.status)
		w.Write(before.body)
	})
}

// keeping is an answer that is kept.
type keeping struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *keeping) Header() http.Header         { return k.header }
func (k *keeping) WriteHeader(status int)      { k.status = status }
func (k *keeping) Write(b []byte) (int, error) { return k.body.Write(b) }

func (a *API) do(w http.ResponseWriter, r *http.Request, do func(*http.Request) (any, error)) {
	said, err := do(r)
	if err != nil {
		p := asProblem(err)
		if p.Status >= http.StatusInternalServerError {
			a.deps.Log.Warn("a call of the API failed", "client", clientOf(r.Context()), "call", r.Pattern, "error", err)
		}
		p.write(w)
		return
	}
	status := http.StatusOK
	if _, is := said.(created); is {
		status = http.StatusCreated
	}
	answer(w, status, said)
}

func answer(w http.ResponseWriter, status int, said any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(said)
}

// about is call for what is about a session, which is the client's own.
func (a *API) about(do func(context.Context, *session, *http.Request) (any, error)) http.Handler {
	return a.call(func(r *http.Request) (any, error) {
		s, err := a.sessions.of(clientOf(r.Context()), r.PathValue("session"))
		if err != nil {
			return nil, err
		}
		return do(r.Context(), s, r)
	})
}

// decode reads the one object that a request has; nothing is as good as an empty one.
func decode(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one object")
		}
	}
	if err != nil { // the decoder's own text may repeat what was sent
		return problemOf(http.StatusBadRequest, "bad_request", "the body isn't the JSON object that this call takes", "see /api/v1/openapi.yaml")
	}
	return nil
}
