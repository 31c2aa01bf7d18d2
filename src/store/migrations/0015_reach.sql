-- What kind of visit a free time is for; empty: any.
ALTER TABLE slot ADD COLUMN kind TEXT NOT NULL DEFAULT '';

-- Which times of a practice's calendar were free when it was last looked at, and since when; 0: it is not
-- known, for they were free when it was looked at first.
CREATE TABLE free_slot (
  practice TEXT NOT NULL,
  slot TEXT NOT NULL,
  since BIGINT NOT NULL,
  PRIMARY KEY (practice, slot)
);

-- Up to when the calendar was looked at.
CREATE TABLE free_scan (
  practice TEXT NOT NULL PRIMARY KEY,
  until BIGINT NOT NULL
);

-- A time that became free, offered to somebody on the waitlist. One is asked at a time for a slot, and
-- each person about one slot at a time. Patient and place are sealed; the hash finds the patient's.
CREATE TABLE waitlist_offer (
  practice TEXT NOT NULL,
  id TEXT NOT NULL,
  slot TEXT NOT NULL,
  patient_hash BYTEA NOT NULL,
  at BIGINT NOT NULL,
  until BIGINT NOT NULL,
  state TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (practice, id)
);
CREATE UNIQUE INDEX waitlist_offer_slot ON waitlist_offer (practice, slot) WHERE state = 'open';
CREATE UNIQUE INDEX waitlist_offer_patient ON waitlist_offer (practice, patient_hash)
  WHERE state = 'open';
CREATE INDEX waitlist_offer_state ON waitlist_offer (practice, state);
