use chrono::Duration;
use proptest::prelude::*;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn forwarder(name: &str) -> Provider {
    Provider::Forwarder(ForwarderId::new(name).unwrap())
}

/// A shipment that was promised in 30 days, at the latest 40, and took so many.
fn passage(provider: &Provider, number: i64, took: Option<i64>, lost: i64) -> Passage {
    let from = day("2026-01-05") + Duration::days(number % 180);
    Passage {
        provider: provider.clone(),
        order: OrderNo::new(format!("BH{number}")).unwrap(),
        mode: Mode::Sea,
        warehouse: WarehouseCode::new("goodcang:UKMA").unwrap(),
        from,
        to: took.map(|days| from + Duration::days(days)),
        promised_p50: Some(from + Duration::days(30)),
        promised_p90: Some(from + Duration::days(40)),
        counted: Some((100, lost, 0)),
        paper_faults: i64::from(number % 10 == 0),
        billed: None,
    }
}

fn whole<'a>(scores: &'a [Score], provider: &Provider) -> &'a Score {
    scores
        .iter()
        .find(|score| score.provider == *provider && score.part == Part::All)
        .unwrap()
}

fn asked(provider: &Provider, days: Option<i64>, amount: i64, recovered: i64, ended: bool) -> Asked {
    let submitted = day("2026-03-01");
    Asked {
        provider: provider.clone(),
        submitted,
        answered: days.map(|days| submitted + Duration::days(days)),
        ended,
        currency: Currency::USD,
        amount: Decimal::from(amount),
        recovered: Decimal::from(recovered),
    }
}

#[test]
fn r42_metrics_of_a_history_of_known_truth_are_the_truth() {
    let huatuo = forwarder("huatuo");
    // Of 100 shipments 1…100 days: half are within 50 days, 30 within the middle promise, 40 within the late one.
    let passages: Vec<Passage> = (1..=100)
        .map(|number| passage(&huatuo, number, Some(number), i64::from(number % 4 == 0) * 2))
        .collect();
    let claims = [
        asked(&huatuo, Some(10), 1_000, 800, true),
        asked(&huatuo, Some(20), 500, 0, true),
        asked(&huatuo, Some(30), 500, 0, false),
        asked(&huatuo, None, 700, 0, false),
    ];
    let scores = scores(&passages, &claims);
    let score = whole(&scores, &huatuo);
    assert_eq!((score.shipments, score.arrived), (100, 100));
    let kept = (score.kept_p50.unwrap(), score.kept_p90.unwrap());
    assert_eq!((kept.0.hits, kept.1.hits), (30, 40));
    assert_eq!(kept.0.rate.to_string(), "0.3000".trim_end_matches('0'));
    assert!(kept.1.low < kept.1.rate && kept.1.rate < kept.1.high);
    let lead = (score.lead_p50.unwrap(), score.lead_p90.unwrap());
    assert_eq!((lead.0.days, lead.1.days), (50, 90));
    assert!(lead.0.low.unwrap() < 50 && lead.0.high.unwrap() > 50);
    assert_eq!((score.promised_p50, score.promised_p90), (Some(30), Some(40)));
    // 25 shipments lost 2 of 100.
    let lost = score.lost.unwrap();
    assert_eq!(
        (lost.hits, lost.of, lost.rate.to_string().as_str()),
        (50, 10_000, "0.005")
    );
    assert_eq!(score.papers.unwrap().hits, 10);
    assert_eq!((score.claims, score.answer.unwrap().days), (4, 20));
    assert_eq!(score.recovered[0].rate.to_string(), "0.5333");
    // The quarters are parts of the whole.
    let quarters: usize = scores
        .iter()
        .filter(|score| matches!(score.part, Part::Quarter(_)))
        .map(|score| score.shipments)
        .sum();
    assert_eq!(quarters, 100);
}

#[test]
fn r42_fewer_than_five_shipments_are_not_enough() {
    let few = forwarder("few");
    let passages: Vec<Passage> = (1..=4).map(|number| passage(&few, number, Some(30), 0)).collect();
    let scores = scores(&passages, &[]);
    let score = whole(&scores, &few);
    assert!(!score.enough);
    assert_eq!(
        (score.kept_p90, score.lead_p50, score.lost, score.rank),
        (None, None, None, None)
    );
    // Five that are still under way say nothing of arriving.
    let moving: Vec<Passage> = (1..=5).map(|number| passage(&few, number, None, 0)).collect();
    let scores = super::scores(&moving, &[]);
    assert_eq!(
        (whole(&scores, &few).enough, whole(&scores, &few).kept_p90),
        (true, None)
    );
}

