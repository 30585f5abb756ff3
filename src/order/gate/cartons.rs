//! What warehouse and channel take of cartons and pallets (R33), and figures that cannot be true.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::finding::SKU_PLACE;
use super::{Channel, Finding, Gate, Level, Scene};
use crate::money::Money;
use crate::order::model::{Carton, StockingOrder};
use crate::quantity::{Dims, centimetres, kilograms};

/// Limits; what is not said is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CartonLimits {
    pub max_g: Option<i64>,
    pub max_side_mm: Option<i64>,
    /// Longest side and twice the two others.
    pub max_girth_mm: Option<i64>,
    /// Whether a carton may hold several SKUs.
    pub mixed: Option<bool>,
    pub max_pallet_height_mm: Option<i64>,
    pub max_pallet_g: Option<i64>,
}

/// Why a carton costs more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extra {
    #[default]
    Heavy,
    Large,
}

impl Extra {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Heavy => "heavy",
            Self::Large => "large",
        }
    }
}

/// What cartons above the channel's weight or length cost more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surcharge {
    #[serde(default)]
    pub why: Extra,
    pub cartons: Vec<u32>,
    pub each: Money,
    pub total: Money,
}

/// What of a carton is held against a limit.
type Measure = fn(&Carton) -> i64;

/// The cost lines of heavy and of large cartons, where the channel has them. A carton that is both costs both.
#[must_use]
pub fn surcharges(order: &StockingOrder, channel: &Channel) -> Vec<Surcharge> {
    let kinds: [(Extra, _, _, Measure); 2] = [
        (Extra::Heavy, channel.heavy_over_g, channel.heavy_fee, |carton| {
            carton.gross_g
        }),
        (Extra::Large, channel.large_over_mm, channel.large_fee, |carton| {
            carton.dims.longest_mm()
        }),
    ];
    kinds
        .into_iter()
        .filter_map(|(why, limit, each, measure)| {
            let (limit, each) = (limit?, each?);
            let cartons: Vec<u32> = order
                .cartons
                .iter()
                .filter(|carton| measure(carton) > limit)
                .map(|carton| carton.no)
                .collect();
            let count = i64::try_from(cartons.len()).ok().filter(|count| *count > 0)?;
            Some(Surcharge {
                why,
                cartons,
                each,
                total: each.times(count),
            })
        })
        .collect()
}

/// Kilograms a cubic metre between which goods in cartons lie; beyond them a unit is usually wrong.
const DENSITY: (i64, i64) = (50, 2_000);

pub(super) fn examine(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    for carton in &scene.order.cartons {
        limits(scene, carton, ("warehouse", scene.warehouse), findings);
        limits(scene, carton, ("channel", &scene.channel.limits), findings);
        truth(scene, carton, findings);
    }
    part_cartons(scene, findings);
    for pallet in &scene.order.pallets {
        for (who, limits) in [("warehouse", scene.warehouse), ("channel", &scene.channel.limits)] {
            let place = format!("pallet {}", pallet.no);
            let over = |limit: Option<i64>, value: i64| limit.filter(|limit| value > *limit);
            if let Some(limit) = over(limits.max_pallet_height_mm, pallet.dims.height_mm) {
                let found = format!("{} cm", centimetres(pallet.dims.height_mm));
                let limit = format!("{} cm", centimetres(limit));
                tell(
                    scene,
                    Level::Block,
                    &place,
                    ("height_mm", &found),
                    (who, &limit),
                    findings,
                );
            }
            if let Some(limit) = over(limits.max_pallet_g, pallet.gross_g) {
                let found = format!("{} kg", kilograms(pallet.gross_g));
                let limit = format!("{} kg", kilograms(limit));
                tell(
                    scene,
                    Level::Block,
                    &place,
                    ("gross_g", &found),
                    (who, &limit),
                    findings,
                );
            }
        }
    }
    for surcharge in surcharges(scene.order, scene.channel) {
        let found = format!("{} of {}", surcharge.cartons.len(), scene.order.cartons.len());
        let (field, over) = match surcharge.why {
            Extra::Heavy => (
                "carton_gross_g",
                kilograms(scene.channel.heavy_over_g.unwrap_or_default()),
            ),
            Extra::Large => (
                "carton_length_mm",
                centimetres(scene.channel.large_over_mm.unwrap_or_default()),
            ),
        };
        let places = [
            ("over", over.normalize().to_string()),
            ("each", surcharge.each.to_string()),
            ("total", surcharge.total.to_string()),
        ];
        let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
        findings.push(Finding::new(
            (Gate::Cartons, Level::Warn),
            scene.order,
            "",
            (field, &found),
            (&format!("cartons.{}", surcharge.why.code()), &places),
        ));
    }
}

/// Lines that do not fill their cartons: told, because the rest travels in a carton of its own or with others.
fn part_cartons(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    for line in &scene.order.lines {
        let facts = scene.goods.get(&line.goods.sku);
        let full = facts
            .and_then(|facts| facts.carton_units)
            .filter(|full| *full > 1);
        let Some(full) = full.filter(|full| line.units % full != 0) else {
            continue;
        };
        findings.push(Finding::new(
            (Gate::Cartons, Level::Warn),
            scene.order,
            format!("{SKU_PLACE}{}", line.goods.sku),
            ("units", &line.units.to_string()),
            ("cartons.part", &[("full", &full.to_string())]),
        ));
    }
}

