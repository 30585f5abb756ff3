use super::design::DesignMapping;
use super::pdf::page_count;
use super::*;

fn pictures(zpl: &str) -> Result<Vec<raster::Dots>, String> {
    zpl::read(zpl).collect()
}

fn mark(no: usize, count: usize) -> Mark {
    let only = Content {
        sku: "85123A-WHITE-HANGING/HEART%T".to_owned(),
        name_zh: "白色心形挂饰烛台".to_owned(),
        name_en: "White hanging heart T-light holder".to_owned(),
        units: "48".to_owned(),
        batch: "2611A".to_owned(),
    };
    Mark {
        destination: "UKMA".to_owned(),
        destination_note: "谷仓英国曼彻斯特仓 goodcang · 海运 SEA".to_owned(),
        order_no: "SO-20260115-UKMA-003".to_owned(),
        inbound_no: None,
        carton_no: no.to_string(),
        carton_count: count.to_string(),
        contents: vec![only],
        units: "48".to_owned(),
        net: "11.520".to_owned(),
        gross: "12.345".to_owned(),
        dims: "60.0×40.0×35.5".to_owned(),
        origin: "MADE IN CHINA".to_owned(),
        consignee: "GoodCang Manchester Warehouse".to_owned(),
        mark_code: format!("SO-20260115-UKMA-003U{no:06}"),
        sku_code: Some("G1234-85123A".to_owned()),
    }
}

#[test]
fn one_page_per_carton_and_the_same_bytes_again() {
    let fonts = Fonts::built_in().unwrap();
    let marks: Vec<Mark> = (1..=12).map(|no| mark(no, 12)).collect();
    let bytes = write_marks("marks.pdf", "Carton marks", &marks, Print::Pdf, fonts).unwrap();
    assert_eq!(page_count(&bytes), Some(12));
    assert_eq!(
        bytes,
        write_marks("marks.pdf", "Carton marks", &marks, Print::Pdf, fonts).unwrap()
    );
}

#[test]
fn a_character_outside_the_font_is_named_not_drawn_as_a_box() {
    let fonts = Fonts::built_in().unwrap();
    let mut bad = mark(1, 1);
    bad.contents[0].name_zh = "心形📦".to_owned();
    bad.consignee = "GoodCang\u{7}".to_owned();
    let problems = write_marks("marks.pdf", "Carton marks", &[bad], Print::Pdf, fonts).unwrap_err();
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    marks.pdf, carton 1, `contents.name_zh`: found `心形📦`, wanted characters the label font has; `📦` (U+1F4E6) is not among them
    marks.pdf, carton 1, `consignee`: found `GoodCang\u{7}`, wanted characters the label font has; `\u{7}` (U+0007) is not among them
    ");
}

#[test]
fn what_does_not_fit_is_refused_and_prose_is_cut() {
    let fonts = Fonts::built_in().unwrap();
    let mut bad = mark(1, 1);
    bad.contents[0].name_en = "very long description ".repeat(20);
    assert!(write_marks("marks.pdf", "", &[bad.clone()], Print::Pdf, fonts).is_ok());
    bad.mark_code = "X".repeat(31);
    bad.order_no = "SO".repeat(80);
    let problems = write_marks("marks.pdf", "", &[bad], Print::Pdf, fonts).unwrap_err();
    let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["order_no", "mark_code"]);
}

fn design(text: &str) -> DesignMapping {
    let mapping: DesignMapping = toml::from_str(text).unwrap();
    assert_eq!(mapping.faults("x.toml", &Maps::default()), []);
    mapping
}

const PALLET: &str = r#"
each = ["pallet in pallets"]
title = "Pallets"
size = [100.0, 60.0]
elements = [
  { field = "place", text = "{order.warehouse_code}", at = [4.0, 3.0], width = 60.0, points = [24.0, 8.0], bold = true },
  { field = "sscc", gs1 = "(00){pallet.sscc}", at = [1.0, 20.0], width = 98.0, height = 25.0 },
  { field = "sscc", text = "(00){pallet.sscc}", at = [1.0, 47.0], width = 98.0, points = [14.0, 8.0], align = "centre" },
]
"#;

fn pallets(sscc: &[&str]) -> serde_json::Value {
    serde_json::json!({
        "order": { "warehouse_code": "UKMA" },
        "pallets": sscc.iter().map(|sscc| serde_json::json!({ "sscc": sscc })).collect::<Vec<_>>(),
    })
}

