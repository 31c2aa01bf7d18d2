-- A disclosure that was recorded by mistake is struck, never erased.
ALTER TABLE disclosure ADD COLUMN struck BIGINT;
ALTER TABLE disclosure ADD COLUMN struck_by BIGINT;
ALTER TABLE disclosure ADD COLUMN struck_why BYTEA;
CREATE INDEX request_closed ON request (practice, closed) WHERE closed IS NOT NULL;

-- What of a patient must not be destroyed while a dispute lasts; why is sealed.
CREATE TABLE legal_hold (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  patient_hash BYTEA NOT NULL,
  at BIGINT NOT NULL,
  staff BIGINT NOT NULL,
  ended BIGINT,
  ended_by BIGINT,
  sealed BYTEA NOT NULL
);
CREATE INDEX legal_hold_patient ON legal_hold (practice, patient_hash);

-- Up to which turn the words of a conversation were destroyed under the schedule of retention.
ALTER TABLE conversation ADD COLUMN destroyed BIGINT;

-- What staff are working on, by kind: the wording (as before), or the practice's overlay.
CREATE TABLE draft (
  practice TEXT NOT NULL,
  kind TEXT NOT NULL,
  revision BIGINT NOT NULL,
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  gated TEXT NOT NULL,
  report TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (practice, kind)
);
INSERT INTO draft (practice, kind, revision, at, author, gated, report, sealed)
  SELECT practice, 'prompt', revision, at, author, gated, report, sealed FROM prompt_draft;
DROP TABLE prompt_draft;
