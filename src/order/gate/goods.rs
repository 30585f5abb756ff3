//! What the goods are and whether the channel takes them (R27).

use serde::{Deserialize, Serialize};

use super::finding::SKU_PLACE;
use super::{CartonLimits, Finding, Gate, Level, Scene};
use crate::identity;
use crate::money::Money;
use crate::order::model::Goods;
use crate::order::rules::Flag;

/// What a forwarder's service takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Channel {
    /// Yes, no, or not said.
    pub battery: Option<bool>,
    pub magnet: Option<bool>,
    pub liquid: Option<bool>,
    pub powder: Option<bool>,
    /// Goods with and without batteries may not be in one shipment.
    pub battery_apart: bool,
    pub limits: CartonLimits,
    /// A carton above it costs `heavy_fee` more.
    pub heavy_over_g: Option<i64>,
    pub heavy_fee: Option<Money>,
    /// A carton whose longest side is above it costs `large_fee` more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub large_over_mm: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub large_fee: Option<Money>,
}

impl Channel {
    /// Whether nothing is said of it.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    #[must_use]
    pub fn takes(&self, flag: Flag) -> Option<bool> {
        match flag {
            Flag::Battery => self.battery,
            Flag::Magnet => self.magnet,
            Flag::Liquid => self.liquid,
            Flag::Powder => self.powder,
        }
    }

    /// Whether it refuses any of these flags: then it is not offered.
    #[must_use]
    pub fn refuses(&self, flags: impl IntoIterator<Item = Flag>) -> Option<Flag> {
        flags.into_iter().find(|flag| self.takes(*flag) == Some(false))
    }
}

pub(super) fn examine(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let order = scene.order;
    let service = if order.service.is_empty() {
        order.forwarder.as_str()
    } else {
        &order.service
    };
    for line in &order.lines {
        let place = format!("{SKU_PLACE}{}", line.goods.sku);
        for flag in Flag::ALL.into_iter().filter(|flag| flag.is_set(&line.goods)) {
            let (level, key) = match scene.channel.takes(flag) {
                Some(true) => continue,
                Some(false) => (Level::Block, "goods.refused"),
                None => (Level::Warn, "goods.unsaid"),
            };
            findings.push(Finding::new(
                (Gate::Goods, level),
                order,
                &place,
                (flag.code(), "yes"),
                (key, &[("service", service), ("flag", flag.code())]),
            ));
        }
        if !line.goods.battery
            && let Some(why) = looks_like_battery(&line.goods)
        {
            findings.push(Finding::new(
                (Gate::Goods, Level::Warn),
                order,
                &place,
                ("battery", "no"),
                ("goods.battery_hint", &[("why", &why)]),
            ));
        }
    }
    for line in &order.lines {
        let goods = &line.goods;
        let place = format!("{SKU_PLACE}{}", goods.sku);
        for (field, code) in [("hs_cn", &goods.hs_cn), ("hs_destination", &goods.hs_destination)] {
            // Chapters 98 and 99 are each country's own.
            let own = code.starts_with("98") || code.starts_with("99");
            if code.get(..6).is_some_and(|six| !own && !identity::hs6(six)) {
                findings.push(Finding::new(
                    (Gate::Goods, Level::Warn),
                    order,
                    &place,
                    (field, code),
                    ("goods.hs_unknown", &[]),
                ));
            }
        }
        if goods.hs_cn.len() >= 6
            && goods.hs_destination.len() >= 6
            && !identity::agree(&goods.hs_cn, &goods.hs_destination)
        {
            findings.push(Finding::new(
                (Gate::Goods, Level::Warn),
                order,
                &place,
                ("hs_destination", &goods.hs_destination),
                ("goods.hs", &[("hs", goods.hs_cn.as_str())]),
            ));
        }
    }
    let with = order.lines.iter().filter(|line| line.goods.battery).count();
    if scene.channel.battery_apart && with > 0 && with < order.lines.len() {
        let found = format!("{with} of {} lines", order.lines.len());
        findings.push(Finding::new(
            (Gate::Goods, Level::Block),
            order,
            "",
            ("battery", &found),
            ("goods.apart", &[("service", service)]),
        ));
    }
}

/// Headings of batteries, and of lamps that carry their own.
const BATTERY_HEADINGS: [&str; 3] = ["8506", "8507", "8513"];

/// Words that goods with batteries are called by.
const BATTERY_WORDS: [&str; 10] = [
    "rechargeable",
    "battery",
    "batteries",
    "lithium",
    "power bank",
    "锂",
    "充电",
    "电池",
    "蓄电",
    "移动电源",
];

/// Why the goods might hold a battery although nobody says so: the heading or the word.
#[must_use]
pub fn looks_like_battery(goods: &Goods) -> Option<String> {
    let heading = |hs: &str| BATTERY_HEADINGS.into_iter().find(|known| hs.starts_with(known));
    if let Some(found) = heading(&goods.hs_cn).or(heading(&goods.hs_destination)) {
        return Some(format!("HS {found}"));
    }
    let names = [
        &goods.name_zh,
        &goods.name_en,
        &goods.customs_name_zh,
        &goods.customs_name_en,
    ];
    let names = names.map(|name| name.to_lowercase());
    let without = ["without battery", "no battery", "不带电池", "不含电池", "无电池"];
    names
        .iter()
        .filter(|name| !without.iter().any(|said| name.contains(said)))
        .find_map(|name| BATTERY_WORDS.into_iter().find(|word| name.contains(word)))
        .map(|word| format!("`{word}`"))
}