#[test]
fn r31_a_licence_plate_reads_back_with_its_identifier_from_the_dots_of_a_label_printer() {
    let fonts = Fonts::built_in().unwrap();
    let text = PALLET.replace("title", "print = \"zpl\"\ntitle");
    let (model, maps) = (
        pallets(&["106141411234567897", "006141411234567890"]),
        Maps::default(),
    );
    let zpl = design(&text)
        .write("plates.zpl", &Scope::new(&model, &maps), fonts)
        .unwrap();
    let read: Vec<String> = pictures(str::from_utf8(&zpl).unwrap())
        .unwrap()
        .iter()
        .map(|picture| {
            let row = picture.bytes.chunks(picture.row_bytes).nth(260).unwrap();
            let dots: Vec<bool> = row
                .iter()
                .flat_map(|byte| (0..8).map(move |bit| byte & (0x80 >> bit) != 0))
                .collect();
            gs1::shown(&code128::decode_dots(&dots).unwrap()).unwrap()
        })
        .collect();
    assert_eq!(read, ["(00)106141411234567897", "(00)006141411234567890"]);
}

#[test]
fn a_wrong_or_missing_licence_plate_is_named_and_nothing_is_written() {
    let fonts = Fonts::built_in().unwrap();
    let said = |sscc: &[&str]| -> String {
        let (model, maps) = (pallets(sscc), Maps::default());
        let problems = design(PALLET)
            .write("plates.pdf", &Scope::new(&model, &maps), fonts)
            .unwrap_err();
        problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    insta::assert_snapshot!(said(&["106141411234567890", "12"]), @r"
    plates.pdf, label 1, `sscc`: found `(00)106141411234567890`, wanted (00) followed by 18 digits with check digit 7
    plates.pdf, label 2, `sscc`: found `(00)12`, wanted (00) followed by 18 digits
    ");
    insta::assert_snapshot!(said(&[]), @"plates.pdf, [label] each, `labels`: found `0`, wanted between 1 and 20000 labels");
}

#[test]
fn a_text_over_the_bars_is_found_before_a_scanner_finds_it() {
    let fonts = Fonts::built_in().unwrap();
    let text = PALLET.replace("at = [1.0, 47.0]", "at = [1.0, 30.0]");
    let (model, maps) = (pallets(&["106141411234567897"]), Maps::default());
    let problems = design(&text)
        .write("plates.pdf", &Scope::new(&model, &maps), fonts)
        .unwrap_err();
    insta::assert_snapshot!(problems[0].to_string(), @"plates.pdf, label 1, `sscc`: found `a text over the bars`, wanted bars that read back as `<FNC1>00106141411234567897`");
    // A white bar through the code changes what it says.
    let (bars, problems) = design(PALLET).drawings("x", &Scope::new(&model, &maps), fonts);
    assert_eq!(problems, []);
    let mut drawing = bars[0].clone();
    assert_eq!(drawing.misread(fonts), []);
    let middle = drawing.codes[0].ground.x + 30.0;
    let area = ink::Area {
        x: middle,
        y: 0.0,
        width: 2.0,
        height: 60.0,
    };
    drawing.inks.push(ink::Ink::Fill {
        areas: vec![area],
        grey: 0,
    });
    assert_eq!(drawing.misread(fonts).len(), 1);
}

#[test]
fn what_is_wrong_with_a_design_is_said_when_it_is_read() {
    let text = r#"
each = ["line in lines"]
title = "x"
size = [50.0, 30.0]
grid = { columns = 4, rows = 10, first = [5.0, 5.0], step = [40.0, 30.0] }
elements = [
  { field = "both", text = "{line.units}", code128 = "{line.no}", at = [0.0, 0.0], width = 50.0, height = 10.0 },
  { field = "outside", text = "{line.skuu}", at = [40.0, 0.0], width = 20.0 },
  { field = "low", code128 = "{line.goods.warehouse_sku}", at = [0.0, 0.0], width = 50.0, height = 2.0 },
  { field = "points", text = "x", at = [0.0, 0.0], width = 50.0, points = [6.0, 9.0] },
]
"#;
    let mapping: DesignMapping = toml::from_str(text).unwrap();
    let problems = mapping.faults("x.toml", &Maps::default());
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    x.toml, [label] element 1 both: found ``, wanted one of `text`, `code128`, `gs1` and `fill`
    x.toml, [label] element 2 outside, `at`: found `at 40, 0, 20 × 0`, wanted a place within 50 × 30 mm
    x.toml, [label] element 3 low, `height`: found `2`, wanted bars at least 5 mm high
    x.toml, [label] element 4 points, `points`: found `[6.0, 9.0]`, wanted largest and smallest size, from 4 to 200 points
    x.toml, [label.grid], `step`: found `40`, wanted at least the label's width, 50 mm: labels must not overlap
    x.toml, [label.grid], `first`: found `305 mm`, wanted labels that end within the sheet's height of 297 mm
    x.toml, [label] outside, `line.skuu`: found `skuu`, wanted a name of the model: no, goods, units, suggested_units, unit_value, value, legal_quantity, second_legal_quantity, cartons, carton_numbers, net_g, gross_g, net_kg, gross_kg
    ");
}

#[test]
fn a_picture_larger_than_a_label_is_refused_before_it_is_unpacked() {
    let fault = |zpl: &str| pictures(zpl).map(|all| all.len()).unwrap_err();
    assert_eq!(
        fault("^XA^GFA,4,99999999999,4,z0^FS^XZ"),
        "no bytes in all of at most 8000000"
    );
    assert_eq!(
        fault("^XA^GFA,4,4,18446744073709551615,z0^FS^XZ"),
        "no bytes a row of at most 1000"
    );
    assert_eq!(fault("^XA^GFA,4,4,2,,,,,^FS^XZ"), "more than 4 bytes");
    assert_eq!(fault("^XA^GFA,4,4,2,zzzz0^FS^XZ"), "row 1 is too long");
}

proptest::proptest! {
    #[test]
    fn a_picture_that_was_packed_is_unpacked_to_the_dot(
        rows in proptest::collection::vec(proptest::collection::vec(proptest::sample::select(vec![0_u8, 0, 255, 0xF0, 0x5A]), 7), 1..12),
    ) {
        let picture = raster::Dots { width: 56, height: 1, row_bytes: 7, bytes: rows.concat() };
        let mut packed = Vec::new();
        zpl::pack(&picture, &mut packed);
        let packed = String::from_utf8(packed).unwrap();
        let total = picture.bytes.len();
        let file = format!("^XA^GFA,{total},{total},7,{packed}^FS^XZ");
        let back = pictures(&file).unwrap();
        proptest::prop_assert_eq!(&back[0].bytes, &picture.bytes);
    }
}

#[test]
fn the_bars_of_a_printers_file_are_read_from_its_own_dots() {
    let fonts = Fonts::built_in().unwrap();
    let drawings: Vec<Drawing> = [1, 1, 2].map(|no| sheet::draw(fonts, &mark(no, 2)).0).into();
    let bytes = zpl::write(&drawings, fonts).unwrap();
    assert_eq!(zpl::misread(&bytes, &drawings), []);
    let text = String::from_utf8(bytes).unwrap();
    let labels: Vec<&str> = text.split_inclusive("^XZ\n").collect();
    assert_eq!((labels.len(), labels[0] == labels[1]), (3, true));

    let said = |file: &str| {
        let misfits = zpl::misread(file.as_bytes(), &drawings);
        let lines = misfits
            .into_iter()
            .map(|(no, misfit)| misfit.problem("marks.zpl", &format!("carton {no}")).to_string());
        lines.collect::<Vec<_>>().join("\n")
    };
    let swapped = [labels[2], labels[1], labels[0]].concat();
    let cut = text.replacen("^GFA,", "^GFB,", 1);
    insta::assert_snapshot!(format!("{}\n{}\n{}", said(&swapped), said(&cut), said(labels[0])), @r"
    marks.zpl, carton 1, `mark_code`: found `SO-20260115-UKMA-003U000002`, wanted bars that read back as `SO-20260115-UKMA-003U000001`
    marks.zpl, carton 2: found `another label`, wanted the one before it again
    marks.zpl, carton 3, `mark_code`: found `SO-20260115-UKMA-003U000001`, wanted bars that read back as `SO-20260115-UKMA-003U000002`
    marks.zpl, carton 1: found `no graphic field`, wanted a picture that a printer can unpack
    marks.zpl, carton 2: found `another label`, wanted the one before it again
    marks.zpl, carton 2: found `another label`, wanted the one before it again
    marks.zpl, carton 3: found `no graphic field`, wanted a picture that a printer can unpack
    ");
}