#[test]
fn r42_nobody_is_ranked_above_another_whose_range_overlaps() {
    let (good, fair, poor) = (forwarder("good"), forwarder("fair"), forwarder("poor"));
    let mut passages = Vec::new();
    for number in 1..=60 {
        passages.push(passage(&good, number, Some(35), 0));
        passages.push(passage(
            &fair,
            number,
            Some(if number % 20 == 0 { 50 } else { 35 }),
            0,
        ));
        passages.push(passage(
            &poor,
            number,
            Some(if number % 2 == 0 { 50 } else { 35 }),
            0,
        ));
    }
    let scores = scores(&passages, &[]);
    let rank = |provider: &Provider| whole(&scores, provider).rank;
    assert_eq!(
        (rank(&good), rank(&fair), rank(&poor)),
        (Some(1), Some(1), Some(3))
    );
    let alone: Vec<Passage> = passages
        .iter()
        .filter(|passage| passage.provider != poor)
        .cloned()
        .collect();
    let scores = super::scores(&alone, &[]);
    assert_eq!(
        whole(&scores, &good).rank,
        None,
        "60 of 60 and 57 of 60 cannot be told apart"
    );
}

#[test]
fn r42_no_loss_seen_is_not_no_loss() {
    let huatuo = forwarder("huatuo");
    let passages: Vec<Passage> = (1..=10)
        .map(|number| passage(&huatuo, number, Some(30), 0))
        .collect();
    let lost = whole(&scores(&passages, &[]), &huatuo).lost.unwrap();
    assert!(lost.rate.is_zero() && lost.high > Decimal::new(2, 1), "{lost:?}");
}

proptest! {
    /// Ranges hold their figure, shares stay shares, and the order of the shipments does not matter.
    #[test]
    fn r42_ranges_hold_their_figures(days in proptest::collection::vec((0_i64..80, 0_i64..100), 5..60), turn in 0_usize..60) {
        let huatuo = forwarder("huatuo");
        let mut passages: Vec<Passage> = days
            .iter()
            .zip(1..)
            .map(|((took, lost), number)| passage(&huatuo, number, Some(*took), *lost))
            .collect();
        let first = scores(&passages, &[]);
        let score = whole(&first, &huatuo);
        for share in [score.kept_p50, score.kept_p90, score.lost, score.papers].into_iter().flatten() {
            prop_assert!(Decimal::ZERO <= share.low && share.low <= share.rate);
            prop_assert!(share.rate <= share.high && share.high <= Decimal::ONE);
        }
        for lead in [score.lead_p50, score.lead_p90].into_iter().flatten() {
            prop_assert!(lead.low.is_none_or(|low| low <= lead.days));
            prop_assert!(lead.high.is_none_or(|high| high >= lead.days));
        }
        let turn = turn.min(passages.len());
        passages.rotate_left(turn);
        prop_assert_eq!(scores(&passages, &[]), first);
    }
}

#[test]
fn r42_bills_are_compared_with_what_was_expected_and_from_too_few_nothing_is_said() {
    let huatuo = forwarder("huatuo");
    let billed = |count: i64| -> Vec<Passage> {
        (0..10)
            .map(|number| Passage {
                // A tenth above, a tenth above, as expected; the others have no bill yet.
                billed: (number < count).then(|| {
                    let over = if number % 3 == 2 { 0 } else { 120 };
                    (Decimal::from(1_200), Decimal::from(1_200 + over))
                }),
                ..passage(&huatuo, number, Some(30), 0)
            })
            .collect()
    };
    let over = whole(&scores(&billed(6), &[]), &huatuo).billed.unwrap();
    assert_eq!((over.of, over.rate.to_string().as_str()), (6, "0.0667"));
    assert!(over.low < over.rate && over.rate < over.high);
    assert_eq!(over.text(), "+6.7 % (+2.5–+10.8, n 6)");
    assert_eq!(whole(&scores(&billed(4), &[]), &huatuo).billed, None);
}
