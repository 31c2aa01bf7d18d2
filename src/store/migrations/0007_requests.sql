-- What patients ask of staff, in the embedded record. Patient and id are keyed hashes.

CREATE TABLE request (
  practice TEXT NOT NULL,
  id TEXT NOT NULL,
  patient_hash BYTEA NOT NULL,
  kind TEXT NOT NULL,
  at BIGINT NOT NULL,
  due BIGINT,
  open BIGINT NOT NULL CHECK (open IN (0, 1)),
  sealed BYTEA NOT NULL,
  PRIMARY KEY (practice, id)
);
CREATE INDEX request_patient ON request (practice, patient_hash, kind) WHERE open = 1;
CREATE INDEX request_open ON request (practice, kind, at) WHERE open = 1;

-- Reminders are looked for by the days ahead.
CREATE INDEX appointment_start ON appointment (practice, start_at);
