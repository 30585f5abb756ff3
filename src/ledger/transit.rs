//! What left and has not arrived: shipped = moving + received + closed short.
