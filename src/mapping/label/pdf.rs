//! Labels as a PDF file, one page each or many on a sheet, and what can be proved about the file before it leaves.

use krilla::SerializeSettings;
use krilla::color::luma;
use krilla::document::Document;
use krilla::geom::{PathBuilder, Point, Rect, Transform};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;

use super::font::Fonts;
use super::grid::Grid;
use super::ink::{Drawing, Ink, POINTS_PER_MM};
use crate::problem::Problem;

/// Writes the labels; `file` names the document in problems. The same labels give the same bytes: the file carries no date and no
/// random id.
///
/// # Errors
/// When the file cannot be finished, or has another number of pages than it should.
pub fn write(
    file: &str,
    title: &str,
    drawings: &[Drawing],
    grid: Option<&Grid>,
    fonts: &Fonts,
) -> Result<Vec<u8>, Vec<Problem>> {
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
    let per_page = grid.map_or(1, Grid::cells);
    for (page_no, labels) in drawings.chunks(per_page.max(1)).enumerate() {
        let Some(first) = labels.first() else { continue };
        let (width, height) = grid.map_or((first.width_mm, first.height_mm), |grid| {
            (grid.page[0], grid.page[1])
        });
        let settings = PageSettings::from_wh(width * POINTS_PER_MM, height * POINTS_PER_MM);
        let Some(settings) = settings else {
            let found = format!("{width} × {height} mm");
            return Err(vec![Problem::new(
                file,
                format!("page {}", page_no + 1),
                "size",
                found,
                "a page with a width and a height",
            )]);
        };
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for (cell, label) in labels.iter().enumerate() {
            let (x, y) = grid.map_or((0.0, 0.0), |grid| grid.corner(cell));
            surface.push_transform(&Transform::from_translate(x * POINTS_PER_MM, y * POINTS_PER_MM));
            draw(&mut surface, label, fonts);
            surface.pop();
        }
        surface.finish();
        page.finish();
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
    let wanted = drawings.len().div_ceil(per_page.max(1));
    let pages = page_count(&bytes);
    if pages != Some(wanted) {
        let found = pages.map_or_else(|| "no page tree".to_owned(), |pages| format!("{pages} pages"));
        return Err(vec![Problem::new(file, "", "", found, format!("{wanted} pages"))]);
    }
    Ok(bytes)
}

fn draw(surface: &mut Surface<'_>, label: &Drawing, fonts: &Fonts) {
    for ink in &label.inks {
        match ink {
            Ink::Fill { areas, grey } => {
                let mut path = PathBuilder::new();
                for area in areas {
                    let [x, y, width, height] =
                        [area.x, area.y, area.width, area.height].map(|mm| mm * POINTS_PER_MM);
                    if let Some(rect) = Rect::from_xywh(x, y, width, height) {
                        path.push_rect(rect);
                    }
                }
                if let Some(path) = path.finish() {
                    set_grey(surface, *grey);
                    surface.draw_path(&path);
                }
            }
            Ink::Text {
                text,
                x,
                baseline,
                size,
                weight,
                grey,
            } => {
                let face = fonts.face(*weight);
                let start = Point::from_xy(x * POINTS_PER_MM, baseline * POINTS_PER_MM);
                set_grey(surface, *grey);
                surface.draw_glyphs(start, &face.line(text), face.font.clone(), text, *size, false);
            }
        }
    }
}

fn set_grey(surface: &mut Surface<'_>, grey: u8) {
    surface.set_fill(Some(Fill {
        paint: luma::Color::new(grey).into(),
        ..Fill::default()
    }));
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
