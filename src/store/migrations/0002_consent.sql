-- The consent ledger: one row for each event that moved consent, written once, never changed.
CREATE TABLE consent_event (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  conversation BIGINT NOT NULL REFERENCES conversation (id),
  at BIGINT NOT NULL,
  event TEXT NOT NULL,
  sealed BYTEA NOT NULL
);
CREATE INDEX consent_event_order ON consent_event (conversation, id);

-- What waits for a YES, sealed; `due` is when to look at it: at once after YES, at its end before.
CREATE TABLE waiting (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  conversation BIGINT NOT NULL REFERENCES conversation (id),
  at BIGINT NOT NULL,
  due BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  lease BIGINT NOT NULL,
  leased_until BIGINT NOT NULL,
  sealed BYTEA NOT NULL
);
CREATE INDEX waiting_due ON waiting (due);
CREATE INDEX waiting_conversation ON waiting (conversation, id);

-- A request of the practice's system is taken once, whatever became of it.
CREATE TABLE asked_for (
  practice TEXT NOT NULL,
  request_hash BYTEA NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (practice, request_hash)
);

-- When a proof must be looked at though nobody wrote; rows from before are looked at once.
ALTER TABLE conversation ADD COLUMN consent_until BIGINT;
CREATE INDEX conversation_until ON conversation (consent_until) WHERE consent_until IS NOT NULL;
CREATE INDEX conversation_unlooked ON conversation (id) WHERE consent = 'granted' AND consent_until IS NULL;
