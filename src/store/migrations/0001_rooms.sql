-- One text for both engines; src/store/dialect.rs turns the types for SQLite.
-- Times are microseconds since 1970 UTC; flags are 0 or 1; `sealed` columns are envelopes.

CREATE TABLE serial (
  name TEXT NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);

CREATE TABLE data_key (
  practice TEXT NOT NULL,
  patient TEXT NOT NULL,
  id BYTEA NOT NULL,
  wrapped BYTEA NOT NULL,
  PRIMARY KEY (practice, patient)
);

CREATE TABLE conversation (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  carrier TEXT NOT NULL,
  channel TEXT NOT NULL,
  sender_hash BYTEA NOT NULL,
  number_hash BYTEA NOT NULL,
  epoch BIGINT NOT NULL,
  language TEXT NOT NULL,
  consent TEXT NOT NULL,
  human BIGINT NOT NULL CHECK (human IN (0, 1)),
  last_inbound BIGINT,
  sealed BYTEA NOT NULL
);
CREATE UNIQUE INDEX conversation_key
  ON conversation (practice, number_hash, sender_hash, carrier, channel);

-- Append-only: what changes about a text is elsewhere, so that a row with a body is written once.
CREATE TABLE turn (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  conversation BIGINT NOT NULL REFERENCES conversation (id),
  direction TEXT NOT NULL,
  intent TEXT NOT NULL,
  segments BIGINT,
  at BIGINT NOT NULL,
  carrier_ref BYTEA,
  sealed BYTEA NOT NULL
);
CREATE INDEX turn_order ON turn (conversation, id);

-- The one outcome of an inbound text; a question that waits for consent has none yet.
CREATE TABLE answered (
  turn BIGINT NOT NULL PRIMARY KEY REFERENCES turn (id),
  conversation BIGINT NOT NULL REFERENCES conversation (id)
);

CREATE TABLE admitted (
  practice TEXT NOT NULL,
  hash BYTEA NOT NULL,
  PRIMARY KEY (practice, hash)
);

CREATE TABLE reply_job (
  conversation BIGINT NOT NULL PRIMARY KEY REFERENCES conversation (id),
  practice TEXT NOT NULL,
  generation BIGINT NOT NULL,
  due BIGINT,
  attempts BIGINT NOT NULL,
  lease BIGINT NOT NULL,
  leased_until BIGINT NOT NULL,
  parked BIGINT NOT NULL CHECK (parked IN (0, 1))
);
CREATE INDEX reply_job_due ON reply_job (due) WHERE due IS NOT NULL;

CREATE TABLE outbox (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  conversation BIGINT NOT NULL REFERENCES conversation (id),
  turn BIGINT NOT NULL REFERENCES turn (id),
  epoch BIGINT NOT NULL,
  kind TEXT NOT NULL,
  phi BIGINT NOT NULL CHECK (phi IN (0, 1)),
  proof BYTEA,
  at BIGINT NOT NULL,
  due BIGINT,
  attempts BIGINT NOT NULL,
  in_doubt BIGINT NOT NULL CHECK (in_doubt IN (0, 1)),
  lease BIGINT NOT NULL,
  leased_until BIGINT NOT NULL,
  delivery TEXT NOT NULL,
  code TEXT NOT NULL,
  carrier_hash BYTEA,
  carrier_ref BYTEA,
  CONSTRAINT phi_has_proof CHECK (phi = 0 OR proof IS NOT NULL)
);
CREATE INDEX outbox_due ON outbox (due) WHERE due IS NOT NULL;
CREATE INDEX outbox_waiting ON outbox (conversation, id) WHERE due IS NOT NULL;
CREATE UNIQUE INDEX outbox_turn ON outbox (turn);
CREATE UNIQUE INDEX outbox_carrier ON outbox (carrier_hash) WHERE carrier_hash IS NOT NULL;

-- Reports that arrive before the carrier's answer to the hand-over.
CREATE TABLE early_report (
  hash BYTEA NOT NULL PRIMARY KEY,
  delivery TEXT NOT NULL,
  code TEXT NOT NULL,
  at BIGINT NOT NULL
);

CREATE TABLE portal_message (
  token_hash BYTEA NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  conversation BIGINT NOT NULL REFERENCES conversation (id),
  language TEXT NOT NULL,
  tries_left BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  opened BIGINT,
  sealed BYTEA NOT NULL
);
CREATE INDEX portal_message_expires ON portal_message (expires);

CREATE TABLE hold (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  conversation BIGINT NOT NULL REFERENCES conversation (id),
  at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  draft BYTEA NOT NULL,
  report BYTEA NOT NULL
);
CREATE INDEX hold_practice ON hold (practice, id);

CREATE TABLE glass (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  conversation BIGINT NOT NULL REFERENCES conversation (id),
  at BIGINT NOT NULL,
  sealed BYTEA NOT NULL
);
CREATE INDEX glass_conversation ON glass (conversation, id);

CREATE TABLE audit_entry (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  seq BIGINT,
  hash BYTEA
);
CREATE INDEX audit_entry_loose ON audit_entry (practice, id) WHERE seq IS NULL;
CREATE UNIQUE INDEX audit_entry_chain ON audit_entry (practice, seq) WHERE seq IS NOT NULL;

CREATE TABLE audit_head (
  practice TEXT NOT NULL PRIMARY KEY,
  seq BIGINT NOT NULL,
  hash BYTEA NOT NULL
);

CREATE TABLE audit_checkpoint (
  practice TEXT NOT NULL,
  seq BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  at BIGINT NOT NULL,
  signature BYTEA NOT NULL,
  PRIMARY KEY (practice, seq)
);

-- The embedded record. Ids of people and visits are kept as keyed hashes beside sealed bodies.
CREATE TABLE patient (
  practice TEXT NOT NULL,
  id_hash BYTEA NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (practice, id_hash)
);

CREATE TABLE patient_phone (
  practice TEXT NOT NULL,
  number_hash BYTEA NOT NULL,
  patient_hash BYTEA NOT NULL,
  PRIMARY KEY (practice, number_hash, patient_hash)
);
CREATE INDEX patient_phone_patient ON patient_phone (practice, patient_hash);

CREATE TABLE provider (
  practice TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  specialty TEXT NOT NULL,
  PRIMARY KEY (practice, id)
);

CREATE TABLE appointment (
  practice TEXT NOT NULL,
  id_hash BYTEA NOT NULL,
  patient_hash BYTEA NOT NULL,
  start_at BIGINT NOT NULL,
  status TEXT NOT NULL,
  changed_here BIGINT NOT NULL CHECK (changed_here IN (0, 1)),
  sealed BYTEA NOT NULL,
  PRIMARY KEY (practice, id_hash)
);
CREATE INDEX appointment_patient ON appointment (practice, patient_hash, start_at);

CREATE TABLE slot (
  practice TEXT NOT NULL,
  id TEXT NOT NULL,
  start_at BIGINT NOT NULL,
  end_at BIGINT NOT NULL,
  provider TEXT NOT NULL,
  location TEXT NOT NULL,
  taken BIGINT NOT NULL CHECK (taken IN (0, 1)),
  PRIMARY KEY (practice, id)
);
CREATE INDEX slot_free ON slot (practice, start_at) WHERE taken = 0;

CREATE TABLE clinical (
  practice TEXT NOT NULL,
  id_hash BYTEA NOT NULL,
  patient_hash BYTEA NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (practice, id_hash)
);
CREATE INDEX clinical_patient ON clinical (practice, patient_hash);

CREATE TABLE write_receipt (
  practice TEXT NOT NULL,
  key_hash BYTEA NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (practice, key_hash)
);
