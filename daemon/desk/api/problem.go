package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/flattone/flattone/daemon/control"
)

// problem is an answer that is no success, after RFC 9457.
type problem struct {
	Status int `json:"status"`
	// Code is for programs.
	Code string `json:"code"`
	// Title says what went wrong, and Detail what to do.
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
}

func problemOf(status int, code, title, detail string) *problem {
	return &problem{status, code, title, detail}
}

func (p *problem) Error() string { return p.Title }

func (p *problem) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}

// asProblem is err as clients see it. What flattoned says with a code goes on as it is; of anything else only that it failed.
func asProblem(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if e, ok := errors.AsType[*control.Error](err); ok && e.Code != control.CodeInternal {
		return problemOf(e.Status(), e.Code, e.Text, e.Remedy)
	}
	return problemOf(http.StatusBadGateway, "internal", "the box failed at it", "have a technician look at flattoned's log")
}
