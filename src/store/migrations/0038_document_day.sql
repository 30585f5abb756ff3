-- The day that is written on a paper, so that an edited one is compared with what was issued. NULL: from before it was kept.
ALTER TABLE order_document ADD COLUMN issued_on TEXT;
