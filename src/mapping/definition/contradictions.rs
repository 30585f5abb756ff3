//! What no document may leave with, whatever it prints: an order that contradicts itself.

use crate::order::model::StockingOrder;
use crate::problem::Problem;

pub(super) fn order_problems(file: &str, order: &StockingOrder) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |place: String, field: &str, found: String, wanted: String| {
        problems.push(Problem::new(file, place, field, found, wanted));
    };
    if order.lines.is_empty() {
        problem(
            order.number.to_string(),
            "lines",
            "none".to_owned(),
            "at least one line".to_owned(),
        );
    }
    for (place, carton) in order.cartons.iter().enumerate() {
        let wanted = u32::try_from(place + 1).unwrap_or(u32::MAX);
        if carton.no != wanted {
            let wanted = format!("{wanted}: cartons are numbered 1..n without holes");
            problem("cartons".to_owned(), "no", carton.no.to_string(), wanted);
        }
        for content in carton
            .contents
            .iter()
            .filter(|content| order.line(content.line).is_none())
        {
            let place = format!("carton {}", carton.no);
            problem(
                place,
                "line",
                content.line.to_string(),
                "a line of the order".to_owned(),
            );
        }
    }
    for line in &order.lines {
        let contents = order.cartons.iter().flat_map(|carton| &carton.contents);
        let packed: i64 = contents
            .filter(|content| content.line == line.no)
            .map(|content| content.units)
            .sum();
        if packed != line.units {
            let wanted = format!("{}: the units of the line", line.units);
            problem(
                format!("line {}", line.no),
                "units in cartons",
                packed.to_string(),
                wanted,
            );
        }
    }
    problems
}
