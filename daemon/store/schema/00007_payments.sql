-- What cards are charged for, and what became of it. A row is made as a line is armed, and goes through the states that daemon/payment draws; it has no digit of a
-- card. What the address service compares is kept until the outcome is known.

-- +goose Up

CREATE TABLE payment (
  id        TEXT   NOT NULL PRIMARY KEY CHECK (id || '' = id AND length(id) = 30),
  capture   TEXT   NOT NULL CHECK (capture || '' = capture),        -- whose card it is; '' of one that the vault had
  box       TEXT   NOT NULL CHECK (box || '' = box),                -- which box sees to it
  line      TEXT   NOT NULL CHECK (line || '' = line),
  profile   TEXT   NOT NULL CHECK (profile || '' = profile),
  gateway   TEXT   NOT NULL CHECK (gateway || '' = gateway),
  minor     BIGINT NOT NULL CHECK (minor BETWEEN 1 AND 999999999999),
  currency  TEXT   NOT NULL CHECK (currency || '' = currency AND length(currency) = 3),
  reference TEXT   NOT NULL CHECK (reference || '' = reference),
  take      BIGINT NOT NULL CHECK (take BETWEEN 0 AND 1),
  later     BIGINT NOT NULL CHECK (later BETWEEN 0 AND 1),
  deferred  BIGINT NOT NULL CHECK (deferred BETWEEN 0 AND 1),       -- the provider couldn't be asked while the card was keyed
  bill      TEXT   NOT NULL CHECK (bill || '' = bill),              -- the payment that began the bill of which this one pays a part; '' if there is none
  total     BIGINT NOT NULL CHECK (total BETWEEN 0 AND 999999999999),
  consent   BIGINT NOT NULL CHECK (consent BETWEEN 0 AND 1),        -- the holder agrees that the card is charged again
  asker     TEXT   NOT NULL CHECK (asker || '' = asker),
  key       TEXT   NOT NULL CHECK (key || '' = key),                -- the asker's word for the request; '' if he has none
  network   TEXT   NOT NULL CHECK (network || '' = network),        -- of one that the vault had: the network's transaction id of the consent
  address   TEXT   NOT NULL CHECK (address || '' = address),
  postcode  TEXT   NOT NULL CHECK (postcode || '' = postcode),
  token     TEXT   NOT NULL CHECK (token || '' = token),            -- '' until there is a card
  state     TEXT   NOT NULL CHECK (state || '' = state),
  reason    TEXT   NOT NULL CHECK (reason || '' = reason),
  ref       TEXT   NOT NULL CHECK (ref || '' = ref),                -- by which the provider knows it; '' as long as he knows nothing
  names     TEXT   NOT NULL CHECK (names || '' = names),            -- what each destination knows the card by, as JSON
  answer    TEXT   NOT NULL CHECK (answer || '' = answer),          -- what he said, as JSON
  tries     BIGINT NOT NULL CHECK (tries BETWEEN 0 AND 9223372036854775807),
  due       BIGINT NOT NULL CHECK (due BETWEEN 0 AND 9223372036854775807), -- when somebody has to see to it; 0: nobody any more
  created   BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9223372036854775807),
  changed   BIGINT NOT NULL CHECK (changed BETWEEN 0 AND 9223372036854775807)
); -- in the order of its key
CREATE INDEX payment_due ON payment (due) WHERE due > 0;
CREATE UNIQUE INDEX payment_capture ON payment (capture) WHERE capture <> '';
CREATE INDEX payment_bill ON payment (bill) WHERE bill <> '';
CREATE UNIQUE INDEX payment_key ON payment (asker, key) WHERE key <> '';

-- What is done with an approved payment, and what became of it.

CREATE TABLE payment_act (
  id      TEXT   NOT NULL PRIMARY KEY CHECK (id || '' = id AND length(id) = 30),
  payment TEXT   NOT NULL REFERENCES payment (id),
  box     TEXT   NOT NULL CHECK (box || '' = box),
  kind    TEXT   NOT NULL CHECK (kind || '' = kind),
  minor   BIGINT NOT NULL CHECK (minor BETWEEN 0 AND 999999999999),
  asker   TEXT   NOT NULL CHECK (asker || '' = asker),
  key     TEXT   NOT NULL CHECK (key || '' = key),
  state   TEXT   NOT NULL CHECK (state || '' = state),
  reason  TEXT   NOT NULL CHECK (reason || '' = reason),
  answer  TEXT   NOT NULL CHECK (answer || '' = answer),
  tries   BIGINT NOT NULL CHECK (tries BETWEEN 0 AND 9223372036854775807),
  due     BIGINT NOT NULL CHECK (due BETWEEN 0 AND 9223372036854775807),
  created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9223372036854775807),
  changed BIGINT NOT NULL CHECK (changed BETWEEN 0 AND 9223372036854775807)
); -- in the order of its key
CREATE INDEX payment_act_payment ON payment_act (payment);
CREATE INDEX payment_act_due ON payment_act (due) WHERE due > 0;
CREATE UNIQUE INDEX payment_act_key ON payment_act (asker, key) WHERE key <> '';
