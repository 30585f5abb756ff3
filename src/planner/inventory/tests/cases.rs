//! The published and asserted answers of `stockpyl_cases.json`, each within its own tolerance.

use serde_json::Value;

use super::super::*;
use super::arguments::Arguments;
use crate::planner::models::tests::fixture;

fn losses(loss: Loss) -> Vec<f64> {
    vec![loss.short, loss.left]
}

fn level(answer: Result<Level, InventoryError>) -> Vec<f64> {
    let answer = answer.unwrap();
    vec![answer.level, answer.cost]
}

fn lot(answer: Result<LotSize, InventoryError>) -> Vec<f64> {
    let answer = answer.unwrap();
    vec![answer.quantity, answer.cost]
}

fn at_quantity(quantity: Option<f64>, best: Vec<f64>, cost: impl Fn(f64) -> f64) -> Vec<f64> {
    quantity.map_or(best, |quantity| vec![quantity, cost(quantity)])
}

fn loss_functions(name: &str, a: &Arguments<'_>) -> Vec<f64> {
    let x = a.given("x").unwrap_or(f64::NAN);
    let second = name.ends_with("second_loss");
    let of = |demand: Demand, x: f64| {
        demand.check().unwrap();
        losses(if second {
            demand.second_loss(x)
        } else {
            demand.loss(x)
        })
    };
    match name {
        "standard_normal_loss" => losses(standard_normal_loss(a.number("z"))),
        "standard_normal_second_loss" => losses(standard_normal_second_loss(a.number("z"))),
        "normal_loss" | "normal_second_loss" => of(
            Demand::Normal {
                mean: a.number("mean"),
                sd: a.number("sd"),
            },
            x,
        ),
        "lognormal_loss" => of(
            Demand::Lognormal {
                mu: a.number("mu"),
                sigma: a.number("sigma"),
            },
            x,
        ),
        "exponential_loss" | "exponential_second_loss" => of(Demand::Exponential { rate: a.number("mu") }, x),
        "gamma_loss" | "gamma_second_loss" => of(
            Demand::Gamma {
                shape: a.number("a"),
                scale: a.number("b"),
            },
            x,
        ),
        "poisson_loss" | "poisson_second_loss" => of(
            Demand::Poisson {
                mean: a.number("mean"),
            },
            x,
        ),
        "negative_binomial_loss" | "negative_binomial_second_loss" => {
            let demand = match a.given("mean") {
                Some(mean) => Demand::negative_binomial(mean, a.number("sd")).unwrap(),
                None => Demand::NegativeBinomial {
                    r: a.number("r"),
                    p: a.number("p"),
                },
            };
            of(demand, x)
        }
        _ if a.0["distrib"].is_null() => of(a.pmf("pmf"), x),
        _ => {
            let (demand, shift) = a.distribution("distrib");
            of(demand, x - shift)
        }
    }
}

fn newsvendors(name: &str, a: &Arguments<'_>) -> Vec<f64> {
    let h = a.given("holding_cost").unwrap_or(0.0);
    let p = a.given("stockout_cost").unwrap_or(0.0);
    let base = a.given("base_stock_level");
    let prices = || Prices {
        now: a.number("purchase_cost"),
        next: a.number("purchase_cost_next_per"),
        discount: a.number("discount_factor"),
    };
    let margins = || Margins {
        revenue: a.number("revenue"),
        purchase: a.number("purchase_cost"),
        salvage: a.number("salvage_value"),
        holding: h,
        stockout: p,
    };
    let best = |demand: &Demand| match base {
        None => level(newsvendor(h, p, demand)),
        Some(base) => vec![base, newsvendor_cost(base, h, p, demand).unwrap()],
    };
    match name {
        "newsvendor_normal" => best(&a.normal()),
        "newsvendor_poisson" => best(&a.poisson()),
        "newsvendor_normal_cost" => vec![newsvendor_cost(base.unwrap(), h, p, &a.normal()).unwrap()],
        "newsvendor_poisson_cost" => vec![newsvendor_cost(base.unwrap(), h, p, &a.poisson()).unwrap()],
        "newsvendor_normal_explicit" => level(newsvendor_profit(margins(), &a.normal(), base)),
        "newsvendor_poisson_explicit" => level(newsvendor_profit(margins(), &a.poisson(), base)),
        "newsvendor_continuous" => best(&a.distribution("demand_distrib").0),
        "newsvendor_discrete" if a.0["demand_pmf"].is_object() => best(&a.pmf("demand_pmf")),
        "newsvendor_discrete" => best(&a.distribution("demand_distrib").0),
        "myopic" => match base {
            None => level(myopic(h, p, prices(), &a.normal())),
            Some(base) => vec![base, myopic_cost(base, h, p, prices(), &a.normal()).unwrap()],
        },
        "myopic_cost" => {
            vec![myopic_cost(base.unwrap(), h, p, prices(), &a.normal()).unwrap()]
        }
        other => panic!("{other}"),
    }
}

