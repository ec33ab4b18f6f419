-- What upstream is to be told.

-- +goose Up

CREATE TABLE outbox (
  seq       BIGINT NOT NULL PRIMARY KEY CHECK (seq BETWEEN 1 AND 9223372036854775807),
  id        TEXT   NOT NULL UNIQUE CHECK (id || '' = id),
  stream    TEXT   NOT NULL CHECK (stream || '' = stream),
  kind      TEXT   NOT NULL CHECK (kind || '' = kind),
  body      blob   NOT NULL CHECK (body >= CAST('' AS blob)),
  due       BIGINT NOT NULL CHECK (due BETWEEN 0 AND 9223372036854775807),
  lease     BIGINT NOT NULL CHECK (lease BETWEEN 0 AND 9223372036854775807),
  holder    TEXT   NOT NULL CHECK (holder || '' = holder), -- the box that has the lease
  tries     BIGINT NOT NULL CHECK (tries BETWEEN 0 AND 9223372036854775807),
  status    BIGINT NOT NULL CHECK (status BETWEEN 0 AND 999),
  delivered BIGINT NOT NULL CHECK (delivered BETWEEN 0 AND 9223372036854775807)
); -- in the order of its key
CREATE INDEX outbox_stream ON outbox (stream, seq) WHERE delivered = 0;
CREATE INDEX outbox_due ON outbox (due, seq) WHERE delivered = 0;
