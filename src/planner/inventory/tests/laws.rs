//! What must hold whatever the costs: the best is no dearer than its neighbours, and what brute force finds.

use proptest::prelude::*;

use super::super::*;

fn cost() -> impl Strategy<Value = f64> {
    (1u32..400).prop_map(|tenths| f64::from(tenths) / 10.0)
}

fn pmf() -> impl Strategy<Value = Demand> {
    prop::collection::vec(0u32..10, 2..8).prop_filter_map("some demand", |weights| {
        let sum: u32 = weights[1..].iter().sum();
        let all = f64::from(sum + weights[0]);
        (sum > 0).then(|| Demand::Pmf(weights.iter().map(|w| f64::from(*w) / all).collect()))
    })
}

fn count() -> impl Strategy<Value = Demand> {
    prop_oneof![
        pmf(),
        (1u32..300).prop_map(|tenths| Demand::Poisson {
            mean: f64::from(tenths) / 10.0
        }),
        (1u32..80, 10u32..90).prop_map(|(r, p)| Demand::NegativeBinomial {
            r: f64::from(r) / 10.0,
            p: f64::from(p) / 100.0
        }),
    ]
}

fn continuous() -> impl Strategy<Value = Demand> {
    prop_oneof![
        (1.0..200.0, 0.5..60.0).prop_map(|(mean, sd)| Demand::Normal { mean, sd }),
        (0.0..4.0, 0.1..1.0).prop_map(|(mu, sigma)| Demand::Lognormal { mu, sigma }),
        (0.01..2.0).prop_map(|rate| Demand::Exponential { rate }),
        (0.3..9.0, 0.3..9.0).prop_map(|(shape, scale)| Demand::Gamma { shape, scale }),
        (0.0..9.0, 0.3..9.0).prop_map(|(low, width)| Demand::Uniform {
            low,
            high: low + width
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn an_economic_lot_is_no_dearer_than_its_neighbours(k in cost(), h in cost(), p in cost(), d in cost(), off in 0.5f64..2.0) {
        let best = eoq(k, h, d).unwrap();
        prop_assert!(best.cost <= eoq_cost(best.quantity * off, k, h, d).unwrap() * (1.0 + 1e-12));
        let best = eoq_with_backorders(k, h, p, d).unwrap();
        let near = eoq_with_backorders_cost(best.quantity * off, best.backordered / off, k, h, p, d).unwrap();
        prop_assert!(best.cost <= near * (1.0 + 1e-12));
        // Waiting allowed is never dearer than waiting forbidden.
        prop_assert!(best.cost <= eoq(k, h, d).unwrap().cost * (1.0 + 1e-12));
        let best = epq(k, h, d, d + p).unwrap();
        prop_assert!(best.cost <= epq_cost(best.quantity * off, k, h, d, d + p).unwrap() * (1.0 + 1e-12));
    }

    #[test]
    fn a_discount_never_makes_a_lot_dearer(k in cost(), d in cost(), off in 0.5f64..0.99, at in 1.0f64..200.0) {
        let flat = PriceBreaks { from: &[0.0], price: &[9.0] };
        let stepped = PriceBreaks { from: &[0.0, at], price: &[9.0, 9.0 * off] };
        let none = eoq_all_units_discount(k, 0.2, d, flat).unwrap().cost;
        let some = eoq_incremental_discount(k, 0.2, d, stepped).unwrap().cost;
        let all = eoq_all_units_discount(k, 0.2, d, stepped).unwrap().cost;
        prop_assert!(some <= none * (1.0 + 1e-12), "incremental {some} {none}");
        prop_assert!(all <= some * (1.0 + 1e-12), "all units {all} {some}");
    }

    #[test]
    fn losses_fall_with_the_level_and_differ_by_it(demand in prop_oneof![count(), continuous()], x in 0u32..60) {
        let x = f64::from(x);
        let (here, next) = (demand.loss(x), demand.loss(x + 1.0));
        let size = 1.0 + demand.mean() + x;
        prop_assert!((here.left - here.short - (x - demand.mean())).abs() <= 1e-9 * size);
        prop_assert!(here.short >= 0.0 && next.short <= here.short + 1e-9 * size);
        prop_assert!(next.left >= here.left - 1e-9 * size);
        let second = demand.second_loss(x);
        let spread = demand.variance() + size * size;
        prop_assert!(second.short >= -1e-9 * spread && second.left >= -1e-9 * spread, "{second:?}");
        if demand.is_count() {
            // The second loss sums the first: above x from x + 1 on, below x up to x.
            let step = second.short - demand.second_loss(x + 1.0).short;
            prop_assert!((step - next.short).abs() <= 1e-8 * spread, "{step} {next:?}");
        }
    }

    #[test]
    fn a_quantile_is_the_least_level_that_covers(demand in prop_oneof![count(), continuous()], share in 0.01f64..0.995) {
        let level = demand.quantile(share).unwrap();
        prop_assert!(demand.cdf(level) >= share - 1e-9, "{level} {}", demand.cdf(level));
        let below = if demand.is_count() { level - 1.0 } else { level - 1e-6 * level.abs().max(1.0) };
        prop_assert!(demand.cdf(below) < share + 1e-9);
    }

    #[test]
    fn a_newsvendor_level_costs_no_more_than_any_other_and_rises_with_the_penalty(
        demand in count(), h in cost(), p in cost(), more in 0.0f64..30.0
    ) {
        let best = newsvendor(h, p, &demand).unwrap();
        for off in [-3.0, -1.0, 1.0, 4.0] {
            let near = newsvendor_cost(best.level + off, h, p, &demand).unwrap();
            prop_assert!(best.cost <= near + 1e-9 * near.max(1.0));
        }
        prop_assert!(newsvendor(h, p + more, &demand).unwrap().level >= best.level);
        prop_assert!(newsvendor(h + more, p, &demand).unwrap().level <= best.level);
    }

    #[test]
    fn order_up_to_is_what_brute_force_finds(demand in pmf(), h in 1u32..6, p in 1u32..30, k in 0u32..25) {
        let costs = (f64::from(h), f64::from(p), f64::from(k));
        let best = order_up_to(costs, &demand).unwrap();
        let mut least = f64::INFINITY;
        for point in -20..20 {
            for level in point + 1..35 {
                least = least.min(order_up_to_cost(point, level, costs, &demand).unwrap());
            }
        }
        prop_assert!((best.cost - least).abs() <= 1e-9 * least.max(1.0), "{best:?} {least}");
        let same = order_up_to_cost(best.point, best.level, costs, &demand).unwrap();
        prop_assert!((best.cost - same).abs() <= 1e-12 * same.max(1.0));
    }

    #[test]
    fn costs_rise_with_every_price(demand in count(), h in cost(), p in cost(), k in cost(), more in 0.1f64..20.0) {
        let cost = |h: f64, p: f64, k: f64| order_up_to((h, p, k), &demand).map(|best| best.cost);
        let here = cost(h, p, k).unwrap();
        for dearer in [cost(h + more, p, k), cost(h, p + more, k), cost(h, p, k + more)] {
            prop_assert!(dearer.unwrap() >= here - 1e-9 * here.max(1.0));
        }
    }

    #[test]
    fn whole_reorder_policies_are_what_brute_force_finds(h in 1u32..6, p in 1u32..30, k in 0u32..20, mean in 1u32..6) {
        let item = PoissonReorder {
            holding: f64::from(h), stockout: f64::from(p), fixed: f64::from(k), mean: f64::from(mean), lead: 1.5,
        };
        let best = item.exact().unwrap();
        let mut least = f64::INFINITY;
        for point in -25..30 {
            for quantity in 1..50 {
                least = least.min(item.cost(point, quantity).unwrap());
            }
        }
        prop_assert!((best.cost - least).abs() <= 1e-9 * least, "{best:?} {least}");
    }

    #[test]
    fn the_exact_reorder_policy_is_no_dearer_than_any_rule_of_thumb(h in cost(), p in cost(), k in cost(), mean in 5.0f64..500.0, cv in 0.1f64..1.5) {
        let item = Continuous { holding: h, stockout: p, fixed: k, mean, sd: mean * cv, lead: 0.8 };
        let best = item.exact().unwrap();
        for rule in [item.by_backorder_lot(), item.by_lot_and_safety(), item.by_loss_functions()] {
            let Ok(rule) = rule else { continue };
            prop_assert!(best.cost <= rule.cost * (1.0 + 1e-6), "{best:?} {rule:?}");
        }
    }

    #[test]
    fn lots_in_time_are_what_brute_force_finds(
        periods in prop::collection::vec((0u32..50, 0u32..100, 0u32..5, 0u32..4), 1..8)
    ) {
        let periods: Vec<LotPeriod> = periods.iter().map(|&(demand, fixed, purchase, holding)| LotPeriod {
            demand: f64::from(demand), fixed: f64::from(fixed), purchase: f64::from(purchase), holding: f64::from(holding),
        }).collect();
        let plan = wagner_whitin(&periods).unwrap();
        let n = periods.len();
        let mut least = f64::INFINITY;
        // Each set of periods after the first in which a new order begins.
        for set in 0..1u32 << (n - 1) {
            let mut cost = 0.0;
            let mut from = 0;
            for to in 1..=n {
                if to < n && set >> (to - 1) & 1 == 0 { continue; }
                let units: f64 = periods[from..to].iter().map(|p| p.demand).sum();
                if units > 0.0 { cost += periods[from].fixed; }
                for (at, period) in periods.iter().enumerate().take(to).skip(from) {
                    cost += period.demand * (periods[from].purchase + periods[from].holding * (at - from) as f64);
                }
                from = to;
            }
            least = least.min(cost);
        }
        prop_assert!((plan.cost - least).abs() < 1e-9, "{plan:?} {least}");
        let ordered: f64 = plan.orders.iter().sum();
        prop_assert_eq!(ordered, periods.iter().map(|p| p.demand).sum::<f64>());
    }

    #[test]
    fn a_chain_of_one_stage_is_a_newsvendor(h in cost(), p in cost(), mean in 1u32..20, lead in 1u32..4) {
        let demand = Demand::Poisson { mean: f64::from(mean * lead) };
        let best = newsvendor(h, p, &demand).unwrap();
        let stage = Echelon { holding: h, lead: f64::from(lead) };
        let plan = serial_base_stock(&[stage], p, &SerialDemand::Poisson { mean: f64::from(mean) }).unwrap();
        prop_assert!((plan.cost - best.cost).abs() <= 1e-6 * best.cost, "{plan:?} {best:?}");
        prop_assert!((newsvendor_cost(plan.levels[0], h, p, &demand).unwrap() - best.cost).abs() <= 1e-6 * best.cost);
    }

    #[test]
    fn a_chain_is_never_cheaper_with_a_dearer_shortage_nor_with_a_longer_way(
        h in prop::collection::vec(cost(), 2..4), p in cost(), more in 0.1f64..20.0
    ) {
        let stages: Vec<Echelon> = h.iter().map(|h| Echelon { holding: *h, lead: 1.0 }).collect();
        let demand = SerialDemand::Points(vec![(0, 0.3), (2, 0.5), (6, 0.2)]);
        let here = serial_base_stock(&stages, p, &demand).unwrap();
        prop_assert!(serial_base_stock(&stages, p + more, &demand).unwrap().cost >= here.cost - 1e-9);
        let mut longer = stages;
        longer[0].lead = 2.0;
        let pipeline: f64 = 2.7 * h[1..].iter().sum::<f64>();
        // Beside the stock under way, which these costs count, a longer way costs safety.
        prop_assert!(serial_base_stock(&longer, p, &demand).unwrap().cost >= here.cost - pipeline - 1e-9);
    }

    #[test]
    fn service_times_in_a_tree_are_what_brute_force_finds(
        shape in prop::collection::vec((0usize..4, any::<bool>(), 0u32..3, 1u32..9, 0u32..3, 0u32..3), 1..4)
    ) {
        let mut stages = Vec::new();
        let mut edges = Vec::new();
        for (at, &(other, downstream, processing, holding, supplier, promised)) in shape.iter().enumerate() {
            stages.push(Stage {
                processing, holding: f64::from(holding), supplier, promised: promised.checked_sub(1),
                sd: 1.0 + at as f64, factor: 1.5,
            });
            if at > 0 {
                let other = other % at;
                edges.push(if downstream { (other, at) } else { (at, other) });
            }
        }
        let plan = guaranteed_service(&stages, &edges).unwrap();
        // Every service time up to 12; being promised the longest of what comes in.
        let mut least = f64::INFINITY;
        let n = stages.len();
        for code in 0..13usize.pow(n as u32) {
            let service: Vec<usize> = (0..n).map(|at| code / 13usize.pow(at as u32) % 13).collect();
            let mut cost = 0.0;
            for (at, stage) in stages.iter().enumerate() {
                let inbound = edges.iter().filter(|(_, to)| *to == at).map(|(from, _)| service[*from])
                    .max().unwrap_or(0).max(stage.supplier as usize);
                let late = stage.promised.is_some_and(|most| service[at] > most as usize);
                if late || service[at] > inbound + stage.processing as usize { cost = f64::INFINITY; break; }
                let exposed = inbound + stage.processing as usize - service[at];
                cost += stage.holding * stage.factor * stage.sd * (exposed as f64).sqrt();
            }
            least = least.min(cost);
        }
        prop_assert!((plan.cost - least).abs() <= 1e-9 * least.max(1.0), "{plan:?} {least}");
    }

    #[test]
    fn a_horizon_of_one_period_is_a_newsvendor(h in 1u32..9, p in 1u32..60, mean in 20u32..60, sd in 2u32..6) {
        let (h, p) = (f64::from(h), f64::from(p));
        let period = HorizonPeriod {
            holding: h, stockout: p, purchase: 0.0, fixed: 0.0, mean: f64::from(mean), sd: f64::from(sd), discount: 1.0,
        };
        let plan = finite_horizon(&[period], (0.0, 0.0), 0).unwrap();
        let best = newsvendor(h, p, &Demand::Normal { mean: period.mean, sd: period.sd }).unwrap();
        prop_assert!((plan.levels[0] as f64 - best.level).abs() <= 1.0);
        prop_assert!(plan.cost >= best.cost - 1e-9);
    }

    #[test]
    fn foreign_numbers_are_refused_or_answered_never_a_panic(
        v in prop::array::uniform5(prop_oneof![
            Just(0.0), Just(-1.0), Just(f64::NAN), Just(f64::INFINITY), Just(1e300), Just(1e-300), 0.0f64..1e4
        ])
    ) {
        let [a, b, c, d, e] = v;
        let demands = [
            Demand::Normal { mean: a, sd: b }, Demand::Poisson { mean: a }, Demand::NegativeBinomial { r: a, p: b },
            Demand::Pmf(vec![a, b]), Demand::Gamma { shape: a, scale: b }, Demand::Lognormal { mu: a, sigma: b },
        ];
        for demand in &demands {
            let _ = (newsvendor(c, d, demand).is_ok(), order_up_to((c, d, e), demand).is_ok(), demand.quantile(c).is_ok());
        }
        let _ = (eoq(a, b, c).is_ok(), epq(a, b, c, d).is_ok(), eoq_with_backorders(a, b, c, d).is_ok());
        let item = Continuous { holding: a, stockout: b, fixed: c, mean: d, sd: e, lead: 1.0 };
        let _ = (item.exact().is_ok(), item.by_expected_inventory().is_ok(), item.by_loss_functions().is_ok());
        let item = PoissonReorder { holding: a, stockout: b, fixed: c, mean: d, lead: e };
        let _ = (item.exact().is_ok(), item.cost(i64::MAX, 3).is_ok(), item.cost(3, i64::MIN).is_ok());
        let period = HorizonPeriod { holding: a, stockout: b, purchase: c, fixed: c, mean: d, sd: e, discount: 1.0 };
        let _ = finite_horizon(&[period], (a, b), 0).is_ok();
        let stage = Echelon { holding: a, lead: b };
        let _ = serial_base_stock(&[stage, stage], c, &SerialDemand::Normal { mean: d, sd: e }).is_ok();
        let _ = joint_replenishment(a, &[JointItem { fixed: b, holding: c, demand: d }]).is_ok();
        let stops = Disruptions { stop: d, recover: e };
        let _ = (eoq_disrupted((a, b, c, d), stops, false).is_ok(), newsvendor_disrupted(a, b, c, d, e, None).is_ok());
        let _ = eoq_all_units_discount(a, b, c, PriceBreaks { from: &[0.0, d], price: &[e, c] }).is_ok();
    }
}

#[test]
fn what_is_refused_is_named() {
    insta::assert_snapshot!(eoq(8.0, 0.0, 1300.0).unwrap_err(), @"holding cost must be above 0, got 0");
    insta::assert_snapshot!(
        newsvendor(1.0, f64::NAN, &Demand::Poisson { mean: 3.0 }).unwrap_err(),
        @"stock-out cost must be above 0, got NaN"
    );
    insta::assert_snapshot!(
        newsvendor_cost(2.5, 1.0, 4.0, &Demand::Poisson { mean: 6.0 }).unwrap_err(),
        @"level must be a whole number of units, got 2.5"
    );
    insta::assert_snapshot!(
        Demand::Pmf(vec![0.5, 0.4]).check().unwrap_err(),
        @"sum of the probabilities must be 1, got 0.9"
    );
    insta::assert_snapshot!(wagner_whitin(&[]).unwrap_err(), @"periods has 0 entries where 1 are needed");
    let stage = Stage {
        processing: 1,
        holding: 1.0,
        supplier: 0,
        promised: None,
        sd: 1.0,
        factor: 1.0,
    };
    insta::assert_snapshot!(
        guaranteed_service(&[stage, stage], &[(0, 1), (1, 0)]).unwrap_err(),
        @"the network is no tree: a tree has one link fewer than stages"
    );
    insta::assert_snapshot!(
        order_up_to((1.0, 9.0, 1e12), &Demand::Poisson { mean: 500.0 }).unwrap_err(),
        @"the span from s to S would need 20001 cells, more than the 20000 allowed"
    );
}

/// Weekly review, five weeks of sea: 95 % of cycles without shortage, and what that fills.
#[test]
fn a_base_stock_covers_review_and_lead_time_with_both_variances() {
    let item = PeriodicReview {
        mean: 100.0,
        sd: 30.0,
        review: 1.0,
        lead_mean: 5.0,
        lead_sd: 1.0,
    };
    let level = item.base_stock(0.95).unwrap();
    // 600 + 1.644854 · √(6 · 900 + 10,000)
    assert!((level - (600.0 + 1.644_853_627 * 15_400.0_f64.sqrt())).abs() < 1e-6);
    let fill = item.fill_rate(level).unwrap();
    assert!(fill > 0.95 && fill < 1.0, "{fill}");
    assert!(item.fill_rate(level + 50.0).unwrap() > fill);
}
