package main

import (
	"context"
	"fmt"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/private"
)

// key says what keeps the vault's key. It isn't asked for: the package has made one before flattoned began its vault, and a vault takes no other.
func (s *setup) key(context.Context) error {
	fmt.Fprintln(s.t.out)
	paragraph(s.t.out, 0, "", wordsSetupKey)
	what := keyFrom(s.keyKind)
	if file := s.cfg.Vault.KeyFile; file != "" {
		_, means, _ := strings.Cut(s.cfg.Consequences()[0], ": ")
		what = file + ": " + means
	}
	paragraph(s.t.out, hang, "  key ", what)
	return nil
}

// Who is told of tokens while nobody is, as a new box has it: they wait.
const (
	nobody       = "-"
	nobodysURL   = "http://127.0.0.1:8377/"
	handedFolder = "/run/credentials/flattoned.service"
)

// upstream asks who is told of tokens, and for the secret that signs them.
func (s *setup) upstream(ctx context.Context) error {
	receiver := hook(s.cfg)
	if receiver == nil { // others are told already, in another way
		return nil
	}
	q := question{why: wordsSetupUpstream, ask: "Address of the receiver", preset: receiver.URL}
	if q.preset == nobodysURL {
		q.preset = nobody
	}
	err := s.ask(ctx, q, func(url string) error {
		if url == nobody {
			url = nobodysURL
		}
		return s.put(func(c *config.Config) { hook(c).URL = url })
	})
	if err != nil || hook(s.cfg).URL == nobodysURL {
		return err
	}
	fmt.Fprintln(s.t.out)
	paragraph(s.t.out, 0, "", fmt.Sprintf(wordsSetupSecret, s.secretFile()))
	for {
		fmt.Fprint(s.t.out, "The receiver's secret [keep]: ")
		typed, err := s.t.typedUnseen(ctx)
		switch {
		case err != nil:
			return err
		case typed == "" || config.IsSecret([]byte(typed)):
			s.secret = typed
			return nil
		}
		refuse(s.t.out, `what was typed is not "whsec_" and base64 of 24 to 64 bytes`, "copy the whole secret from the receiver, or press Enter and have the receiver take this box's")
	}
}

// hook is the first webhook of a configuration; nil if it has none.
func hook(c *config.Config) *config.Webhook {
	for i, d := range c.Upstream {
		if d.Kind == config.KindWebhook {
			return &c.Upstream[i].Webhook
		}
	}
	return nil
}

// secretFile is where the secret lies. What systemd hands over as a credential it takes from beside the configuration.
func (s *setup) secretFile() string {
	file := hook(s.cfg).SecretFile
	if filepath.Dir(file) == handedFolder {
		return filepath.Join(s.cfg.Folder(), "webhook.secret")
	}
	return file
}

// auditor asks who reads the audit log.
func (s *setup) auditor(ctx context.Context) error {
	q := question{why: wordsSetupAuditor, ask: "Auditor", preset: nobody}
	if now := s.cfg.Roles.Auditor; len(now) > 0 {
		q.preset = strings.Join(now, " ")
	}
	return s.ask(ctx, q, func(answer string) error {
		names := strings.Fields(answer)
		if answer == nobody {
			names = nil
		}
		for _, name := range names {
			if err := someone(name); err != nil {
				return err
			}
		}
		return s.put(func(c *config.Config) { c.Roles.Auditor = names })
	})
}

// someone refuses whom this machine doesn't know.
func someone(name string) (err error) {
	group, isGroup := strings.CutPrefix(name, "@")
	if isGroup {
		_, err = user.LookupGroup(group)
	} else if name != config.Self {
		_, err = user.Lookup(name)
	}
	if err != nil {
		return private.Flaw{Reason: fmt.Sprintf("this machine knows nobody called %q", name), Remedy: "type the name that somebody logs in by, a group with an @ before it, or - for nobody"}
	}
	return nil
}
