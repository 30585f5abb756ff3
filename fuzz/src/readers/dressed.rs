//! A workbook as other programs would have written it: with prefixed names, and with a pivot table and a formula that spills.

use super::wrapped::{packed, unpacked};

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

fn changed(bytes: &[u8], change: impl Fn(&str, String) -> String) -> Vec<(String, Vec<u8>)> {
    let parts = unpacked(bytes).into_iter().map(|(name, content)| {
        let content = match String::from_utf8(content) {
            Ok(text) => change(&name, text).into_bytes(),
            Err(error) => error.into_bytes(),
        };
        (name, content)
    });
    parts.collect()
}

/// Every name of the workbook's own has a prefix: `x:row`, `x:c`.
pub fn prefixed(bytes: &[u8]) -> Vec<u8> {
    packed(&changed(bytes, |name, text| {
        let own = name == "xl/workbook.xml" || name.starts_with("xl/worksheets/sheet");
        match own && name.ends_with(".xml") {
            true => with_prefix(&text),
            false => text,
        }
    }))
}

fn with_prefix(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for (number, piece) in text.split('<').enumerate() {
        if number == 0 {
            out.push_str(piece);
            continue;
        }
        let (slash, rest) = piece.strip_prefix('/').map_or(("", piece), |rest| ("/", rest));
        let name = rest.split([' ', '>', '/', '\n']).next().unwrap_or_default();
        let plain = name.starts_with(|c: char| c.is_ascii_alphabetic()) && !name.contains(':');
        out.push('<');
        out.push_str(slash);
        out.push_str(if plain { "x:" } else { "" });
        out.push_str(rest);
    }
    out.replace(&format!("xmlns=\"{MAIN}\""), &format!("xmlns:x=\"{MAIN}\""))
}

/// A pivot table beside the table of the first sheet, and a formula that spills below it.
pub fn with_pivot(bytes: &[u8]) -> Vec<u8> {
    let relation = |id: &str, kind: &str, target: &str| {
        format!(r#"<Relationship Id="{id}" Type="{RELATIONS}/{kind}" Target="{target}"/>"#)
    };
    let related = |relations: String| {
        format!(
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relations}</Relationships>"#
        )
    };
    let mut parts = changed(bytes, |name, text| {
        match name {
        "xl/workbook.xml" => text.replace(
            "</workbook>",
            r#"<pivotCaches><pivotCache cacheId="7" r:id="rIdPivot"/></pivotCaches></workbook>"#,
        ),
        "xl/_rels/workbook.xml.rels" => text.replace(
            "</Relationships>",
            &format!(
                "{}{}</Relationships>",
                relation("rIdPivot", "pivotCacheDefinition", "/xl/pivotCache/pivotCacheDefinition1.xml"),
                relation("rIdMetadata", "sheetMetadata", "/xl/metadata.xml"),
            ),
        ),
        "xl/worksheets/_rels/sheet1.xml.rels" => text.replace(
            "</Relationships>",
            &format!(
                "{}</Relationships>",
                relation("rIdPivot", "pivotTable", "/xl/pivotTables/pivotTable1.xml")
            ),
        ),
        "xl/worksheets/sheet1.xml" => text.replace(
            "</sheetData>",
            r#"<row r="40"><c r="P40" cm="1"><f t="array" ref="P40:P42">_xlfn.UNIQUE($A$6:$A$15)</f><v>0</v></c><c r="Q40"><f>SUM(_xlfn.ANCHORARRAY(P40))</f><v>0</v></c></row><row r="41"><c r="P41"><v>0</v></c></row></sheetData>"#,
        ),
        "[Content_Types].xml" => text.replace(
            "</Types>",
            r#"<Override PartName="/xl/pivotTables/pivotTable1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.pivotTable+xml"/><Override PartName="/xl/pivotCache/pivotCacheDefinition1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.pivotCacheDefinition+xml"/><Override PartName="/xl/metadata.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheetMetadata+xml"/></Types>"#,
        ),
        _ => text,
    }
    });
    let mut add = |name: &str, text: String| parts.push((name.to_owned(), text.into_bytes()));
    add(
        "xl/pivotTables/pivotTable1.xml",
        format!(
            r#"<pivotTableDefinition xmlns="{MAIN}" name="Pivot" cacheId="7" dataCaption="Values"><location ref="R3:S8" firstHeaderRow="1" firstDataRow="1" firstDataCol="1"/><pivotFields count="2"><pivotField axis="axisRow" showAll="0"><items count="1"><item t="default"/></items></pivotField><pivotField dataField="1" showAll="0"/></pivotFields><rowFields count="1"><field x="0"/></rowFields><dataFields count="1"><dataField name="Sum" fld="1"/></dataFields></pivotTableDefinition>"#
        ),
    );
    add(
        "xl/pivotTables/_rels/pivotTable1.xml.rels",
        related(relation(
            "rId1",
            "pivotCacheDefinition",
            "../pivotCache/pivotCacheDefinition1.xml",
        )),
    );
    add(
        "xl/pivotCache/pivotCacheDefinition1.xml",
        format!(
            r#"<pivotCacheDefinition xmlns="{MAIN}" refreshOnLoad="1"><cacheSource type="worksheet"><worksheetSource ref="A5:B15" sheet="货物 明细"/></cacheSource><cacheFields count="2"><cacheField name="a" numFmtId="0"><sharedItems/></cacheField><cacheField name="b" numFmtId="0"><sharedItems/></cacheField></cacheFields></pivotCacheDefinition>"#
        ),
    );
    add(
        "xl/metadata.xml",
        format!(
            r#"<metadata xmlns="{MAIN}" xmlns:xda="http://schemas.microsoft.com/office/spreadsheetml/2017/dynamicarray"><metadataTypes count="1"><metadataType name="XLDAPR" minSupportedVersion="120000" cellMeta="1"/></metadataTypes><futureMetadata name="XLDAPR" count="1"><bk><extLst><ext uri="{{bdbb8cdc-fa1e-496e-a857-3c3f30c029c3}}"><xda:dynamicArrayProperties fDynamic="1" fCollapsed="0"/></ext></extLst></bk></futureMetadata><cellMetadata count="1"><bk><rc t="1" v="0"/></bk></cellMetadata></metadata>"#
        ),
    );
    packed(&parts)
}
