//! Photographs of carton labels in place of a scan (R32): which picture shows which cartons.

use std::collections::{BTreeMap, BTreeSet};

use super::packing_file::ScanBack;
use super::table::{self, Column, Limits};
use super::xlsx::carton_ranges;
use crate::order::StockingOrder;
use crate::problem::Problem;

const PHOTOS: [Column; 2] = [
    Column::required("carton").or(&["箱号", "carton no", "cartons"]),
    Column::required("photo").or(&["照片", "照片文件", "图片", "file", "picture"]),
];

/// What is wrong with a picture, from how long it is and how it begins, as the words after "wanted".
#[must_use]
pub fn picture_fault(bytes: u64, head: &[u8]) -> Option<&'static str> {
    let known = head.starts_with(b"\xff\xd8\xff")
        || head.starts_with(b"\x89PNG\r\n\x1a\n")
        || head.get(4..8) == Some(b"ftyp")
        || (head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP"));
    match (bytes, known) {
        (0, _) => Some("a picture that is not empty"),
        (_, false) => Some("a JPEG, PNG, HEIC or WebP picture"),
        _ => None,
    }
}

/// Compares a list of photographs with the cartons of an order: every carton on one of them, none of another order. `folder` are
/// the pictures that came with it, by name, each with what is wrong with it; `None`: only their names came.
///
/// # Errors
/// Everything that cannot be read of the list, at once.
pub fn photo_list(
    name: &str,
    bytes: &[u8],
    order: &StockingOrder,
    others: &BTreeSet<String>,
    folder: Option<&BTreeMap<String, Option<&'static str>>>,
) -> Result<ScanBack, Vec<Problem>> {
    let table = table::read(name, bytes, &Limits::default()).map_err(|problem| vec![problem])?;
    let columns = table.columns(&PHOTOS)?;
    let mut result = ScanBack::default();
    let mut problems = Vec::new();
    let mut shown: BTreeSet<u32> = BTreeSet::new();
    let last = order.cartons.len();
    for mut row in columns.rows() {
        let photo = row.required("photo", "the name of a picture", |text| {
            Some(text.to_owned()).filter(|text| !text.is_empty())
        });
        let text = row.cell("carton").to_owned();
        let cartons = match carton_ranges::parse(&text) {
            Ok(cartons) => cartons,
            Err(error) => {
                row.refuse("carton", format!("carton numbers like 1-10,12 ({error})"));
                Vec::new()
            }
        };
        let more = row.into_problems();
        let (Some(photo), true) = (photo, more.is_empty()) else {
            problems.extend(more);
            continue;
        };
        let mut tell = |field: &str, found: &str, wanted: String| {
            let place = format!("carton {text}");
            result
                .findings
                .push(Problem::new(name, place, field, found, wanted));
        };
        let upper = photo.to_uppercase();
        if let Some(other) = others
            .iter()
            .find(|other| upper.starts_with(&other.to_uppercase()))
        {
            let wanted = format!("a picture of {}; this one is of order {other}", order.number);
            tell("photo", &photo, wanted);
            continue;
        }
        let fault = folder.and_then(|folder| match folder.get(&photo) {
            None => Some("a picture of that name beside the list"),
            Some(fault) => *fault,
        });
        if let Some(wanted) = fault {
            tell("photo", &photo, wanted.to_owned());
            continue;
        }
        for carton in cartons {
            if order.cartons.iter().any(|known| known.no == carton) {
                result.scanned += usize::from(shown.insert(carton));
            } else {
                let found = carton.to_string();
                tell(
                    "carton",
                    &found,
                    format!("a carton of {}, from 1 to {last}", order.number),
                );
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    for carton in order.cartons.iter().filter(|carton| !shown.contains(&carton.no)) {
        result.findings.push(Problem::new(
            name,
            format!("carton {}", carton.no),
            "photo",
            "",
            format!("a picture that shows the label {}", carton.mark),
        ));
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Carton;
    use crate::order::gate::tests::order;

    fn twelve() -> StockingOrder {
        let mut order = order("DE", "lamp");
        let carton = order.cartons[0].clone();
        order.cartons = (1..=12)
            .map(|no| Carton {
                no,
                mark: format!("BH260907-01U{no:06}"),
                ..carton.clone()
            })
            .collect();
        order
    }

    #[test]
    fn r32_a_photo_list_names_every_carton_without_a_picture_and_every_picture_that_is_none() {
        let others = BTreeSet::from(["BH260801-03".to_owned()]);
        let list = "箱号,照片\n1-5,a.jpg\n6,b.jpg\n8,b.jpg\n10,gone.jpg\n11,empty.jpg\n12,BH260801-03_4.jpg\n13,a.jpg\n";
        let folder = BTreeMap::from([
            ("a.jpg".to_owned(), picture_fault(9, b"\xff\xd8\xff\xe0")),
            ("b.jpg".to_owned(), None),
            ("empty.jpg".to_owned(), picture_fault(0, b"")),
        ]);
        let found = photo_list("photos.csv", list.as_bytes(), &twelve(), &others, Some(&folder)).unwrap();
        assert_eq!(found.scanned, 7);
        let said: Vec<String> = found.findings.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(said.join("\n"), @"
        photos.csv, carton 10, `photo`: found `gone.jpg`, wanted a picture of that name beside the list
        photos.csv, carton 11, `photo`: found `empty.jpg`, wanted a picture that is not empty
        photos.csv, carton 12, `photo`: found `BH260801-03_4.jpg`, wanted a picture of BH260907-01; this one is of order BH260801-03
        photos.csv, carton 13, `carton`: found `13`, wanted a carton of BH260907-01, from 1 to 12
        photos.csv, carton 7, `photo`: found ``, wanted a picture that shows the label BH260907-01U000007
        photos.csv, carton 9, `photo`: found ``, wanted a picture that shows the label BH260907-01U000009
        photos.csv, carton 10, `photo`: found ``, wanted a picture that shows the label BH260907-01U000010
        photos.csv, carton 11, `photo`: found ``, wanted a picture that shows the label BH260907-01U000011
        photos.csv, carton 12, `photo`: found ``, wanted a picture that shows the label BH260907-01U000012
        ");
        let all = photo_list("p.csv", b"carton,photo\n1-12,all.jpg\n", &twelve(), &others, None).unwrap();
        assert_eq!((all.scanned, all.findings.len()), (12, 0));
        let faulty = photo_list(
            "p.csv",
            b"carton,photo\n3-1,x.jpg\n2,\n",
            &twelve(),
            &others,
            None,
        );
        assert_eq!(faulty.unwrap_err().len(), 2);
        assert_eq!(picture_fault(9, b"MZ"), Some("a JPEG, PNG, HEIC or WebP picture"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(text in "(1-3|9|,|;|\n|carton|photo|a.jpg|.){0,60}") {
            let _ = photo_list("p", text.as_bytes(), &twelve(), &BTreeSet::new(), None);
        }
    }
}
