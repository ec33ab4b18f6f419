-- Sealed cards. A row of card is made and deleted, never changed: all of it is bound to what is sealed. Its key lies apart, so that rotation writes short rows
-- and deleting one shreds a card; shred is the log of those, which a restored backup is made to follow. card_use counts against quotas, for a day.

-- +goose Up

CREATE TABLE card (
  token        TEXT   NOT NULL PRIMARY KEY CHECK (token || '' = token AND length(token) = 30),
  version      BIGINT NOT NULL CHECK (version BETWEEN 1 AND 1000000),
  tenant       TEXT   NOT NULL CHECK (tenant || '' = tenant),
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
  expires      BIGINT NOT NULL CHECK (expires BETWEEN 0 AND 9223372036854775807),
  sealed       blob   NOT NULL CHECK (sealed >= CAST('' AS blob))
); -- in the order of its key
CREATE INDEX card_expires ON card (expires, kind); -- of both, so that cards are counted by it alone

CREATE TABLE card_key (
  token TEXT   NOT NULL PRIMARY KEY REFERENCES card (token),
  kek   BIGINT NOT NULL REFERENCES kek (version),
  box   blob   NOT NULL CHECK (box >= CAST('' AS blob))
); -- in the order of its key

CREATE TABLE alias (
  alias       TEXT NOT NULL PRIMARY KEY CHECK (alias || '' = alias),
  token       TEXT NOT NULL REFERENCES card (token),
  destination TEXT NOT NULL CHECK (destination || '' = destination)
); -- in the order of its key
CREATE INDEX alias_token ON alias (token);

CREATE TABLE hold (
  token  TEXT   NOT NULL PRIMARY KEY REFERENCES card (token),
  person TEXT   NOT NULL CHECK (person || '' = person),
  reason TEXT   NOT NULL CHECK (reason || '' = reason),
  since  BIGINT NOT NULL CHECK (since BETWEEN 0 AND 9223372036854775807)
); -- in the order of its key

CREATE TABLE consent (
  token   TEXT   NOT NULL PRIMARY KEY REFERENCES card (token),
  payment TEXT   NOT NULL CHECK (payment || '' = payment),
  network TEXT   NOT NULL CHECK (network || '' = network),
  given   BIGINT NOT NULL CHECK (given BETWEEN 0 AND 9223372036854775807)
); -- in the order of its key

CREATE TABLE shred (
  token   TEXT   NOT NULL PRIMARY KEY CHECK (token || '' = token),
  capture TEXT   NOT NULL UNIQUE CHECK (capture || '' = capture),
  kind    TEXT   NOT NULL CHECK (kind || '' = kind),
  why     TEXT   NOT NULL CHECK (why || '' = why),
  kek     BIGINT NOT NULL CHECK (kek BETWEEN 0 AND 1000000),
  shredded BIGINT NOT NULL CHECK (shredded BETWEEN 0 AND 9223372036854775807)
); -- in the order of its key
CREATE INDEX shred_shredded ON shred (shredded);

CREATE TABLE card_use (
  id        TEXT   NOT NULL PRIMARY KEY CHECK (id || '' = id),
  caller    TEXT   NOT NULL CHECK (caller || '' = caller),
  purpose   TEXT   NOT NULL CHECK (purpose || '' = purpose),
  connector TEXT   NOT NULL CHECK (connector || '' = connector),
  used      BIGINT NOT NULL CHECK (used BETWEEN 0 AND 9223372036854775807)
); -- in the order of its key
CREATE INDEX card_use_rule ON card_use (caller, purpose, connector, used);

CREATE TABLE certificate (
  kind    TEXT   NOT NULL PRIMARY KEY CHECK (kind || '' = kind),
  note    blob   NOT NULL CHECK (note >= CAST('' AS blob)),
  created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9223372036854775807)
);
