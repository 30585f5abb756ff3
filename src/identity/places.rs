//! UN/LOCODE: ports, airports and other places of transport.

use std::io::Read as _;
use std::sync::LazyLock;

use super::Flaw;

/// What happens at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Functions(u8);

impl Functions {
    #[must_use]
    pub fn sea_port(self) -> bool {
        self.0 & 1 != 0
    }

    #[must_use]
    pub fn rail(self) -> bool {
        self.0 & 2 != 0
    }

    #[must_use]
    pub fn road(self) -> bool {
        self.0 & 4 != 0
    }

    #[must_use]
    pub fn airport(self) -> bool {
        self.0 & 8 != 0
    }
}

/// Seven bytes a place, in the order of the codes.
static PLACES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut bytes = Vec::new();
    let packed = include_bytes!("data/unlocode-2022-2.bin.gz");
    // The list is part of the program; if it did not unpack, a test would find no place at all.
    match flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes) {
        Ok(_) => bytes,
        Err(_) => Vec::new(),
    }
});

const WIDTH: usize = 7;

/// What the list says of a code such as `CNYTN`; `None`: the list does not have it.
#[must_use]
pub fn function_of(code: &str) -> Option<Functions> {
    let (places, _) = PLACES.as_chunks::<WIDTH>();
    let found = places
        .binary_search_by(|place| place.get(..5).unwrap_or_default().cmp(code.as_bytes()))
        .ok()?;
    let bits = places.get(found)?.get(5..)?;
    u8::from_str_radix(str::from_utf8(bits).ok()?, 16)
        .ok()
        .map(Functions)
}

/// A place's code on papers: it has to be in the list. Whether it is a sea port or an airport is the caller's question, because
/// inland depots are written there too.
///
/// # Errors
/// Why it cannot be one.
pub fn port(code: &str) -> Result<Functions, Flaw> {
    let framed = code.len() == 5
        && code.bytes().take(2).all(|byte| byte.is_ascii_uppercase())
        && code
            .bytes()
            .skip(2)
            .all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'9').contains(&byte));
    if !framed {
        return Err(Flaw::Form(
            "a UN/LOCODE: two letters of the country and three letters or digits 2 to 9, like CNYTN",
        ));
    }
    function_of(code).ok_or(Flaw::Unlisted("UN/LOCODE 2022-2"))
}
