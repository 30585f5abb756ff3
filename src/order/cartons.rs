//! The carton plan: full cartons by the item's packing specification, the rest in one last carton per line, or the rests of
//! several lines together where warehouse and channel take mixed cartons.

use serde::{Deserialize, Serialize};

use super::model::{Carton, CartonContent};
use crate::quantity::Dims;

/// How an item is packed, from the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartonSpec {
    pub units: i64,
    pub dims: Dims,
    pub gross_g: i64,
    pub unit_net_g: i64,
    pub unit_gross_g: i64,
}

impl CartonSpec {
    /// Weight of the empty carton with its filling; never negative, the import has checked the sum.
    fn tare_g(&self) -> i64 {
        (self.gross_g - self.units * self.unit_gross_g).max(0)
    }
}

/// Packs one line, numbering on from `first_no`. `mark_base` is what the carton id begins with.
#[must_use]
pub fn pack(line: u32, units: i64, spec: &CartonSpec, first_no: u32, mark_base: &str) -> Vec<Carton> {
    if units <= 0 || spec.units <= 0 {
        return Vec::new();
    }
    let full = units / spec.units;
    let rest = units % spec.units;
    let sizes =
        std::iter::repeat_n(spec.units, usize::try_from(full).unwrap_or(0)).chain((rest > 0).then_some(rest));
    sizes
        .zip(first_no..)
        .map(|(inside, no)| Carton {
            no,
            mark: carton_mark(mark_base, no),
            contents: vec![CartonContent { line, units: inside }],
            net_g: inside * spec.unit_net_g,
            gross_g: inside * spec.unit_gross_g + spec.tare_g(),
            dims: spec.dims,
            sscc: String::new(),
        })
        .collect()
}

/// What a mixed carton may be. Without it every rest has a carton of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Packing {
    pub mixed: bool,
    /// Heaviest carton that warehouse and channel take.
    pub max_g: Option<i64>,
}

/// A line as it is packed.
#[derive(Debug, Clone, Copy)]
pub struct LineSpec<'a> {
    pub line: u32,
    pub units: i64,
    pub spec: &'a CartonSpec,
    /// Goes into no carton with other goods.
    pub apart: bool,
}

/// So much of a mixed carton's volume is filled at most: goods of different shapes do not lie without gaps.
const MIXED_FILL_PERCENT: i64 = 85;

/// Packs every line, numbered on from 1: first each line's full cartons, in the order of the lines, then the rests.
#[must_use]
pub fn pack_all(lines: &[LineSpec<'_>], packing: &Packing, mark_base: &str) -> Vec<Carton> {
    let mut cartons: Vec<Carton> = Vec::new();
    let mut rests: Vec<LineSpec<'_>> = Vec::new();
    for one in lines {
        let first_no = next_no(&cartons);
        if !packing.mixed || one.apart || one.spec.units <= 0 {
            cartons.extend(pack(one.line, one.units, one.spec, first_no, mark_base));
            continue;
        }
        let rest = one.units.max(0) % one.spec.units;
        cartons.extend(pack(one.line, one.units - rest, one.spec, first_no, mark_base));
        if rest > 0 {
            rests.push(LineSpec { units: rest, ..*one });
        }
    }
    for group in shared(&rests, packing) {
        let no = next_no(&cartons);
        match group.as_slice() {
            [only] => cartons.extend(pack(only.line, only.units, only.spec, no, mark_base)),
            group => cartons.extend(mixed_carton(group, no, mark_base)),
        }
    }
    cartons
}

fn next_no(cartons: &[Carton]) -> u32 {
    u32::try_from(cartons.len()).unwrap_or(u32::MAX).saturating_add(1)
}

/// How much of a carton of its own specification so many units of a line take, in millionths.
fn share(one: &LineSpec<'_>) -> i64 {
    one.units * 1_000_000 / one.spec.units.max(1)
}

/// Rests that share a carton: the fullest first, each into the first carton that has room. The carton is the largest of
/// those that its goods come in.
fn shared<'a>(rests: &[LineSpec<'a>], packing: &Packing) -> Vec<Vec<LineSpec<'a>>> {
    let mut sorted = rests.to_vec();
    sorted.sort_by_key(|one| (std::cmp::Reverse(share(one)), one.line));
    let mut groups: Vec<Vec<LineSpec<'a>>> = Vec::new();
    for one in sorted {
        let room = groups.iter_mut().find(|group| {
            let mut with = group.to_vec();
            with.push(one);
            fits(&with, packing)
        });
        match room {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    for group in &mut groups {
        group.sort_by_key(|one| one.line);
    }
    groups.sort_by_key(|group| group.first().map_or(0, |one| one.line));
    groups
}

fn largest<'a>(group: &[LineSpec<'a>]) -> Option<&'a CartonSpec> {
    group
        .iter()
        .map(|one| one.spec)
        .max_by_key(|spec| (spec.dims.volume_mm3(), spec.gross_g))
}

