-- Second factors of people; their secrets are in safe. used is the newest time step of which a code was taken (no code is taken twice), wrong how many wrong
-- ones came since the last good one or the last lock.

-- +goose Up

CREATE TABLE factor (
  person    TEXT   NOT NULL PRIMARY KEY CHECK (person || '' = person),
  used      BIGINT NOT NULL CHECK (used BETWEEN 0 AND 9223372036854775807),
  wrong     BIGINT NOT NULL CHECK (wrong BETWEEN 0 AND 1000),
  locked    BIGINT NOT NULL CHECK (locked BETWEEN 0 AND 9223372036854775807),    -- when the lock began, by the clock; 0: it is open
  locked_up BIGINT NOT NULL CHECK (locked_up BETWEEN 0 AND 9223372036854775807), -- the same in microseconds since the machine started
  enrolled  BIGINT NOT NULL CHECK (enrolled BETWEEN 0 AND 9223372036854775807)
);
