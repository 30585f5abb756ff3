//! Every reader of foreign bytes, fed with spoilt files: none may panic or take long.
//!
//! A mutated corpus, not guided by coverage: the same seed gives the same inputs. A usual run tries a few hundred for each
//! target; `LINKSTAR_FUZZ_SECONDS=600` gives each so much time, `LINKSTAR_FUZZ_SEED` other inputs. An input that fails is
//! written to the system's temporary folder and named.

use std::io::{Cursor, Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use linkstar::digest::sha256_hex;
use linkstar::ids::WarehouseCode;
use linkstar::mapping::definition::{Mapping, builtin_file};
use linkstar::mapping::json::Json;
use linkstar::mapping::receipt_file::{self, Teller};
use linkstar::mapping::table::{self, Limits};
use linkstar::mapping::xlsx::carton_ranges;
use linkstar::mapping::xml::schema::SchemaSet;
use linkstar::mapping::{certificate_file, mail_file, packing_file};
use linkstar::pack::Tariff;

use crate::papers::orders::{self, Dice};
use crate::papers::{all, mapping};

/// How many inputs a usual run tries for each target.
const USUAL: usize = 150;
/// One input may take so long in a debug build on a busy machine.
const SLOW: Duration = Duration::from_secs(20);

const TOKENS: [&[u8]; 24] = [
    b"",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"<",
    b">",
    b"&#x1;",
    b"]]>",
    b"<!DOCTYPE a [",
    b"\"",
    b"'",
    b"{",
    b"}",
    b"[",
    b"|",
    b"~",
    b"*",
    b"9999999999999999999",
    b"-1",
    b"1e400",
    b"A1048577",
    b"../../x",
    b"\r\n\r\n",
    "\u{fffd}箱".as_bytes(),
];

fn place(dice: &mut Dice, length: usize) -> usize {
    usize::try_from(dice.roll() % (length as u64 + 1)).expect("small")
}

/// A few changes at random places.
fn spoilt(dice: &mut Dice, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = dice.one_of(corpus).clone();
    for _ in 0..dice.between(1, 6) {
        let at = place(dice, bytes.len());
        let until = (at + place(dice, 40)).min(bytes.len());
        match dice.between(0, 6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..until)),
            2 => {
                let piece = bytes[at..until].to_vec();
                bytes.splice(at..at, piece.repeat(20));
            }
            3 => {
                let token = dice.one_of(&TOKENS);
                bytes.splice(at..at, token.iter().copied());
            }
            4 => {
                let other = dice.one_of(corpus);
                let from = place(dice, other.len());
                let to = (from + place(dice, 200)).min(other.len());
                bytes.splice(at..until, other[from..to].iter().copied());
            }
            5 => {
                let token = dice.one_of(&TOKENS);
                bytes.splice(at..until, token.iter().copied());
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << dice.between(0, 7);
                }
            }
        }
    }
    bytes.truncate(4 << 20);
    bytes
}

/// Changes the text of one part of a ZIP, so that what is inside is reached and not only its wrapping.
fn spoilt_zip(dice: &mut Dice, corpus: &[Vec<u8>]) -> Vec<u8> {
    let whole = dice.one_of(corpus).clone();
    let Ok(mut zip) = zip::ZipArchive::new(Cursor::new(&whole)) else {
        return spoilt(dice, corpus);
    };
    if dice.between(0, 4) == 0 {
        return spoilt(dice, corpus);
    }
    let chosen = place(dice, zip.len().saturating_sub(1));
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..zip.len() {
        let mut part = zip.by_index(number).expect("a part");
        let name = part.name().expect("a name").into_owned();
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).expect("read");
        if number == chosen || name.contains("sheet1.xml") && dice.between(0, 1) == 0 {
            bytes = spoilt(dice, &[bytes]);
        }
        let options = zip::write::SimpleFileOptions::default();
        out.start_file(name, options).expect("started");
        out.write_all(&bytes).expect("written");
    }
    out.finish().expect("finished").into_inner()
}

/// What is done with an input.
type Run = Box<dyn Fn(&[u8])>;

struct Target {
    name: &'static str,
    corpus: Vec<Vec<u8>>,
    zipped: bool,
    run: Run,
}

