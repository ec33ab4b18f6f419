-- The audit log of each box: entries, each with the signature of the checkpoint that ends with it, and the head, on which the next entry builds: how many there
-- are, and the edge of their Merkle tree. Entries are inserted, and never updated nor deleted.

-- +goose Up

CREATE TABLE audit_entry (
  box  TEXT   NOT NULL CHECK (box || '' = box),
  seq  BIGINT NOT NULL CHECK (seq BETWEEN 0 AND 9223372036854775807),
  body blob   NOT NULL CHECK (body >= CAST('' AS blob)),
  sig  blob   NOT NULL CHECK (sig >= CAST('' AS blob)),
  PRIMARY KEY (box, seq)
); -- in the order of its key

CREATE TABLE audit_head (
  box  TEXT   NOT NULL PRIMARY KEY CHECK (box || '' = box),
  size BIGINT NOT NULL CHECK (size BETWEEN 0 AND 9223372036854775807),
  edge blob   NOT NULL CHECK (edge >= CAST('' AS blob))
); -- in the order of its key
