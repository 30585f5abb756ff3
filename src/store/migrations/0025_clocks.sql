-- Deadlines that were seen, how far each was told, and who is on it. One row a kind and subject; body is the alert as JSON.
CREATE TABLE clock_alert (
    account_id TEXT NOT NULL,
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, rule, subject)
);