/// Whose specification is to be mended: the SKU's, or the carton itself when it is mixed. Alike cartons of one SKU give
/// one finding.
fn place_of(order: &StockingOrder, carton: &Carton) -> String {
    match carton.contents.as_slice() {
        [only] => match order.line(only.line) {
            Some(line) => format!("{SKU_PLACE}{}", line.goods.sku),
            None => format!("carton {}", carton.no),
        },
        _ => format!("carton {}", carton.no),
    }
}

fn tell(
    scene: &Scene<'_>,
    level: Level,
    place: &str,
    (field, found): (&str, &str),
    (who, limit): (&str, &str),
    findings: &mut Vec<Finding>,
) {
    findings.push(Finding::new(
        (Gate::Cartons, level),
        scene.order,
        place,
        (field, found),
        (&format!("cartons.{who}"), &[("limit", limit)]),
    ));
}

fn limits(
    scene: &Scene<'_>,
    carton: &Carton,
    (who, limits): (&str, &CartonLimits),
    findings: &mut Vec<Finding>,
) {
    let place = place_of(scene.order, carton);
    if let Some(limit) = limits.max_g.filter(|limit| carton.gross_g > *limit) {
        let found = format!("{} kg", kilograms(carton.gross_g));
        let limit = format!("{} kg", kilograms(limit));
        tell(
            scene,
            Level::Block,
            &place,
            ("carton_gross_g", &found),
            (who, &limit),
            findings,
        );
    }
    let side = carton.dims.longest_mm();
    let excused = oversized_unit(scene, carton).is_some_and(|unit| unit + SPARE_MM >= side);
    if let Some(limit) = limits.max_side_mm.filter(|limit| side > *limit && !excused) {
        let found = format!("{} cm", centimetres(side));
        let limit = format!("{} cm", centimetres(limit));
        tell(
            scene,
            Level::Block,
            &place,
            ("carton_length_mm", &found),
            (who, &limit),
            findings,
        );
    }
    let girth = girth_mm(carton.dims);
    if let Some(limit) = limits.max_girth_mm.filter(|limit| girth > *limit) {
        let found = format!("{} cm", centimetres(girth));
        let limit = format!("{} cm", centimetres(limit));
        tell(
            scene,
            Level::Block,
            &place,
            ("carton_girth", &found),
            (who, &limit),
            findings,
        );
    }
    if limits.mixed == Some(false) && carton.contents.len() > 1 {
        let found = format!("{} SKUs", carton.contents.len());
        findings.push(Finding::new(
            (Gate::Cartons, Level::Block),
            scene.order,
            &place,
            ("contents", &found),
            (&format!("cartons.{who}_mixed"), &[]),
        ));
    }
}

/// Padding around a unit that is longer than the limit.
const SPARE_MM: i64 = 50;

/// A single unit that no smaller carton could hold.
fn oversized_unit(scene: &Scene<'_>, carton: &Carton) -> Option<i64> {
    let [only] = carton.contents.as_slice() else {
        return None;
    };
    let line = scene.order.line(only.line).filter(|_| only.units == 1)?;
    scene.goods.get(&line.goods.sku)?.unit_longest_mm
}

/// Longest side plus twice the sum of the others (Gurtmaß).
fn girth_mm(dims: Dims) -> i64 {
    let longest = dims.longest_mm();
    let others = dims.length_mm + dims.width_mm + dims.height_mm - longest;
    longest + 2 * others
}

fn truth(scene: &Scene<'_>, carton: &Carton, findings: &mut Vec<Finding>) {
    let place = place_of(scene.order, carton);
    if carton.net_g > carton.gross_g {
        let found = format!("{} kg", kilograms(carton.net_g));
        let gross = format!("{} kg", kilograms(carton.gross_g));
        findings.push(Finding::new(
            (Gate::Cartons, Level::Block),
            scene.order,
            &place,
            ("unit_net_g", &found),
            ("cartons.net", &[("gross", &gross)]),
        ));
    }
    let volume = carton.dims.volume_mm3();
    if volume <= 0 || carton.gross_g <= 0 {
        findings.push(Finding::new(
            (Gate::Cartons, Level::Block),
            scene.order,
            &place,
            ("carton", ""),
            ("cartons.empty", &[]),
        ));
        return;
    }
    // g/mm³ is 10⁶ kg/m³.
    let density = Decimal::from(carton.gross_g) * Decimal::from(1_000_000) / Decimal::from(volume);
    if density < Decimal::from(DENSITY.0) || density > Decimal::from(DENSITY.1) {
        let found = format!("{} kg/m³", density.round());
        findings.push(Finding::new(
            (Gate::Cartons, Level::Warn),
            scene.order,
            &place,
            ("carton", &found),
            ("cartons.density", &[]),
        ));
    }
}
