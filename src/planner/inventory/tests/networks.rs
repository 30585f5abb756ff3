//! The chains and trees of `stockpyl_networks.json`.

use serde_json::Value;

use super::super::*;
use crate::planner::models::tests::fixture;

fn index_of(nodes: &[Value], id: &Value) -> usize {
    nodes.iter().position(|node| node["id"] == *id).unwrap()
}

#[test]
fn guaranteed_service_trees_reach_the_published_cost() {
    let file = fixture("stockpyl_networks.json.gz");
    let mut checked = Vec::new();
    for system in file["gsm"].as_array().unwrap() {
        let nodes = system["nodes"].as_array().unwrap();
        let stages: Vec<Stage> = nodes
            .iter()
            .map(|node| {
                let promised = node["external_outbound_cst"].as_f64().unwrap();
                Stage {
                    processing: node["processing_time"].as_u64().unwrap() as u32,
                    holding: node["holding_cost"].as_f64().unwrap(),
                    supplier: node["external_inbound_cst"].as_u64().unwrap() as u32,
                    promised: (promised < 1e9).then_some(promised as u32),
                    sd: node["net_demand_sd"].as_f64().unwrap(),
                    factor: node["demand_bound_constant"].as_f64().unwrap(),
                }
            })
            .collect();
        let edges: Vec<(usize, usize)> = system["edges"]
            .as_array()
            .unwrap()
            .iter()
            .map(|edge| (index_of(nodes, &edge[0]), index_of(nodes, &edge[1])))
            .collect();
        let plan = guaranteed_service(&stages, &edges).unwrap();
        let expected = system["optimal_cost"].as_f64().unwrap();
        let name = system["name"].as_str().unwrap();
        assert!(
            (plan.cost - expected).abs() <= 1e-9 * expected,
            "{name}: {plan:?} {expected}"
        );
        let added: f64 = stages
            .iter()
            .zip(&plan.safety)
            .map(|(stage, safety)| stage.holding * safety)
            .sum();
        assert!(
            (added - plan.cost).abs() <= 1e-9 * expected,
            "{name}: stocks do not add up"
        );
        for &(from, to) in &edges {
            assert!(
                plan.inbound[to] >= plan.service[from],
                "{name}: promise of {from} to {to}"
            );
        }
        checked.push(name);
    }
    assert_eq!(
        checked,
        [
            "example_6_3",
            "problem_6_7",
            "problem_6_8",
            "problem_6_9",
            "example_6_5",
            "figure_6_14"
        ]
    );
}

#[test]
fn serial_systems_reach_the_published_cost_within_half_a_percent() {
    let file = fixture("stockpyl_networks.json.gz");
    let mut checked = 0;
    for system in file["ssm"].as_array().unwrap() {
        let mut nodes: Vec<&Value> = system["nodes"].as_array().unwrap().iter().collect();
        // Numbered from the customer upward.
        nodes.sort_by_key(|node| node["id"].as_u64());
        let stages: Vec<Echelon> = nodes
            .iter()
            .map(|node| Echelon {
                holding: node["echelon_holding_cost"].as_f64().unwrap(),
                lead: node["lead_time"].as_f64().unwrap(),
            })
            .collect();
        let last = nodes[0];
        let mean = last["demand"]["mean"].as_f64().unwrap();
        let demand = match last["demand"]["type"].as_str().unwrap() {
            "P" => SerialDemand::Poisson { mean },
            _ => SerialDemand::Normal {
                mean,
                sd: last["demand"]["sd"].as_f64().unwrap(),
            },
        };
        let plan = serial_base_stock(&stages, last["stockout_cost"].as_f64().unwrap(), &demand).unwrap();
        let expected = system["optimal_cost"].as_f64().unwrap();
        let distance = (plan.cost / expected - 1.0).abs();
        assert!(distance <= 0.005, "{}: {} {expected}", system["name"], plan.cost);
        for (node, ours) in nodes.iter().zip(&plan.levels) {
            let theirs = &system["optimal_echelon_base_stock"][node["id"].to_string()];
            let theirs = theirs
                .as_f64()
                .or_else(|| theirs.as_str().and_then(|text| text.parse().ok()))
                .unwrap();
            // Counts to the unit; the reference cuts normal demand into coarser steps than ours.
            let near = if matches!(demand, SerialDemand::Poisson { .. }) {
                0.0
            } else {
                0.005 * theirs
            };
            assert!(
                (ours - theirs).abs() <= near,
                "{}: {ours} {theirs}",
                system["name"]
            );
        }
        checked += 1;
    }
    assert_eq!(checked, 8);
}

/// A chain of one stage with demand of nothing or 10,000: 22 minutes in the issue that reported it.
#[test]
fn issue_116_two_point_demand_orders_10_000_at_a_cost_of_5_000() {
    let stage = Echelon {
        holding: 1.0,
        lead: 1.0,
    };
    let demand = SerialDemand::Points(vec![(0, 0.5), (10_000, 0.5)]);
    let plan = serial_base_stock(&[stage], 2.0, &demand).unwrap();
    assert_eq!(plan.levels, [10_000.0]);
    assert_eq!(plan.cost, 5_000.0);
}
