//! The SKU master record (常用SKU基础数据表).

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Fault;
use crate::ids::Sku;
use crate::money::Money;
use crate::order::{CustomsFacts, Goods};
use crate::quantity::Dims;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    #[default]
    Active,
    /// Not reordered for now.
    Paused,
    /// Sold out and gone.
    Ended,
}

impl Status {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_lowercase().as_str() {
            "active" | "在售" => Some(Self::Active),
            "paused" | "暂停" => Some(Self::Paused),
            "ended" | "停售" => Some(Self::Ended),
            _ => None,
        }
    }
}

/// One master SKU. Texts are empty and figures `None` where the seller has not said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub sku: Sku,
    pub name_zh: String,
    pub name_en: String,
    pub unit_net_g: Option<i64>,
    pub unit_gross_g: Option<i64>,
    pub unit: Option<Dims>,
    pub carton_units: Option<i64>,
    pub carton: Option<Dims>,
    pub carton_gross_g: Option<i64>,
    pub customs_name_zh: String,
    pub customs_name_en: String,
    /// Ten digits, as China's export declaration wants them.
    pub hs_cn: String,
    /// Six to ten digits of the destination's own tariff.
    pub hs_destination: String,
    pub material_zh: String,
    pub material_en: String,
    pub usage_zh: String,
    pub usage_en: String,
    pub brand: String,
    pub model: String,
    /// ISO 3166 alpha-2.
    pub origin: String,
    /// Declared value of one unit.
    pub declared: Option<Money>,
    /// Purchase cost of one unit.
    pub unit_cost: Option<Money>,
    /// Least units of a purchase.
    pub moq: Option<i64>,
    pub battery: Option<bool>,
    pub magnet: Option<bool>,
    pub liquid: Option<bool>,
    pub powder: Option<bool>,
    pub sales_url: String,
    pub owner: String,
    pub status: Status,
    /// Lowest price one unit is sold at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    #[serde(default, skip_serializing_if = "CustomsFacts::is_unknown")]
    pub customs: CustomsFacts,
}

impl Item {
    /// An item of which only the name is known.
    #[must_use]
    pub fn bare(sku: Sku) -> Self {
        Self {
            sku,
            name_zh: String::new(),
            name_en: String::new(),
            unit_net_g: None,
            unit_gross_g: None,
            unit: None,
            carton_units: None,
            carton: None,
            carton_gross_g: None,
            customs_name_zh: String::new(),
            customs_name_en: String::new(),
            hs_cn: String::new(),
            hs_destination: String::new(),
            material_zh: String::new(),
            material_en: String::new(),
            usage_zh: String::new(),
            usage_en: String::new(),
            brand: String::new(),
            model: String::new(),
            origin: String::new(),
            declared: None,
            unit_cost: None,
            moq: None,
            battery: None,
            magnet: None,
            liquid: None,
            powder: None,
            sales_url: String::new(),
            owner: String::new(),
            status: Status::Active,
            price: None,
            customs: CustomsFacts::default(),
        }
    }

