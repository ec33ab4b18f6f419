-- What the owner's systems have asked: so that what is asked twice is done once, and so much an hour.

-- +goose Up

CREATE TABLE client_request (
  client TEXT   NOT NULL CHECK (client || '' = client),
  id     TEXT   NOT NULL CHECK (id || '' = id),           -- the client's own
  hash   blob   NOT NULL CHECK (length(hash) = 32),       -- of what was asked, which has no other place
  object TEXT   NOT NULL CHECK (object || '' = object),   -- the card's token, or the payment; '' for one that isn't
  answer TEXT   NOT NULL CHECK (answer || '' = answer),   -- as JSON; '' until there is one, and for what is answered anew each time
  times  BIGINT NOT NULL CHECK (times BETWEEN 1 AND 9223372036854775807), -- how often it was asked and done
  asked  BIGINT NOT NULL CHECK (asked BETWEEN 0 AND 9223372036854775807),
  forget BIGINT NOT NULL CHECK (forget BETWEEN 0 AND 9223372036854775807),
  PRIMARY KEY (client, id)
); -- in the order of its key
CREATE INDEX client_request_asked ON client_request (client, asked, times); -- of all three, so that an hour is counted by it alone
CREATE INDEX client_request_forget ON client_request (forget);
