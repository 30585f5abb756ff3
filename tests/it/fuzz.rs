//! Every reader of foreign bytes, fed with spoilt files: none may panic or take long.
//!
//! The readers and their corpora are those of `fuzz/` (docs/fuzzing.md). Mutated here, not guided by coverage: the same seed
//! gives the same inputs. A usual run tries some for each reader; `LINKSTAR_FUZZ_SECONDS=600` gives each so much time,
//! `LINKSTAR_FUZZ_SEED` other inputs. An input that fails is written to the system's temporary folder and named.

#[path = "../../fuzz/src/readers/mod.rs"]
mod readers;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use linkstar::digest::sha256_hex;

use self::readers::{ALL, Reader};
use crate::papers::orders::{self, Dice};

/// How many inputs a usual run tries for each reader.
const USUAL: usize = 60;
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
fn spoil(reader: &Reader) {
    let seed = std::env::var("LINKSTAR_FUZZ_SEED")
        .ok()
        .map_or(20_261_123, |text| {
            text.parse().expect("LINKSTAR_FUZZ_SEED is a number")
        });
    let dice = &mut Dice::new(seed ^ reader.name.len() as u64);
    let time = seconds();
    let began = Instant::now();
    let mut tried = 0_usize;
    let corpus = (reader.seeds)();
    for whole in &corpus {
        (reader.run)(whole);
    }
    loop {
        match time {
            Some(time) if began.elapsed() >= time => break,
            None if tried >= USUAL => break,
            _ => tried += 1,
        }
        let input = spoilt(dice, &corpus);
        let one = Instant::now();
        let ran = catch_unwind(AssertUnwindSafe(|| (reader.run)(&input)));
        let took = one.elapsed();
        if ran.is_err() || took > SLOW {
            let path = std::env::temp_dir().join(format!(
                "linkstar-fuzz-{}-{}",
                reader.name,
                &sha256_hex(&input)[..12]
            ));
            std::fs::write(&path, &input).expect("kept");
            assert!(
                ran.is_ok() && took <= SLOW,
                "{}: {} after {tried} inputs, {took:?}; kept as {}",
                reader.name,
                if ran.is_err() { "a panic" } else { "too slow" },
                path.display()
            );
        }
    }
    if time.is_some() {
        eprintln!("{}: {tried} inputs in {:?}, clean", reader.name, began.elapsed());
    }
}

macro_rules! spoilt_files {
    ($($name:ident: $($reader:literal),+;)*) => {
        $(#[test]
        fn $name() {
            for name in [$($reader),+] {
                spoil(ALL.iter().find(|reader| reader.name == name).expect("a reader"));
            }
        })*

        #[test]
        fn every_reader_is_tried() {
            let tried = [$($($reader),+),*];
            let all: Vec<&str> = ALL.iter().map(|reader| reader.name).collect();
            assert_eq!(all, tried);
        }
    };
}

spoilt_files! {
    workbooks_never_panic: "workbook", "workbook_parts";
    templates_and_edited_papers_never_panic: "template", "edited_papers";
    tables_as_text_never_panic: "text_tables";
    xml_and_json_documents_never_panic: "xml", "json";
    receipts_in_x12_ubl_and_tables_never_panic: "receipts";
    files_of_forwarders_and_mails_never_panic: "inbound_files", "mails";
    mapping_files_never_panic: "mapping_toml";
    declared_files_never_panic: "declared_toml";
    carton_ranges_lists_and_plan_folders_never_panic: "carton_ranges_text", "lists", "plan_folders";
    answers_of_connectors_never_panic: "connector_body", "packed";
    labels_and_pictures_never_panic: "labels_and_pictures";
}

#[test]
fn seeds_as_other_programs_write_them_are_read_and_not_only_refused() {
    use linkstar::mapping::pdf::read::runs;
    use linkstar::mapping::table::{self, Limits};
    use linkstar::mapping::xlsx::insert_rows;

    use self::readers::{ROW_PER_SKU, SHEETS, dressed, seeds};

    let rows = |bytes: &[u8]| -> Vec<Vec<String>> {
        let table = table::read("t.xlsx", bytes, &Limits::default()).expect("a workbook");
        table.raw_rows().map(|(_, cells)| cells.to_vec()).collect()
    };
    let plain = rows(ROW_PER_SKU);
    let prefixed = dressed::prefixed(ROW_PER_SKU);
    assert_eq!(rows(&prefixed), plain);
    assert!(insert_rows(&prefixed, SHEETS[0], 7, 2).is_ok());
    let pivot = dressed::with_pivot(ROW_PER_SKU);
    assert_eq!(rows(&pivot)[..plain.len()], plain);
    let split = insert_rows(&pivot, SHEETS[0], 5, 2).expect_err("refused");
    assert!(split.to_string().contains("a pivot table in R3:S8"), "{split}");
    let spilt = insert_rows(&pivot, SHEETS[0], 41, 2).expect_err("refused");
    assert!(
        spilt.to_string().contains("the spilling formula in P40:P42"),
        "{spilt}"
    );
    assert!(insert_rows(&pivot, SHEETS[0], 20, 2).is_ok());
    let texts: Vec<String> = runs(seeds::PLAIN_PDF.as_bytes())
        .expect("a PDF")
        .into_iter()
        .map(|run| run.text)
        .collect();
    assert_eq!(texts, ["\u{7bb1}A", "A"]);
}
