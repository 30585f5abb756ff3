mod arguments;
mod cases;
mod laws;
mod networks;
