-- The ground: key-encryption keys, cards, the outbox and the audit log.
--
-- One text for SQLite and PostgreSQL. Times are BIGINT microseconds UTC, ids are made in Go, placeholders
-- are $1. SQLite stores any type in any column, so every column carries a CHECK that is false there for a
-- value of the wrong type and always true where the column's type holds already: a range for BIGINT (text
-- sorts above every number), x || '' = x for TEXT (never equal to a blob), x >= CAST('' AS blob) for blobs
-- (above all text). PostgreSQL needs CREATE DOMAIN blob AS bytea before this file.

-- +goose Up

CREATE TABLE kek (
  version   BIGINT NOT NULL PRIMARY KEY CHECK (version BETWEEN 1 AND 1000000),
  key_check blob   NOT NULL CHECK (key_check >= CAST('' AS blob)),
  created   BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9223372036854775807)
);

CREATE TABLE card (
  token        TEXT   NOT NULL PRIMARY KEY CHECK (token || '' = token AND length(token) = 30),
  version      BIGINT NOT NULL CHECK (version BETWEEN 1 AND 1000000),
  kind         TEXT   NOT NULL CHECK (kind || '' = kind),
  capture      TEXT   NOT NULL UNIQUE CHECK (capture || '' = capture),
  line         TEXT   NOT NULL CHECK (line || '' = line),
  place        TEXT   NOT NULL CHECK (place || '' = place),
  profile      TEXT   NOT NULL CHECK (profile || '' = profile),
  brand        TEXT   NOT NULL CHECK (brand || '' = brand),
  last4        TEXT   NOT NULL CHECK (last4 || '' = last4 AND length(last4) = 4),
  expiry_month BIGINT NOT NULL CHECK (expiry_month BETWEEN 0 AND 12),
  expiry_year  BIGINT NOT NULL CHECK (expiry_year BETWEEN 0 AND 9999),
  created      BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9223372036854775807),
  kek          BIGINT NOT NULL REFERENCES kek (version),
  dek          blob   NOT NULL CHECK (dek >= CAST('' AS blob)),
  sealed       blob   NOT NULL CHECK (sealed >= CAST('' AS blob))
);
CREATE INDEX card_created ON card (created);

CREATE TABLE outbox (
  seq       BIGINT NOT NULL PRIMARY KEY CHECK (seq BETWEEN 1 AND 9223372036854775807),
  id        TEXT   NOT NULL UNIQUE CHECK (id || '' = id),
  stream    TEXT   NOT NULL CHECK (stream || '' = stream),
  kind      TEXT   NOT NULL CHECK (kind || '' = kind),
  body      blob   NOT NULL CHECK (body >= CAST('' AS blob)),
  due       BIGINT NOT NULL CHECK (due BETWEEN 0 AND 9223372036854775807),
  lease     BIGINT NOT NULL CHECK (lease BETWEEN 0 AND 9223372036854775807),
  tries     BIGINT NOT NULL CHECK (tries BETWEEN 0 AND 9223372036854775807),
  status    BIGINT NOT NULL CHECK (status BETWEEN 0 AND 999),
  delivered BIGINT NOT NULL CHECK (delivered BETWEEN 0 AND 9223372036854775807)
);
CREATE INDEX outbox_stream ON outbox (stream, seq) WHERE delivered = 0;
CREATE INDEX outbox_due ON outbox (due, seq) WHERE delivered = 0;

CREATE TABLE audit_entry (
  seq  BIGINT NOT NULL PRIMARY KEY CHECK (seq BETWEEN 0 AND 9223372036854775807),
  body blob   NOT NULL CHECK (body >= CAST('' AS blob))
);

CREATE TABLE audit_hash (
  position BIGINT NOT NULL PRIMARY KEY CHECK (position BETWEEN 0 AND 9223372036854775807),
  hash     blob   NOT NULL CHECK (hash >= CAST('' AS blob))
);

CREATE TABLE audit_checkpoint (
  size BIGINT NOT NULL PRIMARY KEY CHECK (size BETWEEN 1 AND 9223372036854775807),
  note blob   NOT NULL CHECK (note >= CAST('' AS blob))
);
