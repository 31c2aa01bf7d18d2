-- Who opted out of a practice's texts, on whatever line of it: all its lines are closed to the number
-- until START on one of them.
CREATE TABLE opt_out (
  practice TEXT NOT NULL,
  number_hash BYTEA NOT NULL,
  conversation BIGINT NOT NULL REFERENCES conversation (id),
  at BIGINT NOT NULL,
  PRIMARY KEY (practice, number_hash)
);
INSERT INTO opt_out (practice, number_hash, conversation, at)
  SELECT practice, number_hash, MAX(id), COALESCE(MAX(last_inbound), 0)
  FROM conversation WHERE consent = 'opted_out' GROUP BY practice, number_hash;

-- What a request of the practice's system was, as a keyed hash, and what it was told: the same
-- request is told the same, another under its id is refused. Rows from before know neither.
ALTER TABLE asked_for ADD COLUMN body_hash BYTEA;
ALTER TABLE asked_for ADD COLUMN waiting BIGINT;
ALTER TABLE asked_for ADD COLUMN refused TEXT;
