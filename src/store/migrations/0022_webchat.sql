-- Who writes in the chat of a practice's web site. A row begins when a number is given; `whole` says that
-- the code that was texted to it was given too. Only the hash of the token that the page holds is kept,
-- and the number is sealed. `coded`: whether a code left for it. `said` counts what was written since
-- `said_since`. `told`: when a text told the number that an answer waits in the chat.
CREATE TABLE chat_session (
  token_hash BYTEA NOT NULL PRIMARY KEY,
  practice TEXT NOT NULL,
  number_hash BYTEA NOT NULL,
  code_hash BYTEA,
  code_until BIGINT,
  coded BIGINT NOT NULL CHECK (coded IN (0, 1)),
  tries_left BIGINT NOT NULL,
  whole BIGINT NOT NULL CHECK (whole IN (0, 1)),
  began BIGINT NOT NULL,
  seen BIGINT NOT NULL,
  said BIGINT NOT NULL,
  said_since BIGINT NOT NULL,
  ended BIGINT,
  told BIGINT,
  sealed BYTEA NOT NULL
);
CREATE INDEX chat_session_number ON chat_session (practice, number_hash, began);
CREATE INDEX chat_session_seen ON chat_session (seen);
CREATE INDEX chat_session_untold ON chat_session (began) WHERE whole = 1 AND told IS NULL;
