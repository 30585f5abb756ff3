-- Content-addressed bytes: raw pages, plans, documents, mails. Never changed, only added. Name and size are those of
-- the bytes themselves; stored they may be deflated.
CREATE TABLE blob (
    account_id TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    kind TEXT NOT NULL,
    size BIGINT NOT NULL,
    encoding TEXT NOT NULL,
    bytes BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, sha256)
);

-- One run of the night, and what each of its steps did.
CREATE TABLE run (
    account_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    civil_date TEXT NOT NULL,
    state TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (account_id, run_id)
);

CREATE TABLE run_step (
    account_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    state TEXT NOT NULL,
    counts TEXT NOT NULL,
    problem TEXT,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (account_id, run_id, step),
    FOREIGN KEY (account_id, run_id) REFERENCES run (account_id, run_id)
);
