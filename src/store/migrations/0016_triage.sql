-- Who of staff looks after a conversation, and what is out of the way: `done` and `snoozed_upto` are the
-- patient's last text then, so that a newer one brings the conversation back by itself.
ALTER TABLE conversation ADD COLUMN assigned BIGINT;
ALTER TABLE conversation ADD COLUMN done BIGINT;
ALTER TABLE conversation ADD COLUMN snoozed_until BIGINT;
ALTER TABLE conversation ADD COLUMN snoozed_upto BIGINT;
CREATE INDEX conversation_open ON conversation (practice, last_turn)
  WHERE (done IS NULL OR done < last_in) AND (snoozed_until IS NULL OR snoozed_upto < last_in);
CREATE INDEX conversation_done ON conversation (practice, last_turn) WHERE done >= last_in;
CREATE INDEX conversation_assigned ON conversation (practice, assigned) WHERE assigned IS NOT NULL;
CREATE INDEX conversation_snoozed ON conversation (snoozed_until) WHERE snoozed_until IS NOT NULL;

-- A practice's own labels. Names are sealed: a label on a conversation tells of a patient.
CREATE TABLE label (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  color TEXT NOT NULL,
  sealed BYTEA NOT NULL
);
CREATE INDEX label_practice ON label (practice, id);
CREATE TABLE conversation_label (
  conversation BIGINT NOT NULL REFERENCES conversation (id),
  label BIGINT NOT NULL REFERENCES label (id),
  PRIMARY KEY (conversation, label)
);
CREATE INDEX conversation_label_label ON conversation_label (label, conversation);

-- Whom a note names, and whether they have looked since.
CREATE TABLE mention (
  note BIGINT NOT NULL REFERENCES note (id),
  staff BIGINT NOT NULL REFERENCES staff (id),
  practice TEXT NOT NULL,
  conversation BIGINT NOT NULL REFERENCES conversation (id),
  seen BIGINT NOT NULL CHECK (seen IN (0, 1)),
  PRIMARY KEY (note, staff)
);
CREATE INDEX mention_staff ON mention (staff, conversation);
CREATE INDEX mention_unseen ON mention (staff, conversation) WHERE seen = 0;

-- What staff say of a hold: whether it was wrong, for the share of false holds, and why, sealed.
ALTER TABLE hold ADD COLUMN wrong BIGINT CHECK (wrong IN (0, 1));
ALTER TABLE hold ADD COLUMN wrong_by BIGINT;
ALTER TABLE hold ADD COLUMN wrong_at BIGINT;
ALTER TABLE hold ADD COLUMN wrong_why BYTEA;

-- How a patient's request ended, sealed, and by whom. An extension moves `due` once and says why.
ALTER TABLE request ADD COLUMN closed BIGINT;
ALTER TABLE request ADD COLUMN closed_by BIGINT;
ALTER TABLE request ADD COLUMN closed_how TEXT;
ALTER TABLE request ADD COLUMN extended BIGINT;
ALTER TABLE request ADD COLUMN notes BYTEA;

-- Disclosures that staff record by hand (45 CFR 164.528): to whom, what and why, sealed.
CREATE TABLE disclosure (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  patient_hash BYTEA NOT NULL,
  at BIGINT NOT NULL,
  recorded BIGINT NOT NULL,
  staff BIGINT NOT NULL,
  kind TEXT NOT NULL,
  sealed BYTEA NOT NULL
);
CREATE INDEX disclosure_patient ON disclosure (practice, patient_hash, at);

-- Breach worksheets: each save is a version of its own, so that what was computed then stays.
CREATE TABLE breach (
  id BIGINT NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  worksheet BIGINT NOT NULL,
  at BIGINT NOT NULL,
  staff BIGINT NOT NULL,
  sealed BYTEA NOT NULL
);
CREATE INDEX breach_practice ON breach (practice, worksheet, id);
