//! What a map may say: fields of the record, sources that exist, pipes that compile.

use crate::connector::definition::{RecordKind, Stream, Text};
use crate::connector::load::{FieldMap, Reading, plain_name};
use crate::connector::path::Path;
use crate::connector::pipe::{self, Pipe, Source};
use crate::connector::tree::Want;
use crate::problem::nearest;

use super::{Check, declared_name};

impl Check<'_> {
    pub(super) fn map(&mut self, name: &str, stream: &Stream, rows: Option<Path>) -> Reading {
        let known = stream.record.fields();
        for field in stream.map.keys() {
            if !known.iter().any(|known| known.name == field) {
                let names = known.iter().map(|field| field.name);
                let wanted = match nearest(field, names.clone()) {
                    Some(near) => format!("a field of the record, did you mean `{near}`?"),
                    None => format!("one of {}", names.collect::<Vec<_>>().join(", ")),
                };
                self.say(None, &format!("stream.{name}.map"), field, wanted);
            }
        }
        let fields = known
            .iter()
            .map(|field| {
                let place = format!("stream.{name}.map.{}", field.name);
                let Some(text) = stream.map.get(field.name) else {
                    let needed = stream.record == RecordKind::Receipt && field.name == "at";
                    if field.required || needed && !stream.running_total {
                        self.say(None, &place, "", "a path: the record cannot be without it");
                    }
                    return None;
                };
                self.entry(stream, &place, text)
            })
            .collect();
        if stream
            .map
            .get("kind")
            .is_some_and(|kind| kind.get_ref().contains('+'))
            && !stream.key.is_empty()
        {
            let wanted = "none where one row is two receipts";
            self.say(stream.key.first(), &format!("stream.{name}.key"), "", wanted);
        }
        let pass = stream
            .pass
            .iter()
            .filter_map(|(passed, text)| {
                let map = self.entry(stream, &format!("stream.{name}.pass.{passed}"), text)?;
                Some((passed.clone(), map))
            })
            .collect();
        let key = stream
            .key
            .iter()
            .filter_map(|field| self.mapped(name, stream, "key", field))
            .collect();
        let newest = stream
            .newest
            .as_ref()
            .and_then(|field| self.mapped(name, stream, "newest", field));
        let mut aliases = std::collections::BTreeMap::new();
        for (declared, others) in &stream.alias {
            for other in others {
                if let Some(before) = aliases.insert(plain_name(other), declared.clone())
                    && before != *declared
                {
                    let field = format!("stream.{name}.alias.{declared}");
                    self.say(
                        None,
                        &field,
                        other,
                        format!("a name that is not `{before}` as well"),
                    );
                }
            }
        }
        let mut reading = Reading {
            rows,
            fields,
            pass,
            aliases,
            key,
            newest,
            last: None,
            id: None,
            want: Want::default(),
        };
        self.inside_rows(name, stream, &mut reading);
        self.no_personal_data(name, stream, &reading);
        reading.want = want(stream, &reading);
        reading
    }

    fn entry(&mut self, stream: &Stream, place: &str, text: &Text) -> Option<FieldMap> {
        let mut parts = pipe::split_outside_quotes(text.get_ref(), '|').into_iter();
        let source = Source::parse(&parts.next().unwrap_or_default());
        let pipes: Result<Vec<Pipe>, (String, String)> = parts
            .map(|part| pipe::parse(&part).map_err(|why| (part.trim().to_owned(), why)))
            .collect();
        match (source, pipes) {
            (Ok(source), Ok(pipes)) => {
                for source in std::iter::once(&source).chain(pipes.iter().flat_map(Pipe::sources)) {
                    self.source(stream, text, place, source);
                }
                Some(FieldMap { source, pipes })
            }
            (Err(why), _) => {
                self.say(Some(text), place, text.get_ref(), why);
                None
            }
            (_, Err((pipe, why))) => {
                self.say(Some(text), place, &pipe, why);
                None
            }
        }
    }

    /// The index of a mapped field that another key of the stream names.
    fn mapped(&mut self, name: &str, stream: &Stream, key: &str, field: &Text) -> Option<usize> {
        let place = format!("stream.{name}.{key}");
        self.name_in(field, &place, stream.map.keys().map(String::as_str));
        stream
            .record
            .fields()
            .iter()
            .position(|known| known.name == field.get_ref())
    }

    fn inside_rows(&mut self, name: &str, stream: &Stream, reading: &mut Reading) {
        use crate::connector::definition::{CursorKind, PageKind};
        if stream.page.kind == PageKind::Row
            && let Some(next) = &stream.page.next
        {
            reading.last = self.path(&format!("stream.{name}.page.next"), next);
        }
        if let Some(cursor) = &stream.cursor
            && cursor.kind == CursorKind::Id
            && let Some(id) = &cursor.id
        {
            reading.id = self.path(&format!("stream.{name}.cursor.id"), id);
        }
    }

    /// What is named as personal data may not go into a fact.
    fn no_personal_data(&mut self, name: &str, stream: &Stream, reading: &Reading) {
        for pii in &stream.pii {
            let named: Vec<&str> = pii.get_ref().split('.').collect();
            let taken = reading.sources().find_map(|source| match source {
                Source::Path(path) | Source::Page(path) => {
                    let keys: Vec<&str> = path.keys().collect();
                    keys.windows(named.len())
                        .any(|some| some == named)
                        .then(|| path.text().to_owned())
                }
                _ => None,
            });
            if let Some(path) = taken {
                let wanted = format!("no personal data in a map, but `{path}` is mapped");
                self.say(Some(pii), &format!("stream.{name}.pii"), pii.get_ref(), wanted);
            }
        }
    }

    /// A parameter must be declared, a parent's field must be one of its record or passed on by it.
    fn source(&mut self, stream: &Stream, text: &Text, place: &str, source: &Source) {
        let file = self.file;
        let (name, known): (&str, Vec<&str>) = match source {
            Source::File(_) if file.http.is_some() && file.files.is_none() => {
                let wanted = "a source that answers have: only those of `[files]` are files";
                self.say(Some(text), place, "file:", wanted);
                return;
            }
            Source::Path(_) | Source::Page(_) | Source::Literal(_) | Source::File(_) => return,
            Source::Param(name) => (name, file.params.keys().map(String::as_str).collect()),
            Source::Parent(name) => (name, self.parent_fields(stream)),
        };
        if !known.contains(&name) {
            let wanted = declared_name(name, &known);
            self.say(Some(text), place, name, wanted);
        }
    }

    /// What the requests of a stream may name besides the places of paging and windows.
    pub(super) fn asked_with(&self, stream: &Stream) -> Vec<String> {
        let above = if self.has_lost_parent(stream) {
            self.file.stream.values().collect()
        } else {
            self.above(stream)
        };
        let above = above.into_iter().flat_map(|above| {
            let mapped = above.map.keys().chain(above.pass.keys());
            mapped.map(|field| format!("parent.{field}")).collect::<Vec<_>>()
        });
        let each = stream.each.keys().map(|name| format!("each.{name}"));
        let batch = stream.references.iter().map(|_| "each.references".to_owned());
        above.chain(each).chain(batch).collect()
    }

    /// What a stream knows of the row it stands below.
    pub(super) fn parent_fields(&self, stream: &Stream) -> Vec<&str> {
        let above = if self.has_lost_parent(stream) {
            self.file.stream.values().collect()
        } else {
            self.above(stream)
        };
        above
            .into_iter()
            .flat_map(|above| {
                let fields = above.record.fields().iter().map(|field| field.name);
                fields.chain(above.pass.keys().map(String::as_str))
            })
            .collect()
    }

    /// Whether a parent is named that there is not: that is the fault, not what is taken from it.
    fn has_lost_parent(&self, stream: &Stream) -> bool {
        stream
            .parent
            .as_ref()
            .is_some_and(|parent| !self.file.stream.contains_key(parent.get_ref()))
    }

    /// The streams above this one, the nearest first.
    pub(super) fn above(&self, stream: &Stream) -> Vec<&Stream> {
        let file = self.file;
        let mut above: Vec<&Stream> = Vec::new();
        // Who reads another stream's answers stands where that one stands.
        let mut at = stream
            .answer_of
            .as_ref()
            .and_then(|asked| file.stream.get(asked.get_ref()))
            .unwrap_or(stream);
        while let Some(parent) = at
            .parent
            .as_ref()
            .and_then(|name| file.stream.get(name.get_ref()))
        {
            if above.len() > file.stream.len() {
                break;
            }
            above.push(parent);
            at = parent;
        }
        above
    }
}

