-- Which times people on the waitlist had a visit at, so that nobody is offered what they gave up. `what`
-- is a keyed hash of the slot, or of the time and with whom.
CREATE TABLE held_time (
  practice TEXT NOT NULL,
  what BYTEA NOT NULL,
  patient_hash BYTEA NOT NULL,
  start_at BIGINT NOT NULL,
  PRIMARY KEY (practice, what, patient_hash)
);
CREATE INDEX held_time_start ON held_time (practice, start_at);
