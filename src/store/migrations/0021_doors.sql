-- Where a patient wants to be told of secure messages by e-mail, sealed: the address that was shown to be
-- theirs, and the one that a code was sent to. `bounced`: since when mail to it comes back.
CREATE TABLE mail_choice (
  practice TEXT NOT NULL,
  patient_hash BYTEA NOT NULL,
  code_hash BYTEA,
  code_until BIGINT,
  tries BIGINT NOT NULL,
  codes BIGINT NOT NULL,
  codes_since BIGINT NOT NULL,
  bounced BIGINT,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (practice, patient_hash)
);

-- E-mails that wait to leave, or left. `id` is random and part of the Message-ID, so that a bounce finds
-- its row; what is sealed goes when nothing is left to be done.
CREATE TABLE mail_notice (
  id BYTEA NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  conversation BIGINT NOT NULL REFERENCES conversation (id),
  patient_hash BYTEA NOT NULL,
  kind TEXT NOT NULL,
  at BIGINT NOT NULL,
  due BIGINT,
  attempts BIGINT NOT NULL,
  lease BIGINT NOT NULL,
  leased_until BIGINT NOT NULL,
  state TEXT NOT NULL,
  code TEXT NOT NULL,
  sealed BYTEA
);
CREATE INDEX mail_notice_due ON mail_notice (due) WHERE due IS NOT NULL;
CREATE INDEX mail_notice_conversation ON mail_notice (conversation, at);
CREATE INDEX mail_notice_at ON mail_notice (at);

-- A link that staff closed before its time, and who.
ALTER TABLE portal_message ADD COLUMN revoked BIGINT;
ALTER TABLE portal_message ADD COLUMN revoked_by BIGINT;

-- Files of secure messages: with a link (staff) or with a turn (the patient). Name and bytes are sealed.
CREATE TABLE attachment (
  id BYTEA NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  conversation BIGINT NOT NULL REFERENCES conversation (id),
  link_hash BYTEA,
  turn BIGINT REFERENCES turn (id),
  at BIGINT NOT NULL,
  kind TEXT NOT NULL,
  size BIGINT NOT NULL,
  name BYTEA NOT NULL,
  body BYTEA NOT NULL
);
CREATE INDEX attachment_link ON attachment (link_hash) WHERE link_hash IS NOT NULL;
CREATE INDEX attachment_turn ON attachment (turn) WHERE turn IS NOT NULL;

-- What a search finds without opening what is sealed: keyed hashes of the beginnings of a patient's names,
-- and of the last digits of a conversation's number. `named` and `ends` say that a row has them.
CREATE TABLE patient_name (
  practice TEXT NOT NULL,
  token BYTEA NOT NULL,
  patient_hash BYTEA NOT NULL,
  PRIMARY KEY (practice, token, patient_hash)
);
CREATE INDEX patient_name_patient ON patient_name (practice, patient_hash);
ALTER TABLE patient ADD COLUMN named BIGINT NOT NULL DEFAULT 0;
CREATE INDEX patient_unnamed ON patient (practice) WHERE named = 0;
ALTER TABLE conversation ADD COLUMN ends BYTEA;
CREATE INDEX conversation_ends ON conversation (practice, ends, last_turn) WHERE ends IS NOT NULL;
CREATE INDEX conversation_unended ON conversation (practice) WHERE ends IS NULL;