fn lot_sizes(name: &str, a: &Arguments<'_>) -> Vec<f64> {
    let n = |name: &str| a.number(name);
    let quantity = a.given("order_quantity");
    match name {
        "economic_order_quantity" => {
            let (k, h, d) = (n("fixed_cost"), n("holding_cost"), n("demand_rate"));
            at_quantity(quantity, lot(eoq(k, h, d)), |q| eoq_cost(q, k, h, d).unwrap())
        }
        "economic_order_quantity_with_backorders" => {
            let (k, h, p, d) = (
                n("fixed_cost"),
                n("holding_cost"),
                n("stockout_cost"),
                n("demand_rate"),
            );
            if let Some(quantity) = quantity {
                let share = n("stockout_fraction");
                let cost = eoq_with_backorders_cost(quantity, share, k, h, p, d).unwrap();
                return vec![quantity, share, cost];
            }
            let best = eoq_with_backorders(k, h, p, d).unwrap();
            vec![best.quantity, best.backordered, best.cost]
        }
        "economic_production_quantity" => {
            let (k, h, d, r) = (
                n("fixed_cost"),
                n("holding_cost"),
                n("demand_rate"),
                n("production_rate"),
            );
            at_quantity(quantity, lot(epq(k, h, d, r)), |q| {
                epq_cost(q, k, h, d, r).unwrap()
            })
        }
        "joint_replenishment_problem_silver_heuristic" => {
            let items: Vec<JointItem> = a
                .list("individual_fixed_costs")
                .iter()
                .zip(a.list("holding_costs"))
                .zip(a.list("demand_rates"))
                .map(|((&fixed, holding), demand)| JointItem {
                    fixed,
                    holding,
                    demand,
                })
                .collect();
            let plan = joint_replenishment(n("shared_fixed_cost"), &items).unwrap();
            let mut flat = plan.quantities;
            flat.push(plan.cycle);
            flat.extend(plan.multiples.into_iter().map(f64::from));
            flat.push(plan.cost);
            flat
        }
        discounts => {
            let (from, price) = (a.list("breakpoints"), a.list("unit_costs"));
            let breaks = PriceBreaks {
                from: &from,
                price: &price,
            };
            let (k, rate, d) = (n("fixed_cost"), n("holding_cost_rate"), n("demand_rate"));
            let best = if discounts.contains("all_units") {
                eoq_all_units_discount(k, rate, d, breaks)
            } else {
                eoq_incremental_discount(k, rate, d, breaks)
            }
            .unwrap();
            vec![best.quantity, best.region as f64, best.cost]
        }
    }
}

fn supplies(name: &str, a: &Arguments<'_>) -> Vec<f64> {
    let n = |name: &str| a.number(name);
    let quantity = a.given("order_quantity");
    let basic = || (n("fixed_cost"), n("holding_cost"), n("demand_rate"));
    let noise = || (n("yield_mean"), n("yield_sd"));
    let costs = || {
        let (k, h, d) = basic();
        (k, h, n("stockout_cost"), d)
    };
    let stops = || Disruptions {
        stop: n("disruption_rate"),
        recover: n("recovery_rate"),
    };
    let approximate = a.0["approximate"].as_bool().unwrap_or(false);
    match name {
        "eoq_with_disruptions" => lot(eoq_disrupted(costs(), stops(), approximate)),
        "eoq_with_disruptions_cost" => {
            vec![eoq_disrupted_cost(quantity.unwrap(), costs(), stops(), approximate).unwrap()]
        }
        "eoq_with_additive_yield_uncertainty" => {
            let ((k, h, d), (mean, sd)) = (basic(), noise());
            at_quantity(quantity, lot(eoq_additive_yield(k, h, d, mean, sd)), |q| {
                eoq_additive_yield_cost(q, k, h, d, mean, sd).unwrap()
            })
        }
        "eoq_with_multiplicative_yield_uncertainty" => {
            let ((k, h, d), (mean, sd)) = (basic(), noise());
            at_quantity(quantity, lot(eoq_multiplicative_yield(k, h, d, mean, sd)), |q| {
                eoq_multiplicative_yield_cost(q, k, h, d, mean, sd).unwrap()
            })
        }
        "newsvendor_with_disruptions" => lot(newsvendor_disrupted(
            n("holding_cost"),
            n("stockout_cost"),
            n("demand"),
            n("disruption_prob"),
            n("recovery_prob"),
            a.given("base_stock_level"),
        )),
        "newsvendor_with_additive_yield_uncertainty" => lot(newsvendor_additive_yield(
            n("holding_cost"),
            n("stockout_cost"),
            n("demand"),
            &a.distribution("yield_distribution").0,
        )),
        other => panic!("{other}"),
    }
}

