-- The audit log: entries, the hashes of their tree, and signed checkpoints.

-- +goose Up

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
