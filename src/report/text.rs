//! The plain-text twin: the same view, for readers and tools without HTML.

use super::view::{Item, Row, View};

pub(super) fn render(view: &View) -> String {
    let mut out = Page::default();
    out.line(&view.subject);
    let mut who = format!("{} · {}", view.account, view.date);
    if let Some(owner) = &view.owner {
        who.push_str(" · ");
        who.push_str(owner);
    }
    out.line(&who);
    for (_, banner) in &view.banners {
        out.blank();
        out.line(&format!("! {banner}"));
    }
    out.blank();
    for tile in &view.tiles {
        out.line(&format!("{}  {}", tile.value, tile.label));
    }

    out.heading(&view.headings.sources);
    for source in &view.sources {
        out.line(&format!(
            "[{}] {}  {}  {}  {}",
            source.state, source.name, source.as_of, source.age, source.rows
        ));
        for note in &source.notes {
            out.line(&format!("    {note}"));
        }
    }
    out.note(view.sources_note.as_deref());

    out.heading(&view.headings.funnel);
    let steps: Vec<String> = view
        .funnel
        .iter()
        .map(|(label, n)| format!("{label} {n}"))
        .collect();
    out.line(&steps.join(" → "));
    out.note(view.funnel_note.as_deref());

    out.heading(&view.headings.changes);
    for change in &view.changes {
        out.line(&format!(
            "[{}] {}  {}  {}",
            change.kind, change.sku, change.what, change.warehouse
        ));
        if !change.why.is_empty() {
            out.line(&format!("    {}", change.why));
        }
    }
    for note in &view.changes_note {
        out.line(note);
    }

    if !view.rows.is_empty() {
        out.heading(&view.headings.lines);
        out.note(view.lines_note.as_deref());
        for row in &view.rows {
            line(&mut out, view, row);
        }
        out.note(view.rest.as_deref());
    }

    for (heading, items) in view.lists() {
        if !items.is_empty() {
            out.heading(heading);
            for entry in items {
                item(&mut out, entry);
            }
        }
    }
    if !view.problems.is_empty() {
        out.heading(&view.headings.problems);
        for problem in &view.problems {
            out.line(&format!("- {problem}"));
        }
    }

    out.blank();
    out.line("--------");
    out.line(&view.footer_answer);
    out.line(&format!("{} {}", view.footer_explain, view.explain_command));
    out.line(&view.footer_plan);
    out.text
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    /// One line of foreign text stays one line: nothing from outside can open a line of its own.
    fn line(&mut self, line: &str) {
        self.text.extend(
            line.trim_end()
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c }),
        );
        self.text.push('\n');
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn heading(&mut self, heading: &str) {
        self.blank();
        self.line(&format!("== {heading}"));
    }

    fn note(&mut self, note: Option<&str>) {
        if let Some(note) = note {
            self.line(note);
        }
    }
}

fn line(out: &mut Page, view: &View, row: &Row) {
    let words = &view.columns;
    let badge = row
        .badge
        .as_ref()
        .map_or_else(String::new, |badge| format!("·{badge}"));
    out.blank();
    out.line(&format!(
        "[{}{badge}] {}  {}  {}",
        row.level, row.sku, row.name, row.warehouse
    ));
    let amount: Vec<&str> = [row.quantity.as_str(), &row.packing, &row.money]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    out.line(&format!("    {}: {}", words.suggestion, amount.join(" · ")));
    if let Some(not_counted) = &row.not_counted {
        out.line(&format!("    ({not_counted})"));
    }
    let mut stock = format!("{} {}", words.available, row.available);
    if let Some(pending) = &row.pending {
        stock.push_str(&format!(" · {} {pending}", words.pending));
    }
    stock.push_str(&format!(" · {} {}", words.inbound, row.inbound));
    if let Some(when) = &row.inbound_when {
        stock.push_str(&format!(" ({when})"));
    }
    out.line(&format!(
        "    {stock} · {} {} · {} {}",
        words.velocity, row.velocity, words.cover, row.cover
    ));
    let late = row
        .late
        .as_ref()
        .map_or_else(String::new, |late| format!(" ({late})"));
    out.line(&format!(
        "    {} {} · {} {}{late} · {} {}",
        words.stockout, row.stockout, words.order_by, row.order_by, words.ship_by, row.ship_by
    ));
    if !row.why.is_empty() {
        out.line(&format!("    {}", row.why));
    }
    if let Some(chart) = &row.chart {
        out.line(&format!("    {}", chart.alt));
    }
}

fn item(out: &mut Page, item: &Item) {
    let head: Vec<&str> = [item.title.as_str(), &item.place, &item.remark]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    out.line(&format!("- {}", head.join("  ")));
    if !item.detail.is_empty() {
        out.line(&format!("    {}", item.detail));
    }
}