fn policies(name: &str, a: &Arguments<'_>) -> Vec<f64> {
    let pair = |answer: Result<ReorderPolicy, InventoryError>| {
        let answer = answer.unwrap();
        vec![answer.point, answer.quantity, answer.cost]
    };
    let demand = || {
        if a.0["use_poisson"] == Value::Bool(true) {
            a.poisson()
        } else {
            a.pmf("demand_pmf")
        }
    };
    match name {
        "r_q_cost" => {
            let cost = a
                .continuous()
                .cost(a.number("reorder_point"), a.number("order_quantity"));
            vec![cost.unwrap()]
        }
        "r_q_optimal_r_for_q" => {
            vec![
                a.continuous()
                    .best_point(a.number("order_quantity"), a.number("tol"))
                    .unwrap(),
            ]
        }
        "r_q_eil_approximation" => pair(a.continuous().by_expected_inventory()),
        "r_q_eoqb_approximation" => pair(a.continuous().by_backorder_lot()),
        "r_q_eoqss_approximation" => pair(a.continuous().by_lot_and_safety()),
        "r_q_loss_function_approximation" => pair(a.continuous().by_loss_functions()),
        "r_q_cost_poisson" => {
            let cost = a
                .poisson_reorder()
                .cost(a.whole("reorder_point"), a.whole("order_quantity"));
            vec![cost.unwrap()]
        }
        "r_q_poisson_exact" => {
            let best = a.poisson_reorder().exact().unwrap();
            vec![best.point as f64, best.quantity as f64, best.cost]
        }
        "s_s_cost_discrete" => vec![
            order_up_to_cost(
                a.whole("reorder_point"),
                a.whole("order_up_to_level"),
                a.costs(),
                &demand(),
            )
            .unwrap(),
        ],
        "s_s_discrete_exact" => {
            let best = order_up_to(a.costs(), &demand()).unwrap();
            vec![best.point as f64, best.level as f64, best.cost]
        }
        "s_s_power_approximation" => {
            let best =
                order_up_to_by_power(a.costs(), a.number("demand_mean"), a.number("demand_sd")).unwrap();
            vec![best.point, best.level]
        }
        other => panic!("{other}"),
    }
}

fn horizons(a: &Arguments<'_>) -> Vec<f64> {
    let lists = [
        "holding_cost",
        "stockout_cost",
        "purchase_cost",
        "fixed_cost",
        "demand_mean",
        "demand_sd",
        "discount_factor",
    ]
    .map(|name| a.per_period(name));
    let [holding, stockout, purchase, fixed, mean, sd, discount] = &lists;
    let periods: Vec<HorizonPeriod> = (0..holding.len())
        .map(|t| HorizonPeriod {
            holding: holding[t],
            stockout: stockout[t],
            purchase: purchase[t],
            fixed: fixed[t],
            mean: mean[t],
            sd: sd[t],
            discount: discount[t],
        })
        .collect();
    let plan = finite_horizon(
        &periods,
        (
            a.number("terminal_holding_cost"),
            a.number("terminal_stockout_cost"),
        ),
        a.whole("initial_inventory_level"),
    )
    .unwrap();
    // The reference lists an unused entry before the first period.
    let mut flat = vec![0.0];
    flat.extend(plan.points.iter().map(|level| *level as f64));
    flat.push(0.0);
    flat.extend(plan.levels.iter().map(|level| *level as f64));
    flat.push(plan.cost);
    flat
}

fn lots(a: &Arguments<'_>) -> Vec<f64> {
    let lists = ["demand", "fixed_cost", "purchase_cost", "holding_cost"].map(|name| a.per_period(name));
    let [demand, fixed, purchase, holding] = &lists;
    let periods: Vec<LotPeriod> = (0..demand.len())
        .map(|t| LotPeriod {
            demand: demand[t],
            fixed: fixed[t],
            purchase: purchase[t],
            holding: holding[t],
        })
        .collect();
    let plan = wagner_whitin(&periods).unwrap();
    let mut flat = vec![0.0];
    flat.extend(&plan.orders);
    flat.push(plan.cost);
    flat.push(0.0);
    flat.extend(&plan.cost_from);
    flat.push(0.0);
    flat.push(0.0);
    flat.extend(plan.next.iter().map(|next| (next + 1) as f64));
    flat
}

