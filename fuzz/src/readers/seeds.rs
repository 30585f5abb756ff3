//! Good files of every kind: what is spoilt, and where a guided search begins.

use std::io::Write as _;

use linkstar::connector::Definition;
use linkstar::mapping::inbound;
use linkstar::mapping::xlsx::{At, Want, write_cells};
use linkstar::wording::{Lang, text};

use super::{CUSTOMS_TEMPLATE, EDITED, ROW_PER_SKU, SHEETS, TO_GB, TO_US, dressed, written};

macro_rules! connectors {
    ($($name:literal),* $(,)?) => {
        pub const CONNECTORS: &[(&str, &str)] =
            &[$((concat!($name, ".toml"), include_str!(concat!("../../../connectors/", $name, ".toml")))),*];
    };
}

connectors!(
    "17track",
    "amazon-awd",
    "amazon-sp-api",
    "dcsa-track-trace",
    "ebay",
    "eccang",
    "fourpx",
    "goodcang",
    "lingxing-erp",
    "linkstar-files",
    "shipbob",
    "shopify",
    "walmart",
    "winit",
    "xlwms",
);

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        vec![$(include_bytes!(concat!("../../../", $path)).to_vec()),*]
    };
}

const X12: &str = "ISA*00*          *00*          *ZZ*3PL            *ZZ*SELLER         *260504*0930*U*00401*000000007*0*P*>~\n\
GS*RE*3PL*SELLER*20260504*0930*7*X*004010~\nST*944*0001~\nW17*F*20261120*RCPT-5*SO-1*SHP-9~\nN1*WH*UK 3PL*91*UKMA~\n\
W07*400*EA*196272171026*VN*A1~\nW13*3*EA*02~\nSE*6*0001~\nGE*1*7~\nIEA*1*000000007~\n";
const X12_861: &str = "ISA*00*          *00*          *ZZ*3PL            *ZZ*SELLER         *260504*0930*U*00401*000000008*0*P*>~\n\
GS*RC*3PL*SELLER*20260504*0930*8*X*004010~\nST*861*0001~\nBRA*RCPT-6*20261120*00*2~\nREF*PO*SO-1~\nDTM*050*20261120~\n\
RCD*1*40*EA*****02*3~\nLIN*1*VN*A1~\nCTT*1~\nSE*8*0001~\nGE*1*8~\nIEA*1*000000008~\n";
const MAIL: &str = "From: a@example.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\n\
Content-Type: text/plain\r\n\r\nsee below\r\n--b\r\nContent-Type: text/csv; name=\"r.csv\"\r\nContent-Transfer-Encoding: base64\r\n\
Content-Disposition: attachment; filename=\"=?GBK?B?yta2r7Wl?=.csv\"\r\n\r\nU0tVLHF0eQpBMSw1Cg==\r\n--b--\r\n";
const BOUNCE: &str = "Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\n\
Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@example.test\nAction: failed\n\
Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n\n--b\nContent-Type: text/rfc822-headers\n\n\
Message-ID: <1@example.test>\n\n--b--\n";
const QUOTED_PRINTABLE: &str = "Subject: =?UTF-8?Q?=E7=AE=B1?=\r\nContent-Type: application/octet-stream;\r\n name*=UTF-8''%E7%AE%B1.csv\r\n\
Content-Transfer-Encoding: quoted-printable\r\nContent-Disposition: attachment\r\n\r\nSKU,qty=0D=0AA1,5=\r\n";
const TSV: &str = "入库单号\tSKU\t数量\t时间\nSO-1\tA1\t5\t2026-11-20 10:00\nSO-1\tA2\t-3\t46000.5\n";
const HTML: &str = "<html><body><table><tr><th>SKU</th><th>qty</th></tr><tr><td rowspan=2>A1</td><td>5</td></tr><tr><td>&nbsp;6</td></tr></table>";

/// Without anything packed, so that a change of a byte is one of what the page says.
pub const PLAIN_PDF: &str = "%PDF-1.7\n\
1 0 obj\n\
<</Type/Catalog/Pages 2 0 R>>\n\
endobj\n\
2 0 obj\n\
<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 200 100]>>\n\
endobj\n\
3 0 obj\n\
<</Type/Page/Parent 2 0 R/Resources<</Font<</f0 5 0 R>>>>/Contents 4 0 R>>\n\
endobj\n\
4 0 obj\n\
<</Length 150>>\n\
stream\n\
q 1 0 0 -1 0 100 cm\n\
BT /f0 9 Tf 1 0 0 -1 10 20 Tm [(\\000\\001\\000\\002)]TJ ET\n\
/Span<</ActualText(A)>>BDC BT /f0 9 Tf 1 0 0 -1 10 40 Tm <0003>Tj ET EMC Q\n\
endstream\n\
endobj\n\
5 0 obj\n\
<</Type/Font/Subtype/Type0/ToUnicode 6 0 R>>\n\
endobj\n\
6 0 obj\n\
<</Length 84>>\n\
stream\n\
1 beginbfchar <0001> <7BB1> endbfchar 1 beginbfrange <0002> <0004> <0041> endbfrange\n\
endstream\n\
endobj\n\
xref\n\
0 7\n\
0000000000 65535 f \n\
0000000009 00000 n \n\
0000000054 00000 n \n\
0000000127 00000 n \n\
0000000217 00000 n \n\
0000000416 00000 n \n\
0000000476 00000 n \n\
trailer\n\
<</Size 7/Root 1 0 R>>\n\
startxref\n\
608\n\
%%EOF\n\
";

