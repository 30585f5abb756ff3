//! Carton marks as PDF.
