-- Key-encryption keys.
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
