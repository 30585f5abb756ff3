-- What was taken from a forwarder's folder stays there: known by how it looks, it is not read again at each visit.
ALTER TABLE inbox_look ADD COLUMN sha256 TEXT;
