//! The daily mail as a reader gets it, its workbook and the way back, and a real SMTP server.

mod cases;
mod chain;
mod documents;
mod fixture;
mod smtp;
mod to_mend;
mod workbook;
