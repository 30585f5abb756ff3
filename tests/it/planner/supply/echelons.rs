//! Other warehouses first (R12, R19).

use super::*;

#[test]
fn r12_what_a_has_40_days_too_much_of_goes_to_b_before_anything_is_ordered() {
    let alone = plan(
        &{
            let mut facts = two_warehouses(500, 0, way("goodcang:A", "goodcang:B"));
            facts.supply.transfers.clear();
            facts
        },
        &Policy::default(),
    );
    let (target, need) = (
        line(&alone, "goodcang:A")
            .explain
            .units_of("order_up_to")
            .unwrap(),
        line(&alone, "goodcang:B").need_units.unwrap(),
    );
    // B is short of 30; A stands 40 days (40 units) above its target.
    let (a_stock, b_stock) = (target + 40, need - 30);
    let both = plan(
        &two_warehouses(a_stock, b_stock, way("goodcang:A", "goodcang:B")),
        &Policy::default(),
    );
    let (a, b) = (line(&both, "goodcang:A"), line(&both, "goodcang:B"));
    let sent = &b.supply.as_ref().unwrap().transfers_in;
    assert_eq!(
        sent.iter().map(|transfer| transfer.units).collect::<Vec<_>>(),
        vec![30]
    );
    assert_eq!((b.need_units, b.suggested_units), (Some(0), Some(0)));
    assert_eq!(b.explain.units_of("less_transfer"), Some(-30));
    assert_eq!(a.supply.as_ref().unwrap().transfers_out.len(), 1);
    sound(&both);
    // A at its own target gives nothing: it would fall below its safety stock.
    let none = plan(
        &two_warehouses(target, b_stock, way("goodcang:A", "goodcang:B")),
        &Policy::default(),
    );
    let b = line(&none, "goodcang:B");
    assert_eq!(b.suggested_units, Some(30));
    let why = b.supply.as_ref().and_then(|supply| supply.no_transfer);
    assert_eq!(why, Some(NoTransfer::NothingToSpare));
}

#[test]
fn r12_an_unknown_way_or_a_dearer_one_is_no_suggestion_and_says_why() {
    let unknown = TransferWay {
        cost: None,
        ..way("goodcang:A", "goodcang:B")
    };
    let dear = TransferWay {
        cost: Some(cny("31")),
        ..way("goodcang:A", "goodcang:B")
    };
    for (way, wanted) in [(unknown, NoTransfer::WayUnknown), (dear, NoTransfer::Dearer)] {
        let plan = plan(&two_warehouses(900, 10, way), &Policy::default());
        let b = line(&plan, "goodcang:B");
        let supply = b.supply.as_ref().unwrap();
        assert_eq!((supply.no_transfer, supply.transfers_in.len()), (Some(wanted), 0));
        assert!(b.suggested_units > Some(0));
    }
}

fn relay(fba_stock: i64, overseas_stock: i64) -> Snapshot {
    let way = TransferWay {
        relay: true,
        ..way("goodcang:UKMA", "amazon:GB")
    };
    let mut facts = two_warehouses(overseas_stock, fba_stock, way);
    // Nothing is sold from the overseas warehouse, and nothing goes to the platform's directly.
    facts.series[0].sales_state = DataState::Missing;
    facts.series[0].sales = linkstar::planner::DailySales::empty(facts.as_of);
    facts.warehouses[1].lanes.clear();
    facts.series[1].sales.units = (0..365).map(|_| Some(10)).collect();
    facts
}

#[test]
fn r19_the_overseas_warehouse_sends_first_and_china_is_asked_for_the_rest_once() {
    let facts = relay(0, 300);
    let both = plan(&facts, &Policy::default());
    let (up, down) = (line(&both, "goodcang:UKMA"), line(&both, "amazon:GB"));
    let wanted = down.supply.as_ref().unwrap().wanted_now.unwrap();
    let sent: i64 = down
        .supply
        .as_ref()
        .unwrap()
        .transfers_in
        .iter()
        .map(|one| one.units)
        .sum();
    assert!(wanted > 0 && sent == wanted.min(300), "{wanted} {sent}");
    assert_eq!(down.suggested_units, Some(0), "nothing is ordered for it twice");
    let target = down.explain.units_of("order_up_to").unwrap();
    assert_eq!(up.explain.units_of("downstream_need"), Some(target));
    assert_eq!(up.suggested_units, Some(target - 300));
    assert!(up.eta.is_some() && up.mode.is_some());
    sound(&both);
}

