-- Pictures and files that patients sent: where they lie at the carrier, and what of them is kept.
CREATE TABLE media (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  conversation BIGINT NOT NULL REFERENCES conversation (id),
  turn BIGINT NOT NULL REFERENCES turn (id),
  carrier TEXT NOT NULL,
  at BIGINT NOT NULL,
  due BIGINT,
  attempts BIGINT NOT NULL,
  lease BIGINT NOT NULL,
  leased_until BIGINT NOT NULL,
  state TEXT NOT NULL,
  kind TEXT NOT NULL,
  source BYTEA,
  sealed BYTEA
);
CREATE INDEX media_due ON media (due) WHERE due IS NOT NULL;
CREATE INDEX media_turn ON media (turn, id);

-- When each number may text again, and how many segments it has sent on its day.
CREATE TABLE pace (
  practice TEXT NOT NULL,
  sender_hash BYTEA NOT NULL,
  next BIGINT NOT NULL,
  day BIGINT NOT NULL,
  segments BIGINT NOT NULL,
  PRIMARY KEY (practice, sender_hash)
);

-- Up to when the carrier's own list of texts was read.
CREATE TABLE caught_up (
  practice TEXT NOT NULL,
  carrier TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (practice, carrier)
);

-- The instant at which a text's number lets it go, and when its words are due to be taken off the
-- carrier's books.
ALTER TABLE outbox ADD COLUMN slot BIGINT;
ALTER TABLE outbox ADD COLUMN redact_due BIGINT;
-- Which text of ours an early report says that it is about, and the carrier's id of it, sealed as
-- that text's.
ALTER TABLE early_report ADD COLUMN outbox BIGINT;
ALTER TABLE early_report ADD COLUMN carrier_ref BYTEA;
CREATE INDEX early_report_outbox ON early_report (outbox) WHERE outbox IS NOT NULL;
-- The approved template that says a text, sealed.
ALTER TABLE outbox ADD COLUMN template BYTEA;
CREATE INDEX outbox_redact ON outbox (redact_due) WHERE redact_due IS NOT NULL;