    /// Every value that cannot be true, all at once. A value that is not known is no fault.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (field, value) in [
            ("unit_net_g", self.unit_net_g),
            ("unit_gross_g", self.unit_gross_g),
            ("carton_units", self.carton_units),
            ("carton_gross_g", self.carton_gross_g),
            ("moq", self.moq),
        ] {
            check_positive(&mut faults, field, value);
        }
        check_dims(
            &mut faults,
            ["unit_length_mm", "unit_width_mm", "unit_height_mm"],
            self.unit,
        );
        check_dims(
            &mut faults,
            ["carton_length_mm", "carton_width_mm", "carton_height_mm"],
            self.carton,
        );
        self.check_weights(&mut faults);
        if !is_tariff_code(&self.hs_cn, 10..=10) {
            faults.push(Fault::new("hs_cn", &self.hs_cn, "10 digits"));
        }
        if !is_tariff_code(&self.hs_destination, 6..=10) {
            faults.push(Fault::new(
                "hs_destination",
                &self.hs_destination,
                "6 to 10 digits",
            ));
        }
        if !self.origin.is_empty() && !is_country(&self.origin) {
            faults.push(Fault::new(
                "origin",
                &self.origin,
                "a country as two capital letters, like CN",
            ));
        }
        if let Some(declared) = self.declared.filter(|declared| declared.amount <= Decimal::ZERO) {
            faults.push(Fault::new("declared_value", &declared.amount, "a value above 0"));
        }
        if let Some(price) = self.price.filter(|price| price.amount <= Decimal::ZERO) {
            faults.push(Fault::new("sale_price", &price.amount, "a price above 0"));
        }
        self.check_customs(&mut faults);
        if let Some(cost) = self.unit_cost.filter(|cost| cost.amount < Decimal::ZERO) {
            faults.push(Fault::new("unit_cost", &cost.amount, "a cost of 0 or more"));
        }
        faults
    }

    fn check_customs(&self, faults: &mut Vec<Fault>) {
        let customs = &self.customs;
        for (field, unit, factor_field, factor) in [
            (
                "legal_unit",
                &customs.legal_unit,
                "legal_factor",
                customs.legal_factor,
            ),
            (
                "second_legal_unit",
                &customs.second_legal_unit,
                "second_legal_factor",
                customs.second_legal_factor,
            ),
        ] {
            if let Some(factor) = factor.filter(|factor| *factor <= Decimal::ZERO) {
                faults.push(Fault::new(factor_field, &factor, "a factor above 0"));
            } else if factor.is_some() && unit.is_empty() {
                faults.push(Fault::new(
                    field,
                    unit,
                    format!("the unit that `{factor_field}` is of"),
                ));
            }
        }
        let digits = |text: &str, length: usize| {
            text.is_empty() || (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()))
        };
        if !digits(&customs.source_region, 5) {
            faults.push(Fault::new("source_region", &customs.source_region, "5 digits"));
        }
        let hash =
            customs.picture.len() == 64 && customs.picture.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hash && !customs.picture.is_empty() {
            faults.push(Fault::new(
                "picture",
                &customs.picture,
                "the SHA-256 of a stored picture",
            ));
        }
        let Some(battery) = &customs.battery else { return };
        if self.battery == Some(false) {
            faults.push(Fault::new(
                "battery",
                &"no",
                "yes, as the columns of its battery say",
            ));
        }
        if !matches!(
            battery.un.as_str(),
            "" | "UN3480" | "UN3481" | "UN3090" | "UN3091"
        ) {
            faults.push(Fault::new(
                "battery_un",
                &battery.un,
                "UN3480, UN3481, UN3090 or UN3091",
            ));
        }
        if let Some(charge) = battery
            .charge_percent
            .filter(|charge| !(0..=100).contains(charge))
        {
            faults.push(Fault::new("battery_charge", &charge, "percent from 0 to 100"));
        }
        if let Some(watts) = battery.watt_hours.filter(|watts| *watts <= Decimal::ZERO) {
            faults.push(Fault::new("battery_wh", &watts, "watt-hours above 0"));
        }
    }

    fn check_weights(&self, faults: &mut Vec<Fault>) {
        let positive = |value: Option<i64>| value.filter(|value| *value > 0);
        let (net, gross) = (positive(self.unit_net_g), positive(self.unit_gross_g));
        if let (Some(net), Some(gross)) = (net, gross)
            && net > gross
        {
            faults.push(Fault::new(
                "unit_net_g",
                &net,
                format!("at most unit_gross_g, which is {gross}"),
            ));
        }
        let heaviest = gross
            .map(|gross| ("unit_gross_g", gross))
            .or(net.map(|net| ("unit_net_g", net)));
        if let (Some((field, unit)), Some(units), Some(carton)) = (
            heaviest,
            positive(self.carton_units),
            positive(self.carton_gross_g),
        ) && unit.saturating_mul(units) > carton
        {
            let wanted = format!(
                "at most {}: carton_gross_g {carton} ÷ carton_units {units}",
                carton / units
            );
            faults.push(Fault::new(field, &unit, wanted));
        }
    }

    /// Fields without which no forwarder takes a booking, in the order of the file; empty: it can be booked.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let mut missing = Vec::new();
        let mut need = |field: &'static str, known: bool| {
            if !known {
                missing.push(field);
            }
        };
        need("unit_net_g", self.unit_net_g.is_some());
        need("carton_units", self.carton_units.is_some());
        for field in ["carton_length_mm", "carton_width_mm", "carton_height_mm"] {
            need(field, self.carton.is_some());
        }
        need("carton_gross_g", self.carton_gross_g.is_some());
        for (field, text) in [
            ("customs_name_zh", &self.customs_name_zh),
            ("customs_name_en", &self.customs_name_en),
            ("hs_cn", &self.hs_cn),
            ("hs_destination", &self.hs_destination),
            ("material_zh", &self.material_zh),
            ("material_en", &self.material_en),
            ("usage_zh", &self.usage_zh),
            ("usage_en", &self.usage_en),
            ("brand", &self.brand),
            ("origin", &self.origin),
        ] {
            need(field, !text.is_empty());
        }
        need("declared_value", self.declared.is_some());
        for (field, flag) in [
            ("battery", self.battery),
            ("magnet", self.magnet),
            ("liquid", self.liquid),
            ("powder", self.powder),
        ] {
            need(field, flag.is_some());
        }
        missing
    }

    /// The goods of an order line, frozen as the item is now.
    ///
    /// # Errors
    /// The fields that are missing ([`Item::missing`]).
    pub fn goods(&self, warehouse_sku: &str, asin: &str) -> Result<Goods, Vec<&'static str>> {
        let (Some(unit_net_g), Some(battery), Some(magnet), Some(liquid), Some(powder), []) = (
            self.unit_net_g,
            self.battery,
            self.magnet,
            self.liquid,
            self.powder,
            self.missing().as_slice(),
        ) else {
            return Err(self.missing());
        };
        Ok(Goods {
            sku: self.sku.clone(),
            warehouse_sku: warehouse_sku.to_owned(),
            asin: asin.to_owned(),
            name_zh: self.name_zh.clone(),
            name_en: self.name_en.clone(),
            customs_name_zh: self.customs_name_zh.clone(),
            customs_name_en: self.customs_name_en.clone(),
            hs_cn: self.hs_cn.clone(),
            hs_destination: self.hs_destination.clone(),
            material_zh: self.material_zh.clone(),
            material_en: self.material_en.clone(),
            usage_zh: self.usage_zh.clone(),
            usage_en: self.usage_en.clone(),
            brand: self.brand.clone(),
            model: self.model.clone(),
            origin: self.origin.clone(),
            unit_net_g,
            battery,
            magnet,
            liquid,
            powder,
            sales_url: self.sales_url.clone(),
            customs: self.customs.clone(),
        })
    }
}