#[test]
fn r19_fba_short_of_200_and_500_overseas_is_a_transfer_of_200_and_no_order_when_that_is_enough() {
    let need = |stock: i64| {
        let both = plan(&relay(stock, 0), &Policy::default());
        line(&both, "amazon:GB")
            .supply
            .as_ref()
            .unwrap()
            .wanted_now
            .unwrap()
    };
    let whole = need(0);
    let facts = relay(whole - 200, 500);
    let both = plan(&facts, &Policy::default());
    let (up, down) = (line(&both, "goodcang:UKMA"), line(&both, "amazon:GB"));
    let sent = &down.supply.as_ref().unwrap().transfers_in;
    assert_eq!(sent.iter().map(|one| one.units).sum::<i64>(), 200);
    let target = down.explain.units_of("order_up_to").unwrap();
    assert_eq!(up.suggested_units, Some((target - (whole - 200) - 500).max(0)));
    assert_eq!(down.suggested_units, Some(0));
}

#[test]
fn r19_a_capacity_limit_caps_what_is_sent_and_the_rest_is_reported() {
    let mut facts = relay(0, 500);
    facts.supply.capacity = vec![Capacity {
        warehouse: code("amazon:GB"),
        units: Some(60),
        volume_l: None,
    }];
    let both = plan(&facts, &Policy::default());
    let down = line(&both, "amazon:GB");
    let supply = down.supply.as_ref().unwrap();
    let sent: i64 = supply.transfers_in.iter().map(|one| one.units).sum();
    assert_eq!(sent, 60);
    assert_eq!(supply.over_capacity, supply.wanted_now.unwrap().min(500) - 60);
    assert!(down.reasons.contains(&Reason::OverCapacity));
    let out = &line(&both, "goodcang:UKMA")
        .supply
        .as_ref()
        .unwrap()
        .transfers_out;
    assert_eq!(out.iter().map(|one| one.units).sum::<i64>(), 60);
    sound(&both);
}

/// Units move, they do not multiply: what is sent and ordered together never exceeds what is missing, but for cartons.
#[test]
fn transfers_and_orders_together_never_exceed_the_needs_of_both() {
    for seed in 0..200_u64 {
        let stock = |k: u64| i64::try_from((seed * 7919 + k * 104_729) % 700).unwrap();
        let mut facts = match seed % 2 {
            0 => two_warehouses(stock(1), stock(2), way("goodcang:A", "goodcang:B")),
            _ => relay(stock(1), stock(2)),
        };
        let coupled = plan(&facts, &Policy::default());
        sound(&coupled);
        let sent: BTreeMap<&WarehouseCode, i64> = coupled
            .lines
            .iter()
            .map(|line| {
                let out = line.supply.iter().flat_map(|supply| &supply.transfers_out);
                (&line.warehouse, out.map(|one| one.units).sum())
            })
            .collect();
        for line in &coupled.lines {
            assert!(sent[&line.warehouse] <= line.available.unwrap(), "seed {seed}");
            assert!(line.suggested_units.is_none_or(|units| units >= 0));
        }
        let ordered: i64 = coupled.lines.iter().filter_map(|line| line.suggested_units).sum();
        facts.supply.transfers.clear();
        if seed % 2 == 0 {
            let apart = plan(&facts, &Policy::default());
            let wanted: i64 = apart.lines.iter().filter_map(|line| line.suggested_units).sum();
            assert_eq!(ordered + sent.values().sum::<i64>(), wanted, "seed {seed}");
        }
    }
}