fn texts(all: &[&str]) -> Vec<Vec<u8>> {
    all.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// With the byte that chooses before each.
fn chosen(all: impl IntoIterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    (0..=u8::MAX)
        .zip(all)
        .map(|(choice, bytes)| [&[choice], bytes.as_slice()].concat())
        .collect()
}

/// A workbook of a daily mail as far as its answers go.
pub fn answered_mail() -> Vec<u8> {
    let title = |key: &str| text(Lang::Zh, &format!("mail.book.{key}"), &[]);
    let cells = [
        (title("decision"), "改量"),
        (title("new_units"), "1,200"),
        (title("reason"), "促销"),
        (title("sku"), "A1"),
        (title("warehouse"), "goodcang:UKMA"),
        (title("suggested"), "480"),
        (title("plan"), "P-20261123"),
        (title("key"), "0123456789ab"),
    ];
    let cells: Vec<(At, Want)> = (1_u32..)
        .zip(cells)
        .flat_map(|(column, (title, answer))| {
            let at = |row| At { row, column };
            [(at(6), Want::Text(title)), (at(7), Want::Text(answer.to_owned()))]
        })
        .collect();
    write_cells(ROW_PER_SKU, SHEETS[1], &cells).expect("written")
}

pub fn workbook() -> Vec<Vec<u8>> {
    vec![
        ROW_PER_SKU.to_vec(),
        CUSTOMS_TEMPLATE.to_vec(),
        answered_mail(),
        written("packing-list", &TO_GB),
        dressed::prefixed(ROW_PER_SKU),
        dressed::with_pivot(ROW_PER_SKU),
    ]
}

pub fn workbook_parts() -> Vec<Vec<u8>> {
    super::WORKBOOKS.seeds()
}

pub fn template() -> Vec<Vec<u8>> {
    super::TEMPLATES.seeds()
}

pub fn edited_papers() -> Vec<Vec<u8>> {
    let scene = |id: &str| if id == "dcsa-booking" { &*TO_US } else { &*TO_GB };
    let papers = EDITED.iter().map(|(id, _)| written(id, scene(id)));
    let mut all = chosen(papers);
    // A label file is mostly picture: its beginning is enough.
    all.iter_mut().for_each(|bytes| bytes.truncate(64 << 10));
    let books = super::EDITED_BOOK.seeds().into_iter();
    all.extend(books.map(|part| [&[u8::MAX], part.as_slice()].concat()));
    all
}

pub fn text_tables() -> Vec<Vec<u8>> {
    let mut all = texts(&[
        TSV,
        HTML,
        "a,b\n\"x\"\"y\",2\n",
        "sku;qty\nA;1,5\n",
        "<?xml version=\"1.0\"?><Workbook/>",
    ]);
    let (gbk, _, _) = encoding_rs::GBK.encode(TSV);
    all.push(gbk.into_owned());
    let utf16 = [0xFEFF].into_iter().chain(TSV.encode_utf16());
    all.push(utf16.flat_map(u16::to_le_bytes).collect());
    all
}

pub fn xml() -> Vec<Vec<u8>> {
    let mut all = files![
        "tests/fixtures/papers/oasis/UBL-Invoice-2.1-Example-Trivial.xml",
        "tests/fixtures/papers/oasis/UBL-Invoice-2.0-Example-NS1.xml",
        "tests/fixtures/papers/hmrc/TT_IM003a__TT_IM003a_Amendment__Step_3_.xml",
    ];
    all.extend(["ceb-303-stocking-order", "dec-message-export"].map(|id| written(id, &TO_US)));
    all.push(written("ubl-packing-list", &TO_GB));
    all
}

pub fn json() -> Vec<Vec<u8>> {
    let mut all: Vec<_> = ["dcsa-booking", "isf-10-json"]
        .into_iter()
        .map(|id| written(id, &TO_US))
        .collect();
    all.extend(files!["mappings/schemas/isf-10/isf-10.schema.json"]);
    all.extend(texts(&["{\"a\":[1,-0.5e3,null,true,\"\\ud83d\\ude00\"]}"]));
    all
}

pub fn receipts() -> Vec<Vec<u8>> {
    let mut all = texts(&[X12, X12_861, TSV, "SKU,quantity,shipment\nA1,5,S1\n"]);
    all.extend(files![
        "tests/fixtures/papers/oasis/UBL-ReceiptAdvice-2.0-Example.xml"
    ]);
    all
}

pub fn inbound_files() -> Vec<Vec<u8>> {
    let all = inbound::builtin().expect("the built-in mappings");
    let cases = all.iter().flat_map(|mapping| &mapping.tests);
    cases.map(|case| case.file.as_bytes().to_vec()).collect()
}

pub fn mails() -> Vec<Vec<u8>> {
    texts(&[MAIL, BOUNCE, QUOTED_PRINTABLE])
}

pub fn mapping_toml() -> Vec<Vec<u8>> {
    files![
        "mappings/packing-list.toml",
        "mappings/isf-10-json.toml",
        "mappings/huatuo-booking-gb.toml",
        "mappings/carton-mark.toml",
        "mappings/carton-mark-zpl.toml",
        "mappings/pallet-label.toml",
        "mappings/ceb-303-stocking-order.toml",
        "mappings/cn-9810-booking.toml",
        "mappings/flat-web-import.toml",
        "mappings/inbound/tracking-list.toml",
        "mappings/inbound/forwarder-bill.toml",
        "mappings/inbound/cds-notification.toml",
    ]
}

pub fn declared_toml() -> Vec<Vec<u8>> {
    files![
        "config/rules/gb.toml",
        "config/rules/us.toml",
        "config/rules/kinds.toml",
        "config/deadlines.toml",
        "config/milestones.toml",
        "config/claims.toml",
        "config/retention.toml",
        "config/linkstar.toml",
        "connectors/17track.toml",
        "connectors/linkstar-files.toml",
    ]
}

pub fn carton_ranges_text() -> Vec<Vec<u8>> {
    texts(&["1-10,12", "1,2\n3", "#1~#5；7", "箱1－3，5", "4294967295-1"])
}

pub fn lists() -> Vec<Vec<u8>> {
    let mut all = texts(&[
        "carton,sku,units,gross_kg,length_cm,width_cm,height_cm\n1-3,A1,10,5.5,40,30,20\n4,A2,3,2,40,30,20\n",
        "pallet,cartons,gross_kg,length_cm,width_cm,height_cm,sscc\n1,1-10,220,120,80,150,\n",
        "sku,units\nA1,5\n",
        "kind,number,issuer,country,skus,valid_from,valid_to,file\nce,1,TUV,DE,A1,2026-01-01,2027-01-01,a.pdf\n",
    ]);
    all.extend(files![
        "config/catalog/items.csv",
        "config/catalog/codes.csv",
        "config/catalog/warehouses.csv",
        "config/catalog/lanes.csv",
        "config/catalog/certificates.csv",
    ]);
    all
}

pub fn plan_folders() -> Vec<Vec<u8>> {
    let names = [
        "sales.csv",
        "items.csv",
        "stock.csv",
        "inbound.csv",
        "warehouses.csv",
        "receipts.csv",
        "policy.toml",
    ];
    let small = files![
        "tests/fixtures/planner/small/sales.csv",
        "tests/fixtures/planner/small/items.csv",
        "tests/fixtures/planner/small/stock.csv",
        "tests/fixtures/planner/small/inbound.csv",
        "tests/fixtures/planner/small/warehouses.csv",
        "tests/fixtures/planner/small/receipts.csv",
        "tests/fixtures/planner/small/policy.toml",
    ];
    let each: Vec<Vec<u8>> = names
        .into_iter()
        .zip(small)
        .map(|(name, bytes)| [name.as_bytes(), b"\n", &bytes[..bytes.len().min(2_000)]].concat())
        .collect();
    vec![each.join(&0)]
}

pub fn connector_body() -> Vec<Vec<u8>> {
    let definitions = CONNECTORS
        .iter()
        .map(|(name, text)| Definition::parse(name, text).expect("a built-in connector"));
    let pages = definitions.flat_map(|one| one.file.test.into_iter().map(|test| test.page));
    (0_u16..)
        .zip(pages)
        .map(|(choice, page)| [&choice.to_le_bytes(), page.as_bytes()].concat())
        .collect()
}

pub fn packed() -> Vec<Vec<u8>> {
    vec![
        ROW_PER_SKU.to_vec(),
        gzip(TSV.as_bytes()),
        TSV.as_bytes().to_vec(),
    ]
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text).expect("written");
    gzip.finish().expect("finished")
}

pub fn labels_and_pictures() -> Vec<Vec<u8>> {
    let mut all = texts(&[
        "^XA^FO0,0^GFA,4,4,2,FFFF,:^FS^XZ",
        "^XA^FO0,0^GFA,100,8,2,gZ1,!!,^FS^XZ",
        "%PDF-1.7\n1 0 obj <</Type/Pages/Count 3>> endobj",
    ]);
    all.push(PLAIN_PDF.as_bytes().to_vec());
    all.push(written("outbound-instruction-pdf", &TO_GB));
    all.push(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\0\x80\x08\x02\0\0\0".to_vec());
    all.push(
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\0\x11\x08\0\x80\x01\0\x03\x01\x22\0"
            .to_vec(),
    );
    all
}
