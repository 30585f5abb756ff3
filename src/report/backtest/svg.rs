//! Charts as SVG. Words are text, so that a reader can search and a screen reader can read them.

use std::fmt::Write as _;

use super::picture::{Anchor, DASH, DOT, FAINT, HEIGHT, LETTERS, Picture, Shape, WIDTH};

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

pub(super) fn render(picture: &Picture) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" font-family=\"system-ui,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif\" font-size=\"{LETTERS}\"><title>{}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n",
        escape(&picture.title)
    );
    for shape in &picture.shapes {
        // Writing to a String does not fail.
        let _ = writeln!(out, "{}", element(shape));
    }
    out.push_str("</svg>");
    out
}

fn element(shape: &Shape) -> String {
    match shape {
        Shape::Line {
            points,
            ink,
            width,
            dashed,
            faint,
        } => {
            let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let mut line = format!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"#{:06x}\" stroke-width=\"{width}\"",
                points.join(" "),
                ink.0
            );
            if *dashed {
                let _ = write!(line, " stroke-dasharray=\"{} {}\"", DASH.0, DASH.1);
            }
            if *faint {
                let _ = write!(line, " opacity=\"{FAINT}\"");
            }
            line + "/>"
        }
        Shape::Dot { x, y, ink } => {
            format!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{DOT}\" fill=\"#{:06x}\"/>",
                ink.0
            )
        }
        Shape::Text {
            x,
            y,
            anchor,
            ink,
            text,
        } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            format!(
                "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#{:06x}\">{}</text>",
                ink.0,
                escape(text)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_from_files_cannot_break_out_of_the_page() {
        assert_eq!(
            super::escape("<a href=\"x\">&"),
            "&lt;a href=&quot;x&quot;&gt;&amp;"
        );
    }
}
