//! The HTML body: tables and inline styles, because that is what mail clients keep; a small style block adds the
//! narrow and the dark layout where it is understood, and nothing is lost where it is not.

use askama::Template;

use super::chart;
use super::model::ReportError;
use super::view::View;

#[derive(Template)]
#[template(path = "mail/daily.html")]
struct Daily<'a> {
    v: &'a View,
    chart_width: u32,
}

pub(super) fn render(view: &View) -> Result<String, ReportError> {
    Daily {
        v: view,
        chart_width: chart::SHOWN_WIDTH,
    }
    .render()
    .map_err(ReportError::Html)
}