fn seconds() -> Option<Duration> {
    let text = std::env::var("LINKSTAR_FUZZ_SECONDS").ok()?;
    Some(Duration::from_secs(
        text.parse().expect("LINKSTAR_FUZZ_SECONDS is a number"),
    ))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the time a target is given is a person's wall clock"
)]
fn fuzz(target: &Target) {
    let seed = std::env::var("LINKSTAR_FUZZ_SEED")
        .ok()
        .map_or(20_261_123, |text| {
            text.parse().expect("LINKSTAR_FUZZ_SEED is a number")
        });
    let dice = &mut Dice::new(seed ^ target.name.len() as u64);
    let time = seconds();
    let began = Instant::now();
    let mut tried = 0_usize;
    for whole in &target.corpus {
        (target.run)(whole);
    }
    loop {
        match time {
            Some(time) if began.elapsed() >= time => break,
            None if tried >= USUAL => break,
            _ => tried += 1,
        }
        let input = match target.zipped {
            true => spoilt_zip(dice, &target.corpus),
            false => spoilt(dice, &target.corpus),
        };
        let one = Instant::now();
        let ran = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
        let took = one.elapsed();
        if ran.is_err() || took > SLOW {
            let path = std::env::temp_dir().join(format!(
                "linkstar-fuzz-{}-{}",
                target.name,
                &sha256_hex(&input)[..12]
            ));
            std::fs::write(&path, &input).expect("kept");
            assert!(
                ran.is_ok() && took <= SLOW,
                "{}: {} after {tried} inputs, {took:?}; kept as {}",
                target.name,
                if ran.is_err() { "a panic" } else { "too slow" },
                path.display()
            );
        }
    }
    if time.is_some() {
        eprintln!("{}: {tried} inputs in {:?}, clean", target.name, began.elapsed());
    }
}

fn fixture(path: &str) -> Vec<u8> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read(&path).expect("a fixture")
}

fn written(id: &str, country: &str) -> Vec<u8> {
    let order = orders::declared(4, country);
    let written = mapping(id).write(&order, &orders::context(&order, 3));
    written.expect("written").bytes
}

fn texts(all: &[&str]) -> Vec<Vec<u8>> {
    all.iter().map(|text| text.as_bytes().to_vec()).collect()
}

const X12: &str = "ISA*00*          *00*          *ZZ*3PL            *ZZ*SELLER         *260504*0930*U*00401*000000007*0*P*>~\n\
GS*RE*3PL*SELLER*20260504*0930*7*X*004010~\nST*944*0001~\nW17*F*20261120*RCPT-5*SO-1*SHP-9~\nN1*WH*UK 3PL*91*UKMA~\n\
W07*400*EA*196272171026*VN*A1~\nW13*3*EA*02~\nSE*6*0001~\nGE*1*7~\nIEA*1*000000007~\n";
const MAIL: &str = "From: a@example.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\n\
Content-Type: text/plain\r\n\r\nsee below\r\n--b\r\nContent-Type: text/csv; name=\"r.csv\"\r\nContent-Transfer-Encoding: base64\r\n\
Content-Disposition: attachment; filename=\"=?GBK?B?yta2r7Wl?=.csv\"\r\n\r\nU0tVLHF0eQpBMSw1Cg==\r\n--b--\r\n";
const TSV: &str = "入库单号\tSKU\t数量\t时间\nSO-1\tA1\t5\t2026-11-20 10:00\nSO-1\tA2\t-3\t46000.5\n";
const HTML: &str = "<html><body><table><tr><th>SKU</th><th>qty</th></tr><tr><td rowspan=2>A1</td><td>5</td></tr><tr><td>&nbsp;6</td></tr></table>";

#[test]
fn tables_of_every_kind_never_panic() {
    let corpus = vec![
        fixture("tests/fixtures/documents/wimoor-customsTemplate.xlsx"),
        fixture("tests/fixtures/documents/row-per-sku.xlsx"),
        written("packing-list", "GB"),
    ];
    let read = |bytes: &[u8]| {
        for name in ["t.xlsx", "t.xls"] {
            let _ = table::read(name, bytes, &Limits::default());
        }
    };
    fuzz(&Target {
        name: "xlsx",
        corpus,
        zipped: true,
        run: Box::new(read),
    });
    let (gbk, _, _) = encoding_rs::GBK.encode(TSV);
    let mut corpus = texts(&[
        TSV,
        HTML,
        "a,b\n\"x\"\"y\",2\n",
        "<?xml version=\"1.0\"?><Workbook/>",
    ]);
    corpus.push(gbk.into_owned());
    let read = |bytes: &[u8]| {
        for name in ["t.csv", "t.tsv", "t.xls", "t.html"] {
            let _ = table::read(name, bytes, &Limits::default());
        }
    };
    fuzz(&Target {
        name: "text-tables",
        corpus,
        zipped: false,
        run: Box::new(read),
    });
}

#[test]
fn templates_and_edited_papers_never_panic() {
    let text = std::str::from_utf8(&fixture("tests/fixtures/documents/row-per-sku.toml"))
        .expect("UTF-8")
        .to_owned();
    let order = orders::declared(2, "GB");
    let context = orders::context(&order, 2);
    let fill = move |bytes: &[u8]| {
        // The mapping takes the spoilt workbook for its template.
        if let Ok(mapping) = Mapping::parse("x.toml", &text, &|_| Some(bytes.to_vec())) {
            let _ = mapping.write(&order, &context);
        }
    };
    let corpus = vec![fixture("tests/fixtures/documents/row-per-sku.xlsx")];
    fuzz(&Target {
        name: "template",
        corpus,
        zipped: true,
        run: Box::new(fill),
    });
    let order = orders::declared(4, "GB");
    let context = orders::context(&order, 3);
    let compare = move |bytes: &[u8]| {
        let _ = Mapping::compare(all(), Some("packing-list"), ("p.xlsx", bytes), &order, &context);
    };
    let corpus = vec![written("packing-list", "GB")];
    fuzz(&Target {
        name: "edited-workbook",
        corpus,
        zipped: true,
        run: Box::new(compare),
    });
}

