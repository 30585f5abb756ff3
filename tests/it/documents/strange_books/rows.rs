//! Rows pushed into strange workbooks: what points below them follows, and what would be split is refused.

use std::collections::BTreeMap;

use linkstar::mapping::xlsx::insert_rows;

use super::{RELATIONS, SHEET, changed, filled, form, form_with, packed, refused, text};

/// Inserts two rows above the sum and gives a part.
fn with_a_row(parts: &BTreeMap<String, String>, part: &str) -> String {
    text(
        &insert_rows(&packed(parts), "Data", 9, 2).expect("inserted"),
        part,
    )
}

#[test]
fn r36_what_points_at_moved_rows_from_rules_pictures_lists_and_controls_follows() {
    let tail = |extra: &str| form_with(SHEET, &[("</sheetData>", &format!("</sheetData>{extra}"))]);
    for (before, after) in [
        (
            "<conditionalFormatting sqref=\"B6:B8\"><cfRule type=\"colorScale\" priority=\"1\"><colorScale><cfvo type=\"formula\" val=\"$B$9\"/><cfvo type=\"num\" val=\"50\"/></colorScale></cfRule></conditionalFormatting>",
            "val=\"$B$11\"/><cfvo type=\"num\" val=\"50\"",
        ),
        (
            "<rowBreaks count=\"1\"><brk id=\"9\" man=\"1\"/></rowBreaks>",
            "<brk id=\"11\"",
        ),
        (
            "<extLst><ext xmlns:xm=\"urn:xm\"><f:s xmlns:f=\"urn:f\"><xm:f>Data!B6:B12</xm:f><xm:sqref>E12</xm:sqref></f:s></ext></extLst>",
            "<xm:f>Data!B6:B14</xm:f><xm:sqref>E14</xm:sqref>",
        ),
        (
            "<controls><from><col>1</col><row>10</row></from><to><col>2</col><row>12</row></to></controls>",
            "<row>12</row></from><to><col>2</col><row>14</row>",
        ),
        ("<cellWatches><cellWatch r=\"B9\"/></cellWatches>", "r=\"B11\""),
        (
            "<sheetProtection sheet=\"1\"/><protectedRanges><protectedRange sqref=\"A1 B9\" name=\"x\"/></protectedRanges>",
            "sqref=\"A1 B11\"",
        ),
    ] {
        let sheet = with_a_row(&tail(before), SHEET);
        assert!(sheet.contains(after), "{after} in {sheet}");
    }
    for (formula, after) in [
        ("SUM(B:B)+SUM($1:$12)", "SUM(B:B)+SUM($1:$14)"),
        ("INDIRECT(\"R9C2\",FALSE)+B9", "INDIRECT(\"R9C2\",FALSE)+B11"),
        ("SUM(Table1[[#This Row],[B9]])", "SUM(Table1[[#This Row],[B9]])"),
        ("[1]Data!B9+Data!B9", "[1]Data!B9+Data!B11"),
    ] {
        let formula = quick_xml::escape::escape(formula);
        let sheet = with_a_row(&form_with(SHEET, &[("SUM(D6:D8)", &formula)]), SHEET);
        let after = quick_xml::escape::escape(after);
        assert!(sheet.contains(&format!("<f>{after}</f>")), "{after} in {sheet}");
    }
    let related = |kind: &str, target: &str, content: &str| {
        let mut parts = form();
        parts.insert("xl/worksheets/_rels/sheet1.xml.rels".to_owned(), format!("<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"{RELATIONS}/{kind}\" Target=\"../{target}\"/></Relationships>"));
        parts.insert(format!("xl/{target}"), content.to_owned());
        parts
    };
    for (kind, target, before, after) in [
        (
            "table",
            "tables/t.xml",
            "<table ref=\"A5:D9\" totalsRowCount=\"1\"><autoFilter ref=\"A5:D8\"/><tableColumns><tableColumn><totalsRowFormula>B9+1</totalsRowFormula></tableColumn></tableColumns></table>",
            "<table ref=\"A5:D11\" totalsRowCount=\"1\"><autoFilter ref=\"A5:D8\"/><tableColumns><tableColumn><totalsRowFormula>B11+1</totalsRowFormula>",
        ),
        (
            "ctrlProp",
            "ctrlProps/c.xml",
            "<formControlPr fmlaLink=\"$B$9\" fmlaRange=\"Data!$A$6:$A$9\"/>",
            "fmlaLink=\"$B$11\" fmlaRange=\"Data!$A$6:$A$11\"",
        ),
        (
            "drawing",
            "drawings/d.xml",
            "<d><anchor editAs=\"oneCell\"><from><row>3</row></from><to><row>12</row></to><sp textlink=\"Data!$B$9\"/></anchor><anchor editAs=\"absolute\"><from><row>9</row></from><to><row>12</row></to></anchor><anchor><from><row>3</row></from><to><row>12</row></to></anchor><anchor editAs=\"oneCell\"><from><row>9</row></from><to><row>12</row></to></anchor></d>",
            "<d><anchor editAs=\"oneCell\"><from><row>3</row></from><to><row>12</row></to><sp textlink=\"Data!$B$11\"/></anchor><anchor editAs=\"absolute\"><from><row>9</row></from><to><row>12</row></to></anchor><anchor><from><row>3</row></from><to><row>14</row></to></anchor><anchor editAs=\"oneCell\"><from><row>11</row></from><to><row>14</row></to></anchor></d>",
        ),
        (
            "vmlDrawing",
            "drawings/v.vml",
            "<xml><ClientData><FmlaLink>$B$9</FmlaLink><Row>9</Row></ClientData></xml>",
            "<FmlaLink>$B$11</FmlaLink><Row>11</Row>",
        ),
    ] {
        let now = with_a_row(&related(kind, target, before), &format!("xl/{target}"));
        assert!(now.contains(after), "{after} in {now}");
    }
    // A list of Excel's that ends with the prepared rows ends with the order's.
    let list = related(
        "table",
        "tables/t.xml",
        "<table ref=\"A5:D8\"><autoFilter ref=\"A5:D8\"/></table>",
    );
    let paper = filled(&list).unwrap();
    assert_eq!(
        text(&paper.bytes, "xl/tables/t.xml"),
        "<table ref=\"A5:D9\"><autoFilter ref=\"A5:D9\"/></table>"
    );
}

