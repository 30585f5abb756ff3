-- Who is logged in to the web page: the token itself is only in the browser. A changed password ends its sessions,
-- because `credential` no longer fits.
CREATE TABLE web_session (
    account_id TEXT NOT NULL,
    token_sha256 TEXT NOT NULL,
    user_name TEXT NOT NULL,
    credential TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, token_sha256)
);

-- Attempts whose worker died, counted apart from those that the job itself failed at.
ALTER TABLE job ADD COLUMN lost BIGINT NOT NULL DEFAULT 0;