fn ours(function: &str, a: &Arguments<'_>) -> Vec<f64> {
    let (room, name) = function.split_once('.').unwrap();
    match room {
        "loss_functions" => loss_functions(name, a),
        "newsvendor" => newsvendors(name, a),
        "eoq" => lot_sizes(name, a),
        "supply_uncertainty" => supplies(name, a),
        "rq" | "ss" => policies(name, a),
        "finite_horizon" => horizons(a),
        "wagner_whitin" => lots(a),
        other => panic!("{other}"),
    }
}

fn flat(value: &Value, into: &mut Vec<f64>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| flat(value, into)),
        Value::Number(number) => into.push(number.as_f64().unwrap()),
        _ => {}
    }
}

/// The reference sometimes asserts the same figure computed another way.
fn same(window: &[f64], got: &[f64], within: f64) -> bool {
    window
        .iter()
        .zip(got)
        .all(|(a, b)| (a - b).abs() <= within * b.abs().max(1.0))
}

fn agrees(ours: f64, asserted: &Value, expected: f64) -> bool {
    let places = asserted["places"].as_i64().unwrap_or(7);
    (ours - expected).abs() <= 0.5 * 10f64.powi(-(places as i32)) + expected.abs() * 1e-14
}

#[test]
fn all_published_cases_agree_within_their_own_tolerances() {
    let file = fixture("stockpyl_cases.json.gz");
    let mut wrong = Vec::new();
    let (mut cases, mut values, mut integrated) = (0, 0, 0);
    for case in file["cases"].as_array().unwrap() {
        let function = case["fn"].as_str().unwrap();
        let a = Arguments(&case["args"]);
        cases += 1;
        if function.ends_with("standard_normal_loss_dict") {
            values += tables(case, &a, &mut wrong);
            continue;
        }
        let mut returned = Vec::new();
        flat(&case["returned"], &mut returned);
        let ours = ours(function, &a);
        for asserted in case["asserted"].as_array().unwrap() {
            let (mut got, mut expected) = (Vec::new(), Vec::new());
            flat(&asserted["got"], &mut got);
            flat(&asserted["expected"], &mut expected);
            let Some(place) = returned
                .windows(got.len().max(1))
                .position(|window| same(window, &got, 1e-9))
                .or_else(|| {
                    returned
                        .windows(got.len().max(1))
                        .position(|window| same(window, &got, 1e-3))
                })
            else {
                // The horizon's range of levels is asserted too: an inner matter of the reference.
                assert_eq!(function, "finite_horizon.finite_horizon_dp", "{case}");
                continue;
            };
            if place + got.len() > ours.len() {
                assert_eq!(function, "finite_horizon.finite_horizon_dp");
                continue;
            }
            for (index, expected) in expected.iter().enumerate() {
                let ours = ours[place + index];
                if function == "supply_uncertainty.newsvendor_with_additive_yield_uncertainty"
                    && *expected == 6_249_999.997_5
                {
                    // The reference's own integral: 2.5e-3 short of the 6,250,000 it asserts for the same case in closed
                    // form, which is what we answer.
                    assert!((ours - 6_250_000.0).abs() < 1e-6);
                    integrated += 1;
                    continue;
                }
                values += 1;
                if !agrees(ours, asserted, *expected) {
                    wrong.push(format!("{function} {}: {ours} {asserted}", a.0));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {values}: {wrong:#?}", wrong.len());
    assert_eq!((cases, integrated, values), (332, 1, 794));
}

/// Tables of the standard normal loss: an entry is known by its value.
fn tables(case: &Value, a: &Arguments<'_>, wrong: &mut Vec<String>) -> usize {
    let complementary = a.0["complementary"].as_bool().unwrap_or(false);
    let mut checked = 0;
    for asserted in case["asserted"].as_array().unwrap() {
        let table = case["returned"].as_object().unwrap();
        let (z, _) = table
            .iter()
            .find(|(_, value)| **value == asserted["got"])
            .unwrap();
        let loss = standard_normal_loss(z.parse().unwrap());
        // What the reference calls complementary is the surplus.
        let ours = if complementary { loss.left } else { loss.short };
        let expected = asserted["expected"].as_f64().unwrap();
        checked += 1;
        if !agrees(ours, asserted, expected) {
            wrong.push(format!("table at {z}: {ours} {asserted}"));
        }
    }
    checked
}
