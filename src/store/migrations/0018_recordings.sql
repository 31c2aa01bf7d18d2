-- What the models of a turn were sent, sealed, and the digests of what made it, so that the same bytes
-- can be made again. `turn` is the last text that was answered, `outbox` the answer.
CREATE TABLE recording (
  turn BIGINT NOT NULL PRIMARY KEY REFERENCES turn (id),
  practice TEXT NOT NULL,
  conversation BIGINT NOT NULL REFERENCES conversation (id),
  outbox BIGINT,
  at BIGINT NOT NULL,
  prompt TEXT NOT NULL,
  policy TEXT NOT NULL,
  model TEXT NOT NULL,
  tools TEXT NOT NULL,
  sealed BYTEA NOT NULL
);
CREATE INDEX recording_outbox ON recording (outbox);
