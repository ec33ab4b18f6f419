-- Keys: roots, which keep the key-encryption keys; those, in versions; and each version as each root has it.
--
-- What a root opens is its seed, from which its HPKE key pair comes (RFC 9180): so a version is sealed for all roots, of whom only one need be there. vouched is
-- the version's own word for the root, lest somebody who can write here add one of his.
--
-- One text for SQLite and PostgreSQL. Times are BIGINT microseconds UTC, ids are made in Go, placeholders
-- are $1. SQLite stores any type in any column, so every column carries a CHECK that is false there for a
-- value of the wrong type and always true where the column's type holds already: a range for BIGINT (text
-- sorts above every number), x || '' = x for TEXT (never equal to a blob), x >= CAST('' AS blob) for blobs
-- (above all text). PostgreSQL needs CREATE DOMAIN blob AS bytea before this file.

-- +goose Up

CREATE TABLE root (
  id      TEXT   NOT NULL PRIMARY KEY CHECK (id || '' = id),
  kind    TEXT   NOT NULL CHECK (kind || '' = kind),
  public  blob   NOT NULL CHECK (public >= CAST('' AS blob)),
  seed    blob   NOT NULL CHECK (seed >= CAST('' AS blob)),
  created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9223372036854775807)
);

CREATE TABLE kek (
  version   BIGINT NOT NULL PRIMARY KEY CHECK (version BETWEEN 1 AND 1000000),
  created   BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9223372036854775807),
  sealed    BIGINT NOT NULL CHECK (sealed BETWEEN 0 AND 9223372036854775807),   -- how many cards were, of the last hour's perhaps not all
  retired   BIGINT NOT NULL CHECK (retired BETWEEN 0 AND 9223372036854775807),  -- nothing new is sealed under it; 0: it is in use
  destroyed BIGINT NOT NULL CHECK (destroyed BETWEEN 0 AND 9223372036854775807) -- it is in no kek_box any more; 0: it is
);

CREATE TABLE kek_box (
  version BIGINT NOT NULL REFERENCES kek (version),
  root    TEXT   NOT NULL REFERENCES root (id),
  box     blob   NOT NULL CHECK (box >= CAST('' AS blob)),
  vouched blob   NOT NULL CHECK (vouched >= CAST('' AS blob)),
  PRIMARY KEY (version, root)
);

-- Copies of the versions that left the box: from the oldest to the newest that each one holds. A version that was destroyed ends with the last of them.
CREATE TABLE key_backup (
  number BIGINT NOT NULL PRIMARY KEY CHECK (number BETWEEN 1 AND 1000000),
  oldest BIGINT NOT NULL CHECK (oldest BETWEEN 1 AND 1000000),
  newest BIGINT NOT NULL CHECK (newest BETWEEN 1 AND 1000000),
  made   BIGINT NOT NULL CHECK (made BETWEEN 0 AND 9223372036854775807)
);

-- What is no card, and sealed under a version all the same: secrets of second factors, fingerprint keys.
CREATE TABLE safe (
  purpose TEXT   NOT NULL CHECK (purpose || '' = purpose),
  owner   TEXT   NOT NULL CHECK (owner || '' = owner),
  kek     BIGINT NOT NULL REFERENCES kek (version),
  box     blob   NOT NULL CHECK (box >= CAST('' AS blob)),
  PRIMARY KEY (purpose, owner)
);
