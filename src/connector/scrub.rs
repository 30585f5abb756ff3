//! Takes persons and secrets out of an answer that leaves the house: a recorded page, an example for a bug report.
//!
//! Fields are known by name, by the connector file's own list and by the names the trade uses for people; what they held
//! becomes `x` or 0, so that the shape stays. Rows are not made of such fields: the reader refuses to map them.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};

use serde_json::Value as Json;

/// Names of fields about people, without case and punctuation, as a whole or as their end.
const PEOPLE: [&str; 37] = [
    "buyername",
    "buyeremail",
    "buyerphone",
    "buyerphonenumber",
    "buyerinfo",
    "customername",
    "customeremail",
    "recipient",
    "recipientname",
    "receiver",
    "receivername",
    "consignee",
    "consigneename",
    "contact",
    "contactname",
    "firstname",
    "lastname",
    "fullname",
    "username",
    "email",
    "phone",
    "phonenumber",
    "mobile",
    "telephone",
    "tel",
    "address",
    "address1",
    "address2",
    "address3",
    "addressline1",
    "addressline2",
    "addressline3",
    "street",
    "postalcode",
    "postcode",
    "idcard",
    "taxid",
];
const PLACES: [&str; 4] = ["shipcity", "shipstate", "shippostalcode", "shipaddress"];
const MAX_INFLATED: u64 = 512 << 20;

/// What to take out.
#[derive(Debug, Clone, Default)]
pub struct Scrub {
    names: BTreeSet<String>,
    spared: BTreeSet<String>,
    /// Secret texts and what stands in their place.
    secrets: Vec<(String, String)>,
}

