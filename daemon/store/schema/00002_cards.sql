-- Sealed cards.

-- +goose Up

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