#[test]
fn xml_and_json_documents_never_panic() {
    let corpus = vec![
        fixture("tests/fixtures/papers/oasis/UBL-Invoice-2.1-Example-Trivial.xml"),
        fixture("tests/fixtures/papers/hmrc/TT_IM001b__TT_IM001b.xml"),
        written("ceb-303-stocking-order", "US"),
        written("dec-message-export", "US"),
        written("ubl-packing-list", "GB"),
    ];
    let judge = |bytes: &[u8]| {
        for name in [
            "ubl-2.4",
            "cds-3.0",
            "ceb-303-unofficial",
            "dec-message-unofficial",
        ] {
            let set = SchemaSet::named(name).expect("carried").expect("compiles");
            let _ = set.validate("x.xml", bytes);
        }
    };
    fuzz(&Target {
        name: "xml",
        corpus,
        zipped: false,
        run: Box::new(judge),
    });
    let corpus = vec![written("dcsa-booking", "US"), written("isf-10-json", "US")];
    let judge = |bytes: &[u8]| {
        let _ = Json::read("x.json", bytes).map(|json| json.write());
        for name in ["dcsa-booking-2.0", "isf-10"] {
            let set = SchemaSet::named(name).expect("carried").expect("compiles");
            let _ = set.validate("x.json", bytes);
        }
    };
    fuzz(&Target {
        name: "json",
        corpus,
        zipped: false,
        run: Box::new(judge),
    });
}

#[test]
fn receipts_in_x12_ubl_and_tables_never_panic() {
    let mut corpus = texts(&[X12, TSV, "SKU,quantity,shipment\nA1,5,S1\n"]);
    corpus.push(fixture(
        "tests/fixtures/papers/oasis/UBL-ReceiptAdvice-2.0-Example.xml",
    ));
    let warehouse = WarehouseCode::new("goodcang:UKMA").expect("a code");
    let read = move |bytes: &[u8]| {
        let teller = Teller {
            warehouse: &warehouse,
            zone: chrono_tz::Europe::London,
            packs: &|_, _| None,
            is_ours: &|text| text.starts_with("SO-"),
        };
        let _ = receipt_file::read("r", bytes, &teller);
        let _ = receipt_file::texts("r", bytes);
    };
    fuzz(&Target {
        name: "receipts",
        corpus,
        zipped: false,
        run: Box::new(read),
    });
}

#[test]
fn mails_never_panic() {
    let read = |bytes: &[u8]| {
        let _ = mail_file::is_mail(bytes);
        let _ = mail_file::attachments(bytes);
    };
    fuzz(&Target {
        name: "mail",
        corpus: texts(&[MAIL]),
        zipped: false,
        run: Box::new(read),
    });
}

#[test]
fn mapping_files_and_tariffs_never_panic() {
    let corpus = ["packing-list", "isf-10-json", "huatuo-booking-gb", "carton-mark"]
        .iter()
        .map(|id| fixture(&format!("mappings/{id}.toml")))
        .collect();
    let order = orders::declared(4, "US");
    let context = orders::context(&order, 3);
    let read = move |bytes: &[u8]| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        if let Ok(mapping) = Mapping::parse("x.toml", text, &builtin_file) {
            let _ = mapping.write(&order, &context);
        }
        let _ = Tariff::read("x.toml", text);
    };
    fuzz(&Target {
        name: "mapping-toml",
        corpus,
        zipped: false,
        run: Box::new(read),
    });
}

#[test]
fn carton_ranges_packing_lists_and_certificate_lists_never_panic() {
    let ranges = |bytes: &[u8]| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            let _ = carton_ranges::parse(text);
        }
    };
    let corpus = texts(&["1-10,12", "1,2\n3", "#1~#5；7", "箱1－3，5", "4294967295-1"]);
    fuzz(&Target {
        name: "carton-ranges",
        corpus,
        zipped: false,
        run: Box::new(ranges),
    });
    let order = orders::order(4);
    let lists = move |bytes: &[u8]| {
        let _ = packing_file::read_packing("p.csv", bytes, &order);
        let _ = packing_file::read_stock("s.csv", bytes);
        let _ = certificate_file::read("c.csv", bytes);
    };
    let corpus = texts(&[
        "carton,sku,units,gross_kg,length_cm,width_cm,height_cm\n1-3,A1,10,5.5,40,30,20\n4,A2,3,2,40,30,20\n",
        "sku,units\nA1,5\n",
        "kind,number,issuer,country,skus,valid_from,valid_to,file\nce,1,TUV,DE,A1,2026-01-01,2027-01-01,a.pdf\n",
    ]);
    fuzz(&Target {
        name: "lists",
        corpus,
        zipped: false,
        run: Box::new(lists),
    });
}