fn bare(name: &str) -> String {
    name.chars()
        .filter(|sign| sign.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

impl Scrub {
    /// `names` are the connector file's own; what the file reads is `spared`, because without it there are no rows.
    #[must_use]
    pub fn new<'a>(
        names: impl IntoIterator<Item = &'a str>,
        spared: impl IntoIterator<Item = &'a str>,
        secrets: Vec<(String, String)>,
    ) -> Self {
        let last = |name: &str| bare(name.rsplit('.').next().unwrap_or_default());
        Self {
            names: names.into_iter().map(last).collect(),
            spared: spared.into_iter().map(last).collect(),
            secrets: secrets
                .into_iter()
                .filter(|(secret, _)| secret.len() >= 4)
                .collect(),
        }
    }

    fn personal(&self, name: &str) -> bool {
        let name = bare(name);
        if self.names.contains(&name) {
            return true;
        }
        !self.spared.contains(&name) && (PEOPLE.contains(&name.as_str()) || PLACES.contains(&name.as_str()))
    }

    /// Secrets only.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self.secrets
            .iter()
            .fold(text.to_owned(), |text, (secret, name)| text.replace(secret, name))
    }

    /// The body without persons and secrets. Always the same bytes for the same body.
    ///
    /// # Errors
    /// When the body cannot be looked into: then nothing of it may leave.
    pub fn body(&self, body: &[u8]) -> Result<Vec<u8>, String> {
        if body.starts_with(&[0x1f, 0x8b]) {
            let mut text = Vec::new();
            flate2::read::GzDecoder::new(body)
                .take(MAX_INFLATED)
                .read_to_end(&mut text)
                .map_err(|why| format!("the gzip cannot be read: {why}"))?;
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            out.write_all(&self.body(&text)?).map_err(|why| why.to_string())?;
            return out.finish().map_err(|why| why.to_string());
        }
        if body.starts_with(b"PK\x03\x04") {
            return Err("a zip archive is not looked into".to_owned());
        }
        let Ok(text) = std::str::from_utf8(body) else {
            // Every byte is a sign of ISO-8859-1, there and back.
            let text: String = body.iter().copied().map(char::from).collect();
            let text = self.table(&self.text(&text))?;
            return Ok(text
                .chars()
                .map(|sign| u8::try_from(u32::from(sign)).unwrap_or(b'?'))
                .collect());
        };
        self.plain(&self.text(text)).map(String::into_bytes)
    }

    /// A table that people exported, as a text of commas: every row where it stood, without persons and secrets.
    ///
    /// # Errors
    /// When it cannot be read: then nothing of it may leave.
    pub fn exported(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let limits = crate::mapping::table::Limits::default();
        let table =
            crate::mapping::table::read("the file", bytes, &limits).map_err(|problem| problem.to_string())?;
        let rows: Vec<(usize, &[String])> = table.raw_rows().collect();
        // Above the header nothing is known to be of nobody; of all rows with such a head the first one is it.
        let header = rows
            .iter()
            .find(|(_, cells)| cells.iter().any(|cell| self.personal(cell)));
        let gone: Vec<bool> = header.map_or_else(Vec::new, |(_, cells)| {
            cells.iter().map(|cell| self.personal(cell)).collect()
        });
        let header = header.map_or(usize::MAX, |(number, _)| *number);
        let mut out = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        let mut line = 1;
        for (number, cells) in rows {
            while line < number {
                out.write_record([""]).map_err(|why| why.to_string())?;
                line += 1;
            }
            line = number + 1;
            let cells = cells.iter().enumerate().map(|(index, cell)| {
                if number > header && gone.get(index).copied().unwrap_or(true) && !cell.is_empty() {
                    "x".to_owned()
                } else {
                    self.text(cell)
                }
            });
            out.write_record(cells).map_err(|why| why.to_string())?;
        }
        out.into_inner().map_err(|why| why.to_string())
    }

    fn plain(&self, text: &str) -> Result<String, String> {
        let start = text.trim_start();
        if start.starts_with(['{', '[']) {
            if let Some(json) = self.json_text(text) {
                return Ok(json);
            }
            let lines: Option<Vec<String>> = text
                .lines()
                .filter(|line| !line.trim().is_empty())
                .map(|line| self.json_text(line))
                .collect();
            if let Some(lines) = lines {
                return Ok(lines.join("\n") + "\n");
            }
        }
        if start.starts_with('<') {
            return Ok(self.xml(text));
        }
        self.table(text)
    }

    /// None when it is no JSON; the text as it stands when there is nothing to take out.
    fn json_text(&self, text: &str) -> Option<String> {
        let mut json: Json = serde_json::from_str(text).ok()?;
        Some(if self.json(&mut json) {
            json.to_string()
        } else {
            text.to_owned()
        })
    }

    fn json(&self, json: &mut Json) -> bool {
        match json {
            Json::Array(items) => items
                .iter_mut()
                .fold(false, |taken, item| self.json(item) | taken),
            Json::Object(fields) => fields.iter_mut().fold(false, |taken, (name, value)| {
                let here = if self.personal(name) {
                    hollow(value)
                } else {
                    self.json(value)
                };
                here | taken
            }),
            // An envelope may hold a text that is JSON again.
            Json::String(text) if text.trim_start().starts_with(['{', '[']) => match self.json_text(text) {
                Some(inner) if inner != *text => {
                    *text = inner;
                    true
                }
                _ => false,
            },
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
        }
    }

    /// Texts of elements about people, and JSON inside texts.
    fn xml(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let mut personal: Option<String> = None;
        while let Some(open) = rest.find('<') {
            let (inside, tail) = rest.split_at(open);
            match &personal {
                Some(_) if !inside.trim().is_empty() => out.push('x'),
                _ => out.push_str(&self.escaped_json(inside)),
            }
            let end = tail.find('>').map_or(tail.len(), |end| end + 1);
            let (tag, after) = tail.split_at(end);
            out.push_str(tag);
            let name = tag
                .trim_start_matches(['<', '/'])
                .split([' ', '>', '/', '\n', '\t'])
                .next()
                .unwrap_or_default();
            let local = name.rsplit(':').next().unwrap_or_default();
            if tag.starts_with("</") {
                if personal.as_deref() == Some(name) {
                    personal = None;
                }
            } else if personal.is_none() && !tag.ends_with("/>") && self.personal(local) {
                personal = Some(name.to_owned());
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }

    fn escaped_json(&self, text: &str) -> String {
        let Ok(plain) = quick_xml::escape::unescape(text) else {
            return text.to_owned();
        };
        if !plain.trim_start().starts_with(['{', '[']) {
            return text.to_owned();
        }
        match self.json_text(&plain) {
            Some(json) if json != plain => quick_xml::escape::escape(json.as_str()).into_owned(),
            _ => text.to_owned(),
        }
    }

    /// Columns about people of a table with tabs or commas.
    fn table(&self, text: &str) -> Result<String, String> {
        let header = text.lines().next().unwrap_or_default();
        let delimiter = if header.contains('\t') { b'\t' } else { b',' };
        let gone: Vec<bool> = header
            .split(char::from(delimiter))
            .map(|name| self.personal(name))
            .collect();
        if !gone.contains(&true) {
            return Ok(text.to_owned());
        }
        let quoting = delimiter == b',';
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .quoting(quoting)
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .quote_style(if quoting {
                csv::QuoteStyle::Necessary
            } else {
                csv::QuoteStyle::Never
            })
            .flexible(true)
            .from_writer(Vec::new());
        let unreadable = |why: csv::Error| format!("the table cannot be read: {why}");
        for (line, record) in reader.records().enumerate() {
            let record = record.map_err(unreadable)?;
            let cells = record.iter().enumerate().map(|(index, cell)| {
                // What stands behind the header's last column may be anything.
                let take = line > 0 && gone.get(index).copied().unwrap_or(true);
                if take && !cell.is_empty() { "x" } else { cell }
            });
            writer.write_record(cells).map_err(unreadable)?;
        }
        let bytes = writer.into_inner().map_err(|why| why.to_string())?;
        String::from_utf8(bytes).map_err(|why| why.to_string())
    }
}

/// Keeps the shape, takes what it held; whether there was anything.
fn hollow(value: &mut Json) -> bool {
    match value {
        Json::Null | Json::Bool(_) => false,
        Json::Number(_) => {
            *value = Json::from(0);
            true
        }
        Json::String(text) if text.is_empty() => false,
        Json::String(text) => {
            "x".clone_into(text);
            true
        }
        Json::Array(items) => items.iter_mut().fold(false, |taken, item| hollow(item) | taken),
        Json::Object(fields) => fields
            .values_mut()
            .fold(false, |taken, value| hollow(value) | taken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrub() -> Scrub {
        Scrub::new(
            ["shipTo.city"],
            ["lines[].sku", "contact"],
            vec![("s3cret-key".to_owned(), "[api_key]".to_owned())],
        )
    }

    fn of(text: &str) -> String {
        String::from_utf8(scrub().body(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn people_are_hollow_and_the_shape_stays() {
        let page = r#"{"key":"s3cret-key","orders":[{"id":1,"Buyer_Name":"Ann","shipTo":{"city":"Leeds","postal-code":"LS1","lines":["a"]},"phone":123,"contact":"C-7","lines":[{"sku":"A"}]}]}"#;
        insta::assert_snapshot!(of(page), @r#"{"key":"[api_key]","orders":[{"id":1,"Buyer_Name":"x","shipTo":{"city":"x","postal-code":"x","lines":["a"]},"phone":0,"contact":"C-7","lines":[{"sku":"A"}]}]}"#);
        assert_eq!(
            of("{ \"a\":  1 }"),
            "{ \"a\":  1 }",
            "nothing to take, nothing touched"
        );
    }

    #[test]
    fn tables_lines_and_envelopes_too() {
        assert_eq!(
            of("sku\tbuyer-name\nA\tAnn\tmore\nB\t\n"),
            "sku\tbuyer-name\nA\tx\tx\nB\t\n"
        );
        assert_eq!(
            of("{\"email\":\"a@b\"}\n{\"sku\":\"A\"}\n"),
            "{\"email\":\"x\"}\n{\"sku\":\"A\"}\n"
        );
        let soap = "<a:b><response>{&quot;phone&quot;:&quot;1&quot;,&quot;sku&quot;:&quot;A&quot;}</response><Email>a@b</Email></a:b>";
        assert_eq!(
            of(soap),
            "<a:b><response>{&quot;phone&quot;:&quot;x&quot;,&quot;sku&quot;:&quot;A&quot;}</response><Email>x</Email></a:b>"
        );
        let zip = scrub().body(b"PK\x03\x04rest").unwrap_err();
        assert_eq!(zip, "a zip archive is not looked into");
    }

    #[test]
    fn a_packed_page_is_packed_again_to_the_same_bytes() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"sku,email\nA,a@b\n").unwrap();
        let packed = packed.finish().unwrap();
        let once = scrub().body(&packed).unwrap();
        assert_eq!(once, scrub().body(&packed).unwrap());
        let mut text = String::new();
        flate2::read::GzDecoder::new(once.as_slice())
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "sku,email\nA,x\n");
    }
}
