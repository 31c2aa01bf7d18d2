-- When an answer was begun, and whether the patient was told that it takes a moment.
ALTER TABLE reply_job ADD COLUMN begun BIGINT;
ALTER TABLE reply_job ADD COLUMN interim BIGINT NOT NULL DEFAULT 0;

-- Until when staff have a conversation that was handed over to them; then the agent is back. None:
-- until they say so.
ALTER TABLE conversation ADD COLUMN human_until BIGINT;
CREATE INDEX conversation_human_until ON conversation (human_until) WHERE human_until IS NOT NULL;

-- What language models cost a practice on a day of its own, in billionths of a US dollar.
CREATE TABLE model_spend (
  practice TEXT NOT NULL,
  day TEXT NOT NULL,
  nanodollars BIGINT NOT NULL,
  PRIMARY KEY (practice, day)
);
