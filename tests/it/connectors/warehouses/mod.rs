//! Warehouses of China's trade: each shipped file pulls from a server that keeps the rules its vendor documents, and
//! checks signatures by a computation of its own.

mod eccang;
mod fourpx;
mod goodcang;
mod lingxing;
mod winit;
mod xlwms;
mod yard;

use linkstar::night::tools::CONNECTORS;

const FILES: [&str; 6] = ["eccang", "fourpx", "goodcang", "lingxing-erp", "winit", "xlwms"];

/// Lines that define what is read: not what is written, tests, comments, blanks or the lists of fields that are known and left.
fn definition_lines(text: &str) -> usize {
    text.lines()
        .map(str::trim)
        .take_while(|line| *line != "[[test]]" && !line.starts_with("[write."))
        .filter(|line| !line.is_empty() && !line.starts_with('#') && !line.starts_with("known = "))
        .count()
}

#[test]
fn each_warehouse_file_is_about_sixty_lines_of_definition() {
    for name in FILES {
        let (_, text) = CONNECTORS
            .iter()
            .find(|(shipped, _)| *shipped == name)
            .unwrap_or_else(|| panic!("{name} is not shipped"));
        let lines = definition_lines(text);
        // Who puts units aside as exceptions has a stream more.
        let most = if text.contains("'set_aside'") { 68 } else { 64 };
        assert!(lines <= most, "{name} has {lines} lines");
    }
    // Two whose access and streams are more: a token and three parameters of it, numbers of goods to announce with.
    for name in ["amazon-awd", "shipbob"] {
        let (_, text) = CONNECTORS
            .iter()
            .find(|(shipped, _)| *shipped == name)
            .expect("shipped");
        let lines = definition_lines(text);
        assert!(lines <= 71, "{name} has {lines} lines");
    }
}
