//! Checks of files that read a folder instead of asking a system.

use crate::connector::Bound;
use crate::connector::definition::{AuthKind, PageKind, Snapshot, Stream, Text, Way};
use crate::connector::file_name::NamePattern;
use crate::connector::pipe::TimeFormat;
use crate::mapping::xlsx::At;
use crate::problem::Problem;

use super::Check;

impl Check<'_> {
    /// A file says where things come from, and from one place only.
    pub(super) fn one_origin(&mut self) {
        let file = self.file;
        match (&file.http, &file.files) {
            (Some(_), None) => {}
            (None, Some(files)) => {
                self.template(&files.folder, "files.folder");
                self.nothing_is_asked();
            }
            (Some(_), Some(files)) => {
                let wanted = "either `[http]` or `[files]`: a system is asked, or its exports are read";
                self.say(Some(&files.folder), "files", "", wanted);
            }
            (None, None) => {
                let wanted = "`[http]` for a system that is asked, or `[files]` for a folder of exports";
                let place = crate::declared::place_at(self.text, 0);
                self.problems
                    .push(Problem::new(self.origin, place, "", "neither", wanted));
            }
        }
    }

    /// What only requests need has no meaning here, and whoever wrote it expects something of it.
    fn nothing_is_asked(&mut self) {
        let file = self.file;
        let asking = [
            (
                "auth",
                file.auth.kind != AuthKind::None || !file.auth.headers.is_empty(),
            ),
            ("sign", !file.sign.is_empty()),
            ("soap", file.soap.is_some()),
            ("limits", !file.limits.is_empty()),
            ("write", !file.write.is_empty()),
            ("request_test", !file.request_test.is_empty()),
        ];
        for (name, there) in asking {
            if there {
                self.say(None, name, name, "nothing of requests beside `[files]`");
            }
        }
    }

    /// Whether the stream is read from files; then everything that belongs to requests is refused.
    pub(super) fn in_files(&mut self, name: &str, stream: &Stream) -> bool {
        let field = |part: &str| format!("stream.{name}.{part}");
        if self.file.http.is_none() && self.file.files.is_none() {
            // That is the fault, not what belongs to either.
            return true;
        }
        if self.file.files.is_none() {
            let of_files = [
                ("file", stream.file.is_some()),
                ("as_of", !stream.as_of.0.is_empty()),
                ("covers_days", stream.covers_days.is_some()),
            ];
            for (part, there) in of_files {
                if there {
                    self.say(
                        None,
                        &field(part),
                        part,
                        "`[files]` in the file: it reads no folder",
                    );
                }
            }
            return false;
        }
        let asking = [
            ("request", stream.request.is_some()),
            ("report", stream.report.is_some()),
            ("parent", stream.parent.is_some()),
            ("cursor", stream.cursor.is_some()),
            ("page", stream.page.kind != PageKind::None),
            ("each", !stream.each.is_empty()),
            ("references", stream.references.is_some()),
        ];
        for (part, there) in asking {
            if there {
                self.say(None, &field(part), part, "nothing of requests beside `[files]`");
            }
        }
        match (&stream.file, &stream.answer_of) {
            (Some(names), None) => self.file_names(&field("file"), stream, &names.0),
            (None, Some(_)) => {}
            (Some(_), Some(_)) => {
                let wanted = "either `file` or `answer_of`: the rows of another stream's file";
                self.say(None, &field("file"), "file", wanted);
            }
            (None, None) => {
                let wanted = "the names of its files, such as `file = \"stock*.xlsx\"`";
                self.say(None, &field("file"), "", wanted);
            }
        }
        for way in &stream.as_of.0 {
            self.way(&field("as_of"), stream, way);
        }
        if let Some(days) = &stream.covers_days {
            self.template(days, &field("covers_days"));
        }
        true
    }

    fn file_names(&mut self, field: &str, stream: &Stream, names: &[Text]) {
        if names.is_empty() {
            self.say(None, field, "[]", "at least one name");
        }
        for text in names {
            self.template(text, field);
            // What a parameter gives is judged when it is known.
            for part in text.get_ref().split('|').filter(|part| !part.contains("${")) {
                if let Err(why) = NamePattern::parse(part) {
                    self.say(Some(text), field, part, why);
                }
            }
            let place = crate::connector::file_name::WAREHOUSE;
            if stream.warehouse.is_none() && text.get_ref().contains(place) {
                let wanted = format!("no `{place}`: only stock is read warehouse by warehouse");
                self.say(Some(text), field, text.get_ref(), wanted);
            }
        }
    }

    fn way(&mut self, field: &str, stream: &Stream, way: &Way) {
        let ways = [
            way.name.is_some(),
            way.cell.is_some(),
            way.column.is_some(),
            way.modified,
        ];
        if ways.iter().filter(|there| **there).count() != 1 {
            let wanted = "one of `name`, `cell`, `column` and `modified = true` in each way";
            self.say(None, field, "", wanted);
        }
        if let Some(name) = &way.name
            && let Err(why) = TimeFormat::parse(name.get_ref(), "UTC")
        {
            self.say(Some(name), field, name.get_ref(), why);
        }
        if let Some(cell) = &way.cell
            && At::parse(cell.get_ref()).is_none()
        {
            self.say(Some(cell), field, cell.get_ref(), "a cell such as `B2`");
        }
        if let Some(format) = &way.format
            && let Err(why) = TimeFormat::parse(format.get_ref(), "UTC")
        {
            self.say(Some(format), field, format.get_ref(), why);
        }
        if let Some(zone) = &way.zone {
            self.template(zone, field);
        }
        if Bound::is_dated_inside(stream) && !stream.decode.last().is_written() {
            let wanted = "`decode = [\"table\"]` or `[\"xlsx\"]`, for a time that stands inside the file";
            self.say(None, field, "", wanted);
        }
    }

    /// Words that mean a sum stand in tables of people.
    pub(super) fn totals(&mut self, name: &str, stream: &Stream) {
        if !stream.totals.is_empty() && !stream.decode.last().is_written() {
            let wanted =
                "`decode = [\"table\"]` or `[\"xlsx\"]` beside it: answers have no sums among their rows";
            self.say(None, &format!("stream.{name}.totals"), "totals", wanted);
        }
        // A part of a stock is told by systems that are asked for changes.
        if self.file.files.is_some() && stream.warehouse.is_some() && stream.snapshot == Snapshot::Partial {
            let wanted = "`complete`: what an export of stock leaves out has none";
            self.say(None, &format!("stream.{name}.snapshot"), "partial", wanted);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::connector::Definition;

    const GOOD: &str = r#"version = 1
name = "x"
zone = "UTC"
doctor = "stock"
[params]
folder = { about = "the folder" }
times = { about = "the zone" }
[files]
folder = "${param:folder}"
[stream.stock]
record = "stock"
snapshot = "complete"
warehouse = "*"
file = ["stock_{warehouse}_*.csv", "*.xlsx"]
as_of = { name = "%Y%m%d" }
map = { sku_code = "sku", available = "n | int" }
[stream.orders]
record = "order_line"
file = "orders*"
map = { order_id = "id", sku_code = "sku", marketplace = "'shop'", fulfilment = "'W'", ordered_at = "at | ts('%F', param:times)", updated_at = "up | coalesce(file:time)", state = "'shipped'", units = "n | int" }
"#;

    fn said(text: &str) -> String {
        Definition::parse("x.toml", text).map_or_else(|error| error.to_string(), |_| "nothing".to_owned())
    }

    #[test]
    fn a_folder_is_read_as_tables_when_nothing_else_is_said() {
        let definition = Definition::parse("x.toml", GOOD).unwrap_or_else(|error| panic!("{error}"));
        let decode = &definition.file.stream["stock"].decode;
        assert_eq!(decode.last(), crate::connector::decode::Layer::Table);
    }

    #[test]
    fn what_does_not_go_with_a_folder_is_said_with_its_place() {
        let http = "[http]\nbase = \"https://example.com\"\n";
        let request = "request = { method = \"GET\", path = \"/\" }";
        let changes = [
            ("[files]\nfolder = \"${param:folder}\"\n", ""),
            ("[files]\n", &format!("{http}[files]\n")),
            ("[files]\nfolder = \"${param:folder}\"\n", http),
            ("[files]\n", "[auth]\nkind = \"login\"\n[files]\n"),
            ("file = \"orders*\"", request),
            ("file = \"orders*\"", "file = \"../orders*\""),
            ("file = \"orders*\"", "file = \"orders_{warehouse}\""),
            (
                "file = \"orders*\"",
                "file = \"o*\"\ncovers_days = \"${param:dys}\"",
            ),
            ("{ name = \"%Y%m%d\" }", "{ name = \"today\" }"),
            (
                "{ name = \"%Y%m%d\" }",
                "[{ cell = \"2B\" }, { modified = true, cell = \"B2\" }]",
            ),
            ("as_of =", "decode = [\"csv\"]\ntotals = [\"Sum\"]\nas_of ="),
            ("snapshot = \"complete\"", "snapshot = \"partial\""),
            ("coalesce(file:time)", "coalesce(file:tme)"),
            ("param:times", "param:tmes"),
            ("ts('%F',", "ts('day',"),
        ];
        let mut all = String::new();
        for (good, bad) in changes {
            assert!(GOOD.contains(good), "{good}");
            all.push_str(&format!(
                "{}\n  {}\n",
                bad.trim_end(),
                said(&GOOD.replacen(good, bad, 1)).replace('\n', "\n  ")
            ));
        }
        insta::assert_snapshot!(all);
    }
}