fn fits(group: &[LineSpec<'_>], packing: &Packing) -> bool {
    let Some(carton) = largest(group) else {
        return false;
    };
    // A unit takes its part of the carton it comes in.
    let volume: i64 = group
        .iter()
        .map(|one| one.spec.dims.volume_mm3() / one.spec.units.max(1) * one.units)
        .sum();
    let room = carton.dims.volume_mm3() / 100 * MIXED_FILL_PERCENT;
    let gross = gross_g(group, carton);
    volume <= room && packing.max_g.is_none_or(|limit| gross <= limit)
}

fn gross_g(group: &[LineSpec<'_>], carton: &CartonSpec) -> i64 {
    let goods: i64 = group.iter().map(|one| one.units * one.spec.unit_gross_g).sum();
    goods + carton.tare_g()
}

fn mixed_carton(group: &[LineSpec<'_>], no: u32, mark_base: &str) -> Option<Carton> {
    let carton = largest(group)?;
    Some(Carton {
        no,
        mark: carton_mark(mark_base, no),
        contents: group
            .iter()
            .map(|one| CartonContent {
                line: one.line,
                units: one.units,
            })
            .collect(),
        net_g: group.iter().map(|one| one.units * one.spec.unit_net_g).sum(),
        gross_g: gross_g(group, carton),
        dims: carton.dims,
        sscc: String::new(),
    })
}

/// The id on a carton's mark: the order or inbound number and a running number, as Amazon and 3PLs write it.
#[must_use]
pub fn carton_mark(base: &str, no: u32) -> String {
    format!("{base}U{no:06}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spec(units: i64) -> CartonSpec {
        CartonSpec {
            units,
            dims: Dims {
                length_mm: 500,
                width_mm: 400,
                height_mm: 300,
            },
            gross_g: units * 320 + 800,
            unit_net_g: 300,
            unit_gross_g: 320,
        }
    }

    #[test]
    fn a_rest_goes_into_one_last_lighter_carton() {
        let cartons = pack(1, 100, &spec(48), 5, "BH1");
        let sizes: Vec<i64> = cartons.iter().map(Carton::units).collect();
        assert_eq!(sizes, [48, 48, 4]);
        assert_eq!(cartons[2].gross_g, 4 * 320 + 800);
        assert_eq!(cartons[0].mark, "BH1U000005");
    }

    #[test]
    fn rests_share_a_carton_where_it_is_allowed_and_batteries_never() {
        let spec = spec(20);
        let line = |line, units, apart| LineSpec {
            line,
            units,
            spec: &spec,
            apart,
        };
        let lines = [line(1, 25, false), line(2, 24, false), line(3, 26, true)];
        let packing = Packing {
            mixed: true,
            max_g: None,
        };
        let told = |packing: &Packing| -> Vec<Vec<(u32, i64)>> {
            pack_all(&lines, packing, "BH1")
                .iter()
                .map(|carton| carton.contents.iter().map(|one| (one.line, one.units)).collect())
                .collect()
        };
        let apart = [vec![(1, 20)], vec![(2, 20)], vec![(3, 20)], vec![(3, 6)]];
        assert_eq!(told(&packing), [&apart[..], &[vec![(1, 5), (2, 4)]]].concat());
        assert_eq!(told(&Packing::default()).len(), 6);
        let light = Packing {
            mixed: true,
            max_g: Some(3_000),
        };
        assert_eq!(told(&light).len(), 6, "together they are too heavy");
    }

    proptest! {
        #[test]
        fn r30_mixed_or_not_every_unit_is_in_one_carton_and_numbers_have_no_holes(
            lines in proptest::collection::vec((1_i64..500, 1_i64..60, proptest::bool::ANY), 1..8),
            mixed in proptest::bool::ANY,
            max_g in proptest::option::of(5_000_i64..40_000),
        ) {
            let specs: Vec<CartonSpec> = lines.iter().map(|(_, per, _)| spec(*per)).collect();
            let asked: Vec<LineSpec<'_>> = lines
                .iter()
                .zip(&specs)
                .zip(1_u32..)
                .map(|(((units, _, apart), spec), line)| LineSpec { line, units: *units, spec, apart: *apart })
                .collect();
            let packing = Packing { mixed, max_g };
            let cartons = pack_all(&asked, &packing, "X");
            for (carton, no) in cartons.iter().zip(1_u32..) {
                prop_assert_eq!(carton.no, no);
                prop_assert!(carton.net_g <= carton.gross_g);
                if carton.contents.len() > 1 {
                    prop_assert!(mixed && max_g.is_none_or(|limit| carton.gross_g <= limit));
                    prop_assert!(carton.contents.iter().all(|one| !lines[one.line as usize - 1].2));
                }
            }
            for one in &asked {
                let packed: i64 = cartons
                    .iter()
                    .flat_map(|carton| &carton.contents)
                    .filter(|content| content.line == one.line)
                    .map(|content| content.units)
                    .sum();
                prop_assert_eq!(packed, one.units);
            }
        }

        #[test]
        fn cartons_hold_exactly_the_line_and_are_numbered_without_holes(units in 1_i64..5_000, per in 1_i64..300) {
            let cartons = pack(3, units, &spec(per), 1, "X");
            prop_assert_eq!(cartons.iter().map(Carton::units).sum::<i64>(), units);
            for (carton, no) in cartons.iter().zip(1_u32..) {
                prop_assert_eq!(carton.no, no);
                prop_assert!(carton.net_g <= carton.gross_g);
            }
        }
    }
}