pub(super) fn check_positive(faults: &mut Vec<Fault>, field: &'static str, value: Option<i64>) {
    if let Some(value) = value.filter(|value| *value <= 0) {
        faults.push(Fault::new(field, &value, "a whole number above 0"));
    } else if let Some(value) = value.filter(|value| *value > MAX_COUNT) {
        faults.push(Fault::new(field, &value, format!("at most {MAX_COUNT}")));
    }
}

/// A thousand tons in grams: what is above it is a slip, and products of two such figures still fit.
const MAX_COUNT: i64 = 1_000_000_000;

/// No carton is longer than ten metres: more is a slip in the unit, and would overflow a volume.
const MAX_SIDE_MM: i64 = 10_000;

fn check_dims(faults: &mut Vec<Fault>, fields: [&'static str; 3], dims: Option<Dims>) {
    let Some(dims) = dims else { return };
    for (field, side) in fields
        .into_iter()
        .zip([dims.length_mm, dims.width_mm, dims.height_mm])
    {
        if !(1..=MAX_SIDE_MM).contains(&side) {
            faults.push(Fault::new(
                field,
                &side,
                format!("millimetres from 1 to {MAX_SIDE_MM}"),
            ));
        }
    }
}

/// Unknown, or digits of an allowed length.
fn is_tariff_code(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    text.is_empty() || (lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// ISO 3166 alpha-2 by its form.
pub(super) fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}
