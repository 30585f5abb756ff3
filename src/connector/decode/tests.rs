//! Every layer, and what is refused of it.

use std::io::Write as _;

use super::*;
use crate::connector::path::Tree as _;

const LIMIT: u64 = 1 << 20;

fn how(text: &str) -> Decode {
    #[derive(serde::Deserialize)]
    struct Wrap {
        decode: Decode,
    }
    toml::from_str::<Wrap>(&format!("decode = {text}"))
        .unwrap()
        .decode
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The tree as JSON text.
fn tree(how: &Decode, bytes: &[u8]) -> Result<String, DecodeError> {
    let bytes = unpack(how, bytes, LIMIT)?;
    let page = parse(how, &bytes, &Want::all())?;
    Ok(page.tree().unwrap().to_json().to_string())
}

fn table(how: &Decode, bytes: &[u8]) -> Result<Vec<Vec<String>>, DecodeError> {
    let bytes = unpack(how, bytes, LIMIT)?;
    let Content::Table(mut table) = parse(how, &bytes, &Want::all())?.content else {
        panic!("a table");
    };
    let mut lines = vec![table.header.clone()];
    let mut record = csv::StringRecord::new();
    while table.next(&mut record)? {
        lines.push(record.iter().map(str::to_owned).collect());
    }
    Ok(lines)
}

#[test]
fn a_cut_off_gzip_is_an_error_and_never_half_a_table() {
    let text: String = std::iter::once("sku\tunits\n".to_owned())
        .chain((0..20_000).map(|row| format!("SKU-{row}\t{}\n", row * 7 % 13)))
        .collect();
    let packed = gzip(text.as_bytes());
    let how = how("['gzip', 'tsv']");
    assert_eq!(table(&how, &packed).unwrap().len(), 20_001);
    for cut in [1, 8, 9, packed.len() / 2, packed.len() - 1] {
        let cut = packed.len() - cut;
        assert!(
            matches!(table(&how, &packed[..cut]), Err(DecodeError::Gzip { .. })),
            "{cut} of {}",
            packed.len()
        );
    }
}

#[test]
fn bombs_are_stopped_at_the_limit() {
    let zeros = vec![b'0'; 2 << 20];
    assert_eq!(
        gunzip(&gzip(&zeros), LIMIT),
        Err(DecodeError::TooLarge { limit: LIMIT })
    );
    assert_eq!(gunzip(&gzip(&zeros), 2 << 20).unwrap().len(), 2 << 20);
    let archive = zipped(&[("a.csv", &zeros)]);
    assert!(archive.len() < 10_000);
    assert_eq!(
        unzip(&archive, None, LIMIT),
        Err(DecodeError::TooLarge { limit: LIMIT })
    );
}

#[test]
fn an_archive_gives_the_one_file_or_the_named_one_and_is_whole() {
    let two = zipped(&[("stock.csv", b"sku\nA\n"), ("readme.txt", b"hello")]);
    let named = how("{ layers = ['zip', 'csv'], member = 'stock.csv' }");
    assert_eq!(table(&named, &two).unwrap(), [["sku"], ["A"]]);
    let unnamed = how("['zip', 'csv']");
    let said = table(&unnamed, &two).unwrap_err().to_string();
    assert!(said.contains("2 files, wanted one"), "{said}");
    let text: Vec<u8> = (0..3_000)
        .flat_map(|row| format!("SKU-{row}\n").into_bytes())
        .collect();
    let one = zipped(&[("stock.csv", &text)]);
    assert_eq!(table(&unnamed, &one).unwrap().len(), 3_000);
    let mut damaged = one.clone();
    damaged[one.len() / 2] ^= 0x55;
    assert!(matches!(table(&unnamed, &damaged), Err(DecodeError::Zip { .. })));
    assert!(matches!(
        table(&unnamed, &one[..one.len() - 5]),
        Err(DecodeError::Zip { .. })
    ));
}

#[test]
fn texts_are_read_in_the_first_encoding_that_takes_them() {
    let tsv = how("{ kind = 'tsv', encoding = ['utf-8', 'iso-8859-1'] }");
    assert_eq!(
        table(&tsv, b"sku\tname\nA\tCaf\xe9 \"24\n").unwrap()[1],
        ["A", "Café \"24"]
    );
    let csv = how("{ kind = 'csv', encoding = ['utf-8', 'gbk'], delimiter = ';', skip_lines = 1 }");
    let (gbk, _, _) = encoding_rs::GBK.encode("库存报表;;\n商品编码;数量\nA;3\n");
    assert_eq!(table(&csv, &gbk).unwrap(), [["商品编码", "数量"], ["A", "3"]]);
    let utf_8 = how("['csv']");
    assert_eq!(
        table(&utf_8, b"\xef\xbb\xbfsku,units\nA,1\n").unwrap()[0],
        ["sku", "units"]
    );
    assert_eq!(
        table(&utf_8, b"sku\nCaf\xe9\n"),
        Err(DecodeError::Encoding {
            encoding: "utf-8".to_owned()
        })
    );
    assert_eq!(table(&utf_8, b""), Err(DecodeError::NoHeader));
}

#[test]
fn lines_that_name_a_parent_stand_below_it() {
    let how = how("['jsonl']");
    let text = br##"{"id":"gid://shopify/Order/1","name":"#1"}
{"id":"gid://shopify/LineItem/11","sku":"A","__parentId":"gid://shopify/Order/1"}
{"id":"gid://shopify/LineItem/12","sku":"B","__parentId":"gid://shopify/Order/1"}
{"text":"a note","__typename":"Note","__parentId":"gid://shopify/LineItem/12"}
{"id":"gid://shopify/Order/2","name":"#2"}
{"id":"gid://shopify/LineItem/13","sku":"C","__parentId":"gid://shopify/Order/3"}
"##;
    let page = parse(&how, text, &Want::all()).unwrap();
    assert_eq!((page.objects, page.orphans), (Some(6), 1));
    let rows = page.tree().unwrap().field("rows").unwrap().items().unwrap();
    assert_eq!(rows.len(), 2);
    let lines = rows[0].field("LineItem").unwrap().items().unwrap();
    assert_eq!(lines.len(), 2);
    assert!(lines[1].field("Note").is_some());
    let cut = b"{\"id\":\"a\"}\n{\"id\":\"b\"";
    assert!(matches!(
        parse(&how, cut, &Want::all()),
        Err(DecodeError::Line { line: 2, .. })
    ));
    // Two that name each other belong to nobody.
    let circle = b"{\"id\":\"a\",\"__parentId\":\"b\"}\n{\"id\":\"b\",\"__parentId\":\"a\"}\n";
    assert_eq!(parse(&how, circle, &Want::all()).unwrap().orphans, 2);
}

#[test]
fn xml_is_a_tree_of_elements_and_attributes() {
    let how = how("['xml']");
    let text = "<?xml version='1.0'?><r xmlns:n='urn:x'><n:item id='1'>A &amp; B</n:item><item id=\"2\"/><one>x</one><!-- c --></r>";
    assert_eq!(
        tree(&how, text.as_bytes()).unwrap(),
        r##"{"r":[{"item":[{"@id":["1"],"#text":"A & B"},{"@id":["2"]}],"one":["x"]}]}"##
    );
    let bytes = unpack(&how, text.as_bytes(), LIMIT).unwrap();
    let page = parse(&how, &bytes, &Want::all()).unwrap();
    let at = |path: &str| {
        let found = Path::parse(path).unwrap().get(page.tree().unwrap())?;
        let cell = crate::connector::cell::Cell::of_node(found);
        cell.show().map(Cow::into_owned)
    };
    assert_eq!(at("r.one").as_deref(), Some("x"));
    assert_eq!(at("r.item.@id").as_deref(), Some("1"));
    assert_eq!(at("r.item[@id=2].@id").as_deref(), Some("2"));
    for cut in ["<r><a></r>", "<r>", "", "text", "<r>&nosuch;</r>"] {
        assert!(
            matches!(tree(&how, cut.as_bytes()), Err(DecodeError::Xml { .. })),
            "{cut}"
        );
    }
}

#[test]
fn xml_that_would_open_a_file_or_grow_is_refused() {
    let how = how("['xml']");
    let file = "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><r>&x;</r>";
    let laughs = "<!DOCTYPE r [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><r>&b;</r>";
    for text in [file, laughs] {
        assert_eq!(tree(&how, text.as_bytes()), Err(DecodeError::DocumentType));
    }
    let deep = "<a>".repeat(100);
    assert!(matches!(
        tree(&how, deep.as_bytes()),
        Err(DecodeError::Xml { .. })
    ));
}

#[test]
fn eccang_wraps_its_json_in_soap() {
    let how = how("{ layers = ['xml', 'json'], inside = 'Envelope.Body.callServiceResponse.response' }");
    let soap = "<?xml version=\"1.0\"?><SOAP-ENV:Envelope xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\" \
                xmlns:ns1=\"http://www.example.org/Ec/\"><SOAP-ENV:Body><ns1:callServiceResponse><response>\
                {&quot;ask&quot;:&quot;Success&quot;,&quot;nextPage&quot;:&quot;false&quot;,&quot;data&quot;:[{&quot;sellable&quot;:&quot;100&quot;}]}\
                </response></ns1:callServiceResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>";
    assert_eq!(
        tree(&how, soap.as_bytes()).unwrap(),
        r#"{"ask":"Success","nextPage":"false","data":[{"sellable":"100"}]}"#
    );
    let fault = soap.replace("response>", "fault>");
    assert!(matches!(
        tree(&how, fault.as_bytes()),
        Err(DecodeError::Inside { .. })
    ));
}
