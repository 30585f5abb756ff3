-- What was expected of an order's way when it was made, and when it came: the accuracy of lead times, kept for ever.
CREATE TABLE lead_time_forecast (
    account_id TEXT NOT NULL,
    reference TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    mode TEXT NOT NULL,
    made_on TEXT NOT NULL,
    p50_day TEXT NOT NULL,
    p90_day TEXT NOT NULL,
    arrived_on TEXT,
    PRIMARY KEY (account_id, reference)
);
