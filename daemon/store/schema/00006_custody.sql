-- The people who keep a root of the vault: at most one set of them is in force. A custodian's share is nowhere in here: proof says whether one is his, each wrap
-- is the key as a subset of the people opens it (bit n of subset is the person at position n). Of wrong attempts and locks see 00005.

-- +goose Up

CREATE TABLE custodian_set (
  id       TEXT   NOT NULL PRIMARY KEY CHECK (id || '' = id AND length(id) = 8),
  need     BIGINT NOT NULL CHECK (need BETWEEN 2 AND 7),
  root     TEXT   NOT NULL CHECK (root || '' = root), -- what the vault calls the root; empty until it has it
  enrolled BIGINT NOT NULL CHECK (enrolled BETWEEN 0 AND 9223372036854775807)
);

CREATE TABLE custodian (
  person    TEXT   NOT NULL PRIMARY KEY CHECK (person || '' = person),
  position  BIGINT NOT NULL UNIQUE CHECK (position BETWEEN 0 AND 6),
  proof     blob   NOT NULL CHECK (proof >= CAST('' AS blob)),
  wrong     BIGINT NOT NULL CHECK (wrong BETWEEN 0 AND 1000),
  locked    BIGINT NOT NULL CHECK (locked BETWEEN 0 AND 9223372036854775807),    -- when the lock began, by the clock; 0: it is open
  locked_up BIGINT NOT NULL CHECK (locked_up BETWEEN 0 AND 9223372036854775807)  -- the same in microseconds since the machine started
);

CREATE TABLE custodian_wrap (
  subset BIGINT NOT NULL PRIMARY KEY CHECK (subset BETWEEN 3 AND 127),
  box    blob   NOT NULL CHECK (box >= CAST('' AS blob))
);
