package config

import (
	"strings"
	"testing"
)

func TestConnectionStrings(t *testing.T) {
	for text, wrong := range map[string]string{
		"host=db.example.com dbname=flattone user=flattone":            "",
		"host=/run/postgresql port=5433 dbname=f user=u":               "",
		"host=one,two dbname=f user=u target_session_attrs=read-write": "",
		"host=db dbname=f user=u password=hunter2":                     "password",
		"host=db dbname=f user=u sslmode=disable":                      "how to encrypt",
		"host=db dbname=f user=u options=-csynchronous_commit=off":     "no connection string",
		"host=db dbname=f user='u sslmode=disable'":                    "no connection string",
		"postgres://u@db/f": "no connection string",
		"dbname=f user=u":   "has no host",
		"host=db user=u":    "has no dbname",
		"host=db dbname=f":  "has no user",
		"":                  "has no host",
	} {
		flaw := connection(text)
		if !strings.Contains(flaw.Reason, wrong) || wrong == "" && flaw.Reason != "" || strings.Contains(flaw.Error(), "hunter2") {
			t.Errorf("%q: %v, want %q", text, flaw, wrong)
		}
	}
}
