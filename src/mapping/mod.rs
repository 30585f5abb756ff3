//! Reads mapping files and writes or reads documents. Bytes in, bytes out.
