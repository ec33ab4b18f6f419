package jetstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// maker is the mark on a stream that a flattone made, in its metadata.
const maker = "made-by"

// makeStream makes the stream if there is none, and adds its subject to one that a box made. All else of a stream stays as whoever runs the
// servers has it: replicas, limits, the window. A stream that no box made stays as it is altogether.
//
// A full stream takes no more, rather than throwing away what nobody has read: the outbox keeps it.
func (s *Sender) makeStream(ctx context.Context) error {
	select {
	case s.making <- struct{}{}:
		defer func() { <-s.making }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.made.Load() {
		return nil
	}
	subject := s.cfg.filter()
	stream, err := s.streams.Stream(ctx, s.cfg.Stream)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		_, err = s.streams.CreateStream(ctx, jetstream.StreamConfig{Name: s.cfg.Stream, Subjects: []string{subject}, Storage: jetstream.FileStorage,
			Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, Duplicates: Window, Metadata: map[string]string{maker: "flattone"}})
	case err != nil:
	case stream.CachedInfo().Config.Metadata[maker] != "flattone":
		return errNotOurs
	case !slices.Contains(stream.CachedInfo().Config.Subjects, subject):
		now := stream.CachedInfo().Config
		now.Subjects = append(now.Subjects, subject)
		_, err = s.streams.UpdateStream(ctx, now)
	}
	if err != nil {
		return fmt.Errorf("make the stream: %w", err)
	}
	s.log.Info("the stream is there", "stream", s.cfg.Stream, "subject", subject)
	s.made.Store(true)
	return nil
}

// filter is what all events' subjects match, of every box.
func (c Config) filter() string {
	return strings.NewReplacer("{box}", "*", "{key}", "*", "{type}", ">").Replace(c.Subject)
}
