//! Reads connector files and says what to ask next and what an answer means. Does no IO.