#[test]
fn r36_rows_that_would_split_what_must_stay_whole_are_refused_before_anything_is_written() {
    let array = form_with(
        SHEET,
        &[
            (
                "<f>SUM(D6:D8)</f>",
                "<f>SUM(D6:D8)</f></c><c r=\"F7\"><f t=\"array\" ref=\"F7:F12\">B1:B6*2</f><v>0</v>",
            ),
            ("<row r=\"7\">", "<row r=\"7\" x=\"\">"),
        ],
    );
    // The array stands in row 9 of the form's text and spans the place of the new rows all the same.
    let array = {
        let mut parts = array;
        changed(
            &mut parts,
            SHEET,
            &[
                (
                    "<c r=\"F7\"><f t=\"array\" ref=\"F7:F12\">B1:B6*2</f><v>0</v></c>",
                    "",
                ),
                (
                    "<f>B7*C7</f><v>0</v></c>",
                    "<f>B7*C7</f><v>0</v></c><c r=\"F7\"><f t=\"array\" ref=\"F7:F12\">B1:B6*2</f><v>0</v></c>",
                ),
                (" x=\"\"", ""),
            ],
        );
        parts
    };
    let mut pivot = form();
    pivot.insert("xl/worksheets/_rels/sheet1.xml.rels".to_owned(), format!("<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"{RELATIONS}/pivotTable\" Target=\"/xl/pivotTables/p.xml\"/></Relationships>"));
    pivot.insert(
        "xl/pivotTables/p.xml".to_owned(),
        "<pivotTableDefinition><location ref=\"H3:J20\" firstHeaderRow=\"1\"/></pivotTableDefinition>"
            .to_owned(),
    );
    let consolidated = form_with(
        SHEET,
        &[(
            "</sheetData>",
            "</sheetData><dataConsolidate><dataRefs count=\"1\"><dataRef ref=\"A1:B9\" sheet=\"Data\"/></dataRefs></dataConsolidate>",
        )],
    );
    for (parts, why) in [
        (&array, "found `the array formula in F7:F12`"),
        (&pivot, "found `a pivot table in H3:J20`"),
        (
            &consolidated,
            "found `a consolidation on sheet Data, whose areas are not followed`",
        ),
    ] {
        let wanted = "sheet Data, row 9, ";
        let text = refused(filled(parts));
        assert!(text.contains(why) && text.contains(wanted), "{text}");
        let problem = insert_rows(&packed(parts), "Data", 9, 2).unwrap_err().to_string();
        assert!(problem.contains(why) && problem.contains(wanted), "{problem}");
    }
    // Below the split everything moves as a whole, the cells that a data table asks too.
    let below = form_with(
        SHEET,
        &[(
            "</row></sheetData>",
            "</row><row r=\"12\"><c r=\"B12\"><f t=\"dataTable\" ref=\"B12:B14\" dt2D=\"0\" dtr=\"0\" r1=\"B9\"/><v>1</v></c></row></sheetData>",
        )],
    );
    assert!(with_a_row(&below, SHEET).contains("ref=\"B14:B16\" dt2D=\"0\" dtr=\"0\" r1=\"B11\""));
}
