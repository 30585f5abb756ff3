//! Marks as a PDF file, one page each, and what can be proved about the file before it leaves.

use krilla::SerializeSettings;
use krilla::document::Document;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;

use super::canvas::{PAGE_HEIGHT_MM, PAGE_WIDTH_MM, POINTS_PER_MM};
use super::font::Fonts;
use super::sheet::{self, Mark};
use crate::problem::Problem;

/// Draws all marks; `file` names the document in problems. The same marks give the same bytes: the file carries
/// no date and no random id.
///
/// # Errors
/// Every text that does not fit or cannot be drawn, for all pages at once.
pub fn write(file: &str, title: &str, marks: &[Mark], fonts: &Fonts) -> Result<Vec<u8>, Vec<Problem>> {
    let mut problems = missing_characters(file, marks, fonts);
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut document = Document::new_with(SerializeSettings {
        xmp_metadata: false,
        ..SerializeSettings::default()
    });
    document.set_metadata(
        Metadata::new()
            .title(title.to_owned())
            .creator("linkstar".to_owned())
            .producer("linkstar".to_owned())
            .language("zh-CN".to_owned()),
    );
    let size = PageSettings::from_wh(PAGE_WIDTH_MM * POINTS_PER_MM, PAGE_HEIGHT_MM * POINTS_PER_MM);
    for (index, mark) in marks.iter().enumerate() {
        let Some(settings) = size.clone() else { continue };
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        let misfits = sheet::draw(&mut surface, fonts, mark);
        surface.finish();
        page.finish();
        problems.extend(misfits.into_iter().map(|misfit| {
            Problem::new(
                file,
                format!("carton {}", index + 1),
                misfit.field,
                misfit.found,
                misfit.wanted,
            )
        }));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let bytes = document.finish().map_err(|error| {
        vec![Problem::new(
            file,
            "",
            "",
            format!("{error:?}"),
            "a PDF that can be finished",
        )]
    })?;
    let pages = page_count(&bytes);
    if pages != Some(marks.len()) {
        let found = pages.map_or_else(|| "no page tree".to_owned(), |pages| format!("{pages} pages"));
        return Err(vec![Problem::new(
            file,
            "",
            "",
            found,
            format!("{} pages", marks.len()),
        )]);
    }
    Ok(bytes)
}

/// Names every character that the fonts lack: a box on a carton is a wrong label, found too late.
fn missing_characters(file: &str, marks: &[Mark], fonts: &Fonts) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, mark) in marks.iter().enumerate() {
        for (field, text) in mark.texts() {
            if let Some(missing) = fonts.missing(text) {
                let wanted = format!(
                    "characters the label font has; `{}` (U+{:04X}) is not among them",
                    missing.escape_debug(),
                    u32::from(missing)
                );
                problems.push(Problem::new(
                    file,
                    format!("carton {}", index + 1),
                    field,
                    text,
                    wanted,
                ));
            }
        }
    }
    problems
}

/// The page count that the page tree of a written file declares.
#[must_use]
pub fn page_count(pdf: &[u8]) -> Option<usize> {
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|window| window == what);
    let tree = pdf.get(find(pdf, b"/Type/Pages").or_else(|| find(pdf, b"/Type /Pages"))?..)?;
    let object = tree.get(..find(tree, b"endobj")?)?;
    let count = object.get(find(object, b"/Count ")? + b"/Count ".len()..)?;
    let digits: Vec<u8> = count.iter().copied().take_while(u8::is_ascii_digit).collect();
    String::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::label::sheet::Content;

    fn mark(no: usize, count: usize) -> Mark {
        let only = Content {
            sku: "85123A-WHITE-HANGING/HEART%T".to_owned(),
            name_zh: "白色心形挂饰烛台".to_owned(),
            name_en: "White hanging heart T-light holder".to_owned(),
            units: "48".to_owned(),
        };
        Mark {
            destination: "UKMA".to_owned(),
            destination_note: "谷仓英国曼彻斯特仓 goodcang · 海运 SEA".to_owned(),
            order_no: "SO-20260115-UKMA-003".to_owned(),
            inbound_no: None,
            carton_no: no.to_string(),
            carton_count: count.to_string(),
            contents: vec![only],
            units: "48".to_owned(),
            net: "11.520".to_owned(),
            gross: "12.345".to_owned(),
            dims: "60.0×40.0×35.5".to_owned(),
            origin: "MADE IN CHINA".to_owned(),
            consignee: "GoodCang Manchester Warehouse".to_owned(),
            mark_code: format!("SO-20260115-UKMA-003U{no:06}"),
            sku_code: Some("G1234-85123A".to_owned()),
        }
    }

    #[test]
    fn one_page_per_carton_and_the_same_bytes_again() {
        let fonts = Fonts::built_in().unwrap();
        let marks: Vec<Mark> = (1..=12).map(|no| mark(no, 12)).collect();
        let bytes = write("marks.pdf", "Carton marks", &marks, fonts).unwrap();
        assert_eq!(page_count(&bytes), Some(12));
        assert_eq!(bytes, write("marks.pdf", "Carton marks", &marks, fonts).unwrap());
    }

    #[test]
    fn a_character_outside_the_font_is_named_not_drawn_as_a_box() {
        let fonts = Fonts::built_in().unwrap();
        let mut bad = mark(1, 1);
        bad.contents[0].name_zh = "心形📦".to_owned();
        bad.consignee = "GoodCang\u{7}".to_owned();
        let problems = write("marks.pdf", "Carton marks", &[bad], fonts).unwrap_err();
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        marks.pdf, carton 1, `consignee`: found `GoodCang\u{7}`, wanted characters the label font has; `\u{7}` (U+0007) is not among them
        marks.pdf, carton 1, `contents.name_zh`: found `心形📦`, wanted characters the label font has; `📦` (U+1F4E6) is not among them
        ");
    }

    #[test]
    fn what_does_not_fit_is_refused_and_prose_is_cut() {
        let fonts = Fonts::built_in().unwrap();
        let mut bad = mark(1, 1);
        bad.contents[0].name_en = "very long description ".repeat(20);
        assert!(write("marks.pdf", "", &[bad.clone()], fonts).is_ok());
        bad.mark_code = "X".repeat(31);
        bad.order_no = "SO".repeat(80);
        let problems = write("marks.pdf", "", &[bad], fonts).unwrap_err();
        let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["order_no", "mark_code"]);
    }
}
