//! Parts that other programs write in another manner than Excel does, read as if Excel had written them.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Namespaces whose elements we read and write without a prefix: those of cells (usual and strict), of content types
/// and of relations.
const PLAIN: [&str; 4] = [
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
    "http://schemas.openxmlformats.org/package/2006/content-types",
    "http://schemas.openxmlformats.org/package/2006/relationships",
];

/// `<x:row>` says the same as `<row>` where `x` is the namespace of cells. What cannot be written without the prefix
/// stays as it is.
pub(super) fn unprefixed(text: String) -> String {
    plain(&text).unwrap_or(text)
}

fn plain(text: &str) -> Option<String> {
    let mut reader = Reader::from_str(text);
    let position = |reader: &Reader<&[u8]>| usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
    let mut prefix: Option<String> = None;
    let mut out = String::new();
    loop {
        let start = position(&reader);
        let event = reader.read_event().ok()?;
        let raw = text.get(start..position(&reader))?;
        match event {
            Event::Start(tag) | Event::Empty(tag) => {
                // An element without a prefix is in no namespace, or in one that would take ours in.
                let (own, _) = tag.name().into_inner().split_once(':')?;
                if tag.attributes().flatten().any(|one| one.key.as_ref() == "xmlns") {
                    return None;
                }
                let Some(known) = &prefix else {
                    let declared = format!("xmlns:{own}");
                    let mut found = tag.attributes().flatten();
                    let space = found.find(|one| one.key.as_ref() == declared)?.value.into_owned();
                    if !PLAIN.contains(&space.as_str()) {
                        return None;
                    }
                    let declared = format!(" {declared}=");
                    let plain = format!(" xmlns=\"{space}\"{declared}");
                    let rest = raw.get(1 + own.len() + 1..)?;
                    out.push('<');
                    out.push_str(&rest.replacen(&declared, &plain, 1));
                    prefix = Some(own.to_owned());
                    continue;
                };
                out.push('<');
                out.push_str(match own == known {
                    true => raw.get(1 + own.len() + 1..)?,
                    false => raw.get(1..)?,
                });
            }
            Event::End(tag) => {
                let (own, local) = tag.name().into_inner().split_once(':')?;
                match prefix.as_deref() == Some(own) {
                    true => out.push_str(&format!("</{local}>")),
                    false => out.push_str(raw),
                }
            }
            Event::Eof => {
                out.push_str(raw);
                return prefix.map(|_| out);
            }
            _ => out.push_str(raw),
        }
    }
}

/// Local name of the outermost element: a tab may hold a chart, or macros of old, instead of cells.
pub(super) fn root_name(text: &str) -> Option<String> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) | Event::Empty(tag) => return Some(tag.local_name().as_ref().to_owned()),
            Event::Eof => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

    #[test]
    fn a_prefix_of_cells_is_left_out_and_any_other_stays() {
        let with = format!(
            "<?xml version=\"1.0\"?><x:worksheet xmlns:x=\"{MAIN}\" xmlns:r=\"urn:r\"><x:sheetData><x:row r=\"1\"/></x:sheetData><r:id/></x:worksheet>"
        );
        let without = format!(
            "<?xml version=\"1.0\"?><worksheet xmlns=\"{MAIN}\" xmlns:x=\"{MAIN}\" xmlns:r=\"urn:r\"><sheetData><row r=\"1\"/></sheetData><r:id/></worksheet>"
        );
        assert_eq!(unprefixed(with), without);
        for same in [
            without.as_str(),
            "<xdr:wsDr xmlns:xdr=\"urn:drawing\"><xdr:from/></xdr:wsDr>",
            "no XML <",
        ] {
            assert_eq!(unprefixed(same.to_owned()), same);
        }
        let mixed = format!("<x:worksheet xmlns:x=\"{MAIN}\"><y xmlns=\"urn:y\"/></x:worksheet>");
        assert_eq!(
            unprefixed(mixed.clone()),
            mixed,
            "our rows would be in another namespace"
        );
        assert_eq!(root_name(&mixed).as_deref(), Some("worksheet"));
    }
}
