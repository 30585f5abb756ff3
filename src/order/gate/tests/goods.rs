//! What the goods are (R27) and what they are packed in (R33).

use super::*;

#[test]
fn r27_a_battery_is_refused_by_its_channel_or_asks_for_its_papers() {
    let mut order = order("DE", "lamp");
    order.lines[0].goods.battery = true;
    let mut stage = Stage::new();
    stage.certificates.push(paper("battery_epr", "B-1"));
    stage.channel.battery = Some(false);
    insta::assert_snapshot!(stage.said(&order), @"
    block goods SKU LAMP-1 battery [yes] a channel that takes such goods (battery); sea LCL does not
    block certificates SKU LAMP-1 msds [] a safety data sheet, as for all batteries, liquids and powders (rule goods/msds; what carriers ask for; IMDG Code 5.4, IATA DGR 1.2)
    block certificates SKU LAMP-1 un38_3 [] the UN 38.3 test summary of the battery (rule goods/un38_3; UN Manual of Tests and Criteria, 38.3.5)
    ");
    stage.channel.battery = Some(true);
    stage.certificates.push(paper("un38_3", "U-1"));
    stage.certificates.push(paper("msds", "M-1"));
    assert_eq!(stage.said(&order), "");
    stage.channel.battery_apart = true;
    let mut other = order.lines[0].clone();
    other.no = 2;
    other.goods.battery = false;
    order.lines.push(other);
    assert!(
        stage
            .said(&order)
            .contains("block goods - battery [1 of 2 lines]")
    );
}

#[test]
fn r27_a_name_or_a_heading_that_suggests_a_battery_is_told() {
    let stage = Stage::new();
    let mut one = order("DE", "lamp");
    one.lines[0].goods.name_en = "Rechargeable lamp".to_owned();
    assert!(stage.said(&one).contains("`rechargeable` suggests a battery"));
    let mut two = order("DE", "lamp");
    two.lines[0].goods.hs_cn = "8513101000".to_owned();
    assert!(stage.said(&two).contains("HS 8513 suggests a battery"));
    let mut three = order("DE", "lamp");
    three.lines[0].goods.name_zh = "台灯(不含电池)".to_owned();
    assert_eq!(stage.said(&three), "");
}

#[test]
fn r33_twenty_three_kilograms_cost_more_and_seventy_are_blocked() {
    let mut order = order("DE", "lamp");
    let mut stage = Stage::new();
    stage.channel.heavy_over_g = Some(22_000);
    stage.channel.heavy_fee = Some(Money::new(120.into(), Currency::CNY));
    stage.channel.limits.max_g = Some(67_000);
    order.cartons[0].gross_g = 23_000;
    insta::assert_snapshot!(stage.said(&order), @"warn cartons - carton_gross_g [1 of 2] cartons of at most 22 kg, or 120.00 CNY more each: 120.00 CNY");
    let surcharge = surcharges(&order, &stage.channel);
    assert_eq!(surcharge[0].total.to_string(), "120.00 CNY");
    order.cartons[0].gross_g = 70_000;
    let said = stage.said(&order);
    assert!(
        said.starts_with(
            "block cartons SKU LAMP-1 carton_gross_g [70.000 kg] at most 67.000 kg, the channel's limit"
        ),
        "{said}"
    );
}

#[test]
fn r33_pounds_for_kilograms_are_caught_by_density_and_sides_and_mixing_by_their_limits() {
    let mut order = order("DE", "lamp");
    let mut stage = Stage::new();
    for carton in &mut order.cartons {
        carton.dims = Dims {
            length_mm: 1_270,
            width_mm: 1_016,
            height_mm: 762,
        };
    }
    assert!(
        stage.said(&order).contains("[10 kg/m³]"),
        "{}",
        stage.said(&order)
    );
    stage.warehouse.max_side_mm = Some(635);
    stage.warehouse.max_girth_mm = Some(3_000);
    let said = stage.said(&order);
    assert!(
        said.contains("[127.0 cm] at most 63.5 cm, the warehouse's limit"),
        "{said}"
    );
    assert!(said.contains("carton_girth [482.6 cm]"), "{said}");
    stage.warehouse = CartonLimits {
        mixed: Some(false),
        ..CartonLimits::default()
    };
    order.cartons[0]
        .contents
        .push(CartonContent { line: 1, units: 1 });
    assert!(
        stage
            .said(&order)
            .contains("block cartons carton 1 contents [2 SKUs]")
    );
}

#[test]
fn r22_a_quantity_that_fills_no_carton_is_told_and_stops_nothing() {
    let mut order = order("DE", "lamp");
    let stage = Stage::new();
    assert_eq!(stage.said(&order), "", "two cartons of ten");
    order.lines[0].units = 17;
    insta::assert_snapshot!(stage.said(&order), @"warn cartons SKU LAMP-1 units [17] a multiple of 10, a full carton: the rest travels in a carton of its own or with others");
}
