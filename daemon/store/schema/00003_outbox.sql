-- What upstream is to be told: a row for each destination.

-- +goose Up

CREATE TABLE outbox (
  seq         BIGINT NOT NULL PRIMARY KEY CHECK (seq BETWEEN 1 AND 9223372036854775807),
  id          TEXT   NOT NULL CHECK (id || '' = id),
  destination TEXT   NOT NULL CHECK (destination || '' = destination),
  stream      TEXT   NOT NULL CHECK (stream || '' = stream),
  kind        TEXT   NOT NULL CHECK (kind || '' = kind),
  media       TEXT   NOT NULL CHECK (media || '' = media),
  body        blob   NOT NULL CHECK (body >= CAST('' AS blob)),
  queued      BIGINT NOT NULL CHECK (queued BETWEEN 0 AND 9223372036854775807),
  state       TEXT   NOT NULL CHECK (state IN ('behind', 'ready', 'dead', 'delivered', 'dropped')),
  due         BIGINT NOT NULL CHECK (due BETWEEN 0 AND 9223372036854775807),
  lease       BIGINT NOT NULL CHECK (lease BETWEEN 0 AND 9223372036854775807),
  holder      TEXT   NOT NULL CHECK (holder || '' = holder), -- the box that has the lease
  tries       BIGINT NOT NULL CHECK (tries BETWEEN 0 AND 9223372036854775807),
  begun       BIGINT NOT NULL CHECK (begun BETWEEN 0 AND 9223372036854775807), -- the first try, 0 before it
  status      BIGINT NOT NULL CHECK (status BETWEEN 0 AND 999),
  reason      TEXT   NOT NULL CHECK (reason || '' = reason),
  ended       BIGINT NOT NULL CHECK (ended BETWEEN 0 AND 9223372036854775807), -- delivered or dropped, 0 before it
  UNIQUE (id, destination)
); -- in the order of its key
CREATE INDEX outbox_stream ON outbox (destination, stream, seq) WHERE ended = 0;
CREATE INDEX outbox_due ON outbox (destination, due, seq) WHERE state = 'ready';
CREATE INDEX outbox_dead ON outbox (destination, seq) WHERE state = 'dead';
