-- By which law a text was cleared: the state, the rules that applied, the policy's digest.
ALTER TABLE outbox ADD COLUMN state TEXT;
ALTER TABLE outbox ADD COLUMN law TEXT;
ALTER TABLE outbox ADD COLUMN policy TEXT;

-- Executed agreements (45 CFR 164.504(e)); ended, never erased. Days are ISO 8601.
CREATE TABLE agreement (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  at BIGINT NOT NULL,
  counterparty TEXT NOT NULL,
  product TEXT NOT NULL,
  document_sha256 TEXT NOT NULL,
  signer TEXT NOT NULL,
  since TEXT NOT NULL,
  until TEXT
);
CREATE INDEX agreement_practice ON agreement (practice, id);