/// The parts of an answer that the definition reads.
fn want(stream: &Stream, reading: &Reading) -> Want {
    let mut want = Want::default();
    let mut inside_row = |path: &Path| {
        let above = reading
            .rows
            .as_ref()
            .map_or_else(Vec::new, |rows| rows.above(path.up()));
        want.add(above.into_iter(), path);
    };
    for source in reading.sources() {
        if let Source::Path(path) = source {
            inside_row(path);
        }
    }
    reading.last.iter().chain(&reading.id).for_each(&mut inside_row);
    for condition in [&stream.only, &stream.must].into_iter().flatten() {
        // Parameters are not filled in yet; what they stand for is no path.
        match crate::connector::expr::Expr::parse(condition.get_ref()) {
            Ok(condition) => condition.paths().for_each(&mut inside_row),
            Err(_) => return Want::all(),
        }
    }
    if let Some(rows) = &reading.rows {
        want.reach(rows);
    }
    for source in reading.sources() {
        if let Source::Page(path) = source {
            want.add(std::iter::empty(), path);
        }
    }
    let page = &stream.page;
    for text in [&page.next, &page.total, &page.pages, &page.count]
        .into_iter()
        .flatten()
    {
        if let Ok(path) = Path::parse(text.get_ref()) {
            want.add(std::iter::empty(), &path);
        }
    }
    if let Some(more) = &page.more
        && let Ok(more) = crate::connector::expr::Expr::parse(more.get_ref())
    {
        more.paths().for_each(|path| want.add(std::iter::empty(), path));
    }
    want
}
