//! The bench's rows through umya-spreadsheet: `umya-write ROWS COLUMNS FILE`; the bench measures the process.

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = || -> u32 { arguments.next().expect("a number").parse().expect("a number") };
    let (rows, columns) = (number(), number());
    let file = arguments.next().expect("a file");
    let mut book = umya_spreadsheet::new_file();
    let sheet = book.sheet_mut(0).expect("a sheet");
    for row in 0..rows {
        for column in 0..columns {
            let cell = sheet.cell_mut((column + 1, row + 1));
            match column % 2 {
                0 => cell.set_value_number(f64::from(row) + f64::from(column) / 100.0),
                _ => cell.set_value(format!("SKU-{row:06}-{column:02} 品名")),
            };
        }
    }
    umya_spreadsheet::writer::xlsx::write(&book, std::path::Path::new(&file)).expect("written");
}
