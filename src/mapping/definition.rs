//! Mapping files: what they may say, and the errors when they say something else.
