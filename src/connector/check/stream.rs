//! What a stream may say, besides its map.

use crate::connector::decode::Layer;
use crate::connector::definition::{CursorKind, Page, PageKind, RecordKind, Report, Snapshot, Stream, Text};
use crate::connector::load::Reading;
use crate::connector::path::Path;
use crate::connector::pipe::TimeFormat;
use crate::order::ReferenceKind;

use super::Check;

impl Check<'_> {
    pub(super) fn stream(&mut self, name: &str, stream: &Stream) -> Reading {
        let file = self.file;
        let field = |part: &str| format!("stream.{name}.{part}");
        self.asked = self.asked_with(stream);
        let in_files = self.in_files(name, stream);
        self.totals(name, stream);
        match (&stream.request, &stream.report) {
            _ if in_files => {}
            (Some(call), None) => self.call(&field("request"), call),
            (None, Some(report)) => self.report(name, report),
            (None, None) if stream.answer_of.is_some() => {}
            _ => self.say(None, &field("request"), "", "either `request` or `report`"),
        }
        if let Some(asked) = &stream.answer_of {
            self.answer_of(name, stream, asked);
        }
        if let Some(parent) = &stream.parent {
            self.name_in(parent, &field("parent"), file.stream.keys().map(String::as_str));
            let above = self.above(stream);
            let (circle, top) = (
                above.len() > file.stream.len(),
                above.last().map(|top| top.record),
            );
            if circle {
                self.say(
                    Some(parent),
                    &field("parent"),
                    name,
                    "a stream that is not below this one",
                );
            } else if top.is_some_and(|top| top != RecordKind::Inbound) {
                self.say(
                    Some(parent),
                    &field("parent"),
                    parent.get_ref(),
                    "an inbound, or a stream below one",
                );
            }
            if stream.record == RecordKind::InboundLine && above_is_no_inbound(&self.above(stream)) {
                self.say(
                    Some(parent),
                    &field("parent"),
                    parent.get_ref(),
                    "the inbound itself, for its lines",
                );
            }
        }
        if (stream.record == RecordKind::Stock) != stream.warehouse.is_some() {
            self.say(
                None,
                &field("warehouse"),
                "",
                "set for stock and only there: the provider's code, or `*` for one run per warehouse",
            );
        }
        if stream.record != RecordKind::Stock && stream.snapshot == Snapshot::Complete {
            self.say(
                None,
                &field("snapshot"),
                "complete",
                "`partial`: only a stock can be told completely",
            );
        }
        if stream.record == RecordKind::Code && (stream.parent.is_some() || stream.cursor.is_some()) {
            let wanted = "neither `parent` nor `cursor`: codes are asked for when an order is told";
            self.say(None, &field("record"), "code", wanted);
        }
        if let (RecordKind::Return, Some(parent)) = (stream.record, &stream.parent) {
            let wanted = "none: returns are asked for by their dates";
            self.say(Some(parent), &field("parent"), parent.get_ref(), wanted);
        }
        if stream.closed_is_final && (stream.record != RecordKind::Inbound || stream.parent.is_some()) {
            let wanted = "set for inbounds that stand on their own only";
            self.say(None, &field("closed_is_final"), "true", wanted);
        }
        if stream.running_total && stream.record != RecordKind::Receipt {
            self.say(None, &field("running_total"), "true", "set for receipts only");
        }
        if let Some(references) = &stream.references {
            let known = ReferenceKind::ALL.map(ReferenceKind::code);
            self.name_in(&references.kind, &field("references.kind"), known.iter().copied());
            self.template(&references.probe, &field("references.probe"));
            if references.batch == 0 {
                self.say(None, &field("references.batch"), "0", "at least 1");
            }
        }
        for (name, values) in &stream.each {
            if values.is_empty() {
                self.say(None, &field(&format!("each.{name}")), "[]", "at least one value");
            }
            for text in values {
                self.template(text, &field("each"));
            }
        }
        self.cursor(name, stream);
        self.page(name, &stream.page);
        self.decode(name, stream);
        for (key, text) in [
            ("only", &stream.only),
            ("must", &stream.must),
            ("enabled", &stream.enabled),
        ] {
            if let Some(text) = text {
                self.template(text, &field(key));
            }
        }
        if let Some(enabled) = &stream.enabled
            && (stream.parent.is_some() || !in_files && file.doctor.get_ref() == name)
        {
            self.say(
                Some(enabled),
                &field("enabled"),
                enabled.get_ref(),
                "none: a stream below another goes with it, and `doctor` asks for its stream in every case",
            );
        }
        if let Some(keep) = &stream.keep_pii {
            self.template(keep, &field("keep_pii"));
        }
        let rows = stream
            .rows
            .as_ref()
            .and_then(|rows| self.path(&field("rows"), rows));
        self.map(name, stream, rows)
    }

    fn answer_of(&mut self, name: &str, stream: &Stream, asked: &Text) {
        let field = format!("stream.{name}.answer_of");
        self.name_in(asked, &field, self.file.stream.keys().map(String::as_str));
        let own = stream.request.is_some()
            || stream.report.is_some()
            || stream.parent.is_some()
            || stream.cursor.is_some()
            || stream.page.kind != PageKind::None
            || !stream.each.is_empty();
        if own {
            let wanted = "no `request`, `report`, `parent`, `cursor`, `page` or `each` beside it";
            self.say(Some(asked), &field, asked.get_ref(), wanted);
        }
        let below = |record| {
            !matches!(
                record,
                RecordKind::OrderLine
                    | RecordKind::Stock
                    | RecordKind::Inbound
                    | RecordKind::Return
                    | RecordKind::Code
            )
        };
        let fits = self.file.stream.get(asked.get_ref()).is_none_or(|asked| {
            (asked.request.is_some() || asked.file.is_some())
                && (asked.record == RecordKind::Inbound || asked.parent.is_some())
        });
        if !fits || !below(stream.record) {
            let wanted = "a request for inbounds or below one, read for lines, receipts or events";
            self.say(Some(asked), &field, asked.get_ref(), wanted);
        }
    }

    fn report(&mut self, name: &str, report: &Report) {
        let field = |part: &str| format!("stream.{name}.report{part}");
        let calls = [(".create", Some(&report.create)), (".poll", Some(&report.poll))];
        for (part, call) in calls.into_iter().chain([(".document", report.document.as_ref())]) {
            if let Some(call) = call {
                self.call(&field(part), call);
            }
        }
        if report.document.is_some() != report.document_id.is_some() {
            self.say(
                None,
                &field(".document_id"),
                "",
                "both `document_id` and `document`, or neither when the answer to `poll` has the address",
            );
        }
        for path in [&report.id, &report.status, &report.url]
            .into_iter()
            .chain(&report.document_id)
            .chain(&report.compression)
            .chain(&report.count)
            .chain(&report.reason)
        {
            self.path(&field(""), path);
        }
        let words = [&report.pending, &report.done, &report.cancelled, &report.failed];
        for (index, list) in words.iter().enumerate() {
            for word in *list {
                if words.iter().skip(index + 1).any(|other| other.contains(word)) {
                    self.say(None, &field(""), word, "one outcome per word");
                }
            }
        }
    }

    fn cursor(&mut self, name: &str, stream: &Stream) {
        let Some(cursor) = &stream.cursor else { return };
        let field = |part: &str| format!("stream.{name}.cursor{part}");
        for text in [
            Some(&cursor.format),
            Some(&cursor.zone),
            cursor.start_days.as_ref(),
            Some(&cursor.start),
        ]
        .into_iter()
        .flatten()
        {
            self.template(text, &field(""));
        }
        let (format, zone) = (cursor.format.get_ref(), cursor.zone.get_ref());
        if !format.contains("${")
            && !zone.contains("${")
            && let Err(why) = TimeFormat::parse(format, zone)
        {
            self.say(Some(&cursor.format), &field(".format"), format, why);
        }
        if let Some(split) = &cursor.split {
            self.condition(&field(".split"), split);
        }
        match cursor.kind {
            CursorKind::Window => {
                if cursor.start_days.is_none() {
                    self.say(
                        None,
                        &field(".start_days"),
                        "",
                        "how many days back the first pull goes",
                    );
                }
                let given = [cursor.window_days, cursor.window_hours];
                if given.iter().flatten().count() != 1 || given.contains(&Some(0)) {
                    self.say(
                        None,
                        &field(".window_days"),
                        "",
                        "the longest window as `window_days` or `window_hours`, at least 1",
                    );
                }
                if cursor.id.is_some() {
                    self.say(None, &field(".id"), "", "`kind = \"id\"` beside it");
                }
            }
            CursorKind::Id => {
                if cursor.id.is_none() {
                    self.say(None, &field(".id"), "", "the path of the id inside a row");
                }
                if stream.report.is_some() || stream.record == RecordKind::Stock {
                    self.say(
                        None,
                        &field(".kind"),
                        "id",
                        "`window`: only requests for events ascend",
                    );
                }
            }
        }
    }

    fn page(&mut self, name: &str, page: &Page) {
        let field = |part: &str| format!("stream.{name}.page{part}");
        let next = |check: &mut Self, wanted: &str| {
            if page.next.is_none() {
                check.say(None, &field(".next"), "", wanted);
            }
        };
        match page.kind {
            PageKind::None | PageKind::Link => {}
            PageKind::Token => next(self, "the path of the next page's token, or `header:NAME`"),
            PageKind::Url => next(self, "the path of the next page's address, or `header:NAME`"),
            PageKind::Query => next(self, "the path of the next page's query, or `header:NAME`"),
            PageKind::Row => next(self, "the path of what the next page goes on from, inside a row"),
            PageKind::Number | PageKind::Offset => {
                let ends = page.total.is_some() || page.pages.is_some() || page.more.is_some();
                if !ends && !page.short_is_last {
                    self.say(
                        None,
                        &field(".total"),
                        "",
                        "what says that there are no more: `total`, `pages`, `more`, or `short_is_last`",
                    );
                }
                let needs_size = page.total.is_some() || page.short_is_last;
                if needs_size && page.size.is_none_or(|size| size == 0) {
                    self.say(None, &field(".size"), "", "the number of rows per page");
                }
            }
        }
        for (part, text) in [
            (".next", &page.next),
            (".total", &page.total),
            (".pages", &page.pages),
        ] {
            if let Some(text) = text
                && !text.get_ref().starts_with("header:")
            {
                self.path(&field(part), text);
            }
        }
        if let Some(count) = &page.count {
            self.path(&field(".count"), count);
        }
        for text in page.then.values() {
            self.template(text, &field(".then"));
        }
        if page.alone && !page.then.is_empty() {
            self.say(None, &field(".alone"), "true", "either `alone` or `then`");
        }
        if let Some(more) = &page.more {
            self.condition(&field(".more"), more);
        }
        if page.max_pages == 0 {
            self.say(None, &field(".max_pages"), "0", "at least 1");
        }
    }

    fn decode(&mut self, name: &str, stream: &Stream) {
        let field = |part: &str| format!("stream.{name}.decode{part}");
        let decode = &stream.decode;
        for encoding in &decode.encoding {
            if encoding_rs::Encoding::for_label(encoding.get_ref().as_bytes()).is_none() {
                self.say(
                    Some(encoding),
                    &field(".encoding"),
                    encoding.get_ref(),
                    "the name of an encoding such as utf-8, iso-8859-1, gbk",
                );
            }
        }
        let mut opened = false;
        for (index, text) in decode.layers.iter().enumerate() {
            let last = index + 1 == decode.layers.len();
            match Layer::parse(text.get_ref()) {
                Err(why) => self.say(Some(text), &field(""), text.get_ref(), why),
                Ok(layer) if last && layer.is_packing() => self.say(
                    Some(text),
                    &field(""),
                    text.get_ref(),
                    "a layer after it that reads what was packed, such as `jsonl`",
                ),
                Ok(Layer::Json | Layer::Xml) if !last => opened = true,
                Ok(layer) if !last && !layer.is_packing() => self.say(
                    Some(text),
                    &field(""),
                    text.get_ref(),
                    "`gzip`, `zip`, or `xml` or `json` with `inside`, before another layer",
                ),
                Ok(_) => {}
            }
        }
        if opened != decode.inside.is_some() {
            self.say(
                decode.inside.as_ref(),
                &field(".inside"),
                "",
                "the path of the text that the layer after `xml` or `json` reads, and only then",
            );
        }
        if let Some(inside) = &decode.inside {
            self.path(&field(".inside"), inside);
        }
        if let Some(delimiter) = &decode.delimiter
            && delimiter.len() != 1
        {
            self.say(None, &field(".delimiter"), delimiter, "one sign such as `;`");
        }
        if decode.last().is_table() && stream.rows.is_some() {
            self.say(
                stream.rows.as_ref(),
                &format!("stream.{name}.rows"),
                "",
                "none: a table's rows are its lines",
            );
        }
    }

    pub(super) fn path(&mut self, field: &str, text: &Text) -> Option<Path> {
        Path::parse(text.get_ref())
            .map_err(|why| self.say(Some(text), field, text.get_ref(), why))
            .ok()
    }
}

/// The lines of an inbound are replaced together: a stream that tells them must tell them all.
fn above_is_no_inbound(above: &[&Stream]) -> bool {
    above
        .first()
        .is_some_and(|parent| parent.record != RecordKind::Inbound)
}
