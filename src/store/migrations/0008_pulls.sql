-- A pull that was cut off is taken up where it stood: what it had counted by then, and whose pull ended last (JSON).
ALTER TABLE source_stream ADD COLUMN progress TEXT;
