//! `kill -9` at any instant of a night, then again `linkstar night`, until it ends.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::shop::{Shop, copy_tree, files, morning};
use super::state::{State, assert_same, state};

const KILLS: usize = 20;
const ROUNDS: usize = 5;

/// A generator of its own: the instants must be the same in every run of the test.
struct Draw(u64);

impl Draw {
    /// From 0 up to and without 1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        f64::from(u32::try_from(self.0 >> 40).expect("24 bits")) / f64::from(1_u32 << 24)
    }
}

/// What one night left behind, inside and outside.
struct Left {
    state: State,
    dropped: BTreeMap<String, Vec<u8>>,
    /// Arrived mails by `Message-ID`.
    mails: BTreeMap<String, usize>,
}

struct Stage {
    shop: Shop,
    /// The home folder as it was before the night.
    before: std::path::PathBuf,
    at: String,
    later: String,
}

impl Stage {
    /// A second morning: an answer waits in the inbox, a receipt report at the forwarder.
    async fn new() -> Self {
        let shop = Shop::new(7).await;
        shop.night(0).await;
        shop.answer();
        let opening = shop.world.opening_files().open_shipments;
        let row: Vec<&str> = opening
            .lines()
            .nth(1)
            .expect("a shipment under way")
            .split(',')
            .collect();
        let report = format!(
            "reference,carton,sku,kind,units,at\n{},,{},received,3,2026-05-04T12:00:00+01:00\n",
            row[0], row[5]
        );
        shop.advance(morning(1));
        let out = shop.world.endpoints().sftp_folder.join("out");
        fs::write(out.join("receipt-by-hand.csv"), report).expect("a report");
        let before = shop.folder.path().join("before");
        copy_tree(&shop.home, &before);
        Self {
            shop,
            before,
            at: morning(1).to_rfc3339(),
            later: (morning(1) + chrono::Duration::minutes(3)).to_rfc3339(),
        }
    }

    fn restore(&self) {
        fs::remove_dir_all(&self.shop.home).expect("the home goes");
        copy_tree(&self.before, &self.shop.home);
        let drop = self.shop.world.endpoints().sftp_folder.join("in");
        for name in files(&drop).keys() {
            fs::remove_file(drop.join(name)).expect("the drop is emptied");
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a measurement, not a decision")]
    fn night(&self) -> Duration {
        let watch = Instant::now();
        let ran = self.shop.linkstar(&["night", "--at", &self.at]);
        assert!(matches!(ran.code, Some(0 | 1)), "{ran:?}");
        watch.elapsed()
    }

    /// Starts the night and kills it after so long; false when it had ended by then.
    async fn killed_after(&self, instant: Duration) -> bool {
        let mut child = self.shop.spawn(&["night", "--at", &self.at]);
        tokio::time::sleep(instant).await;
        let hit = child.try_wait().expect("a child").is_none();
        child.kill().expect("a signal");
        child.wait().expect("an end");
        hit
    }

    /// Leases of a killed process are taken over when they have run out.
    async fn left(&self, mails_before: usize) -> Left {
        let ran = self.shop.linkstar(&["deliver", "--at", &self.later]);
        assert!(matches!(ran.code, Some(0 | 1)), "{ran:?}");
        let store = self.shop.store().await;
        let state = state(&store).await;
        store.close().await;
        let mut mails = BTreeMap::new();
        for mail in self.shop.world.inbox().iter().skip(mails_before) {
            *mails.entry(message_id(&mail.file)).or_default() += 1;
        }
        Left {
            state,
            dropped: self.shop.dropped(),
            mails,
        }
    }
}

fn message_id(file: &Path) -> String {
    let raw = fs::read(file).expect("a mail");
    String::from_utf8_lossy(&raw)
        .lines()
        .find_map(|line| line.strip_prefix("Message-ID: ").map(str::to_owned))
        .expect("a Message-ID")
}

/// Puts the doubtful mails aside and says which they were; a mail cannot be asked for.
fn take_doubtful(state: &mut State) -> Vec<String> {
    let outbox = state.get_mut("outbox").expect("the outbox");
    let mut doubtful = Vec::new();
    for row in outbox.iter_mut() {
        if let Some(head) = row.strip_suffix(" | doubtful") {
            assert!(row.contains(" | mail | "), "only a mail may be doubtful: {row}");
            let id = head.rsplit(" | ").next().unwrap_or_default().to_owned();
            doubtful.push(id);
            *row = format!("{head} | sent");
        }
    }
    doubtful
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_killed_at_20_instants_ends_as_an_undisturbed_one() {
    let stage = Stage::new().await;
    let mails = stage.shop.world.inbox().len();
    let took = stage.night();
    let calm = stage.left(mails).await;
    assert!(
        calm.dropped.len() >= 6,
        "orders with their papers: {:?}",
        calm.dropped.keys()
    );
    assert_eq!(calm.mails.len(), 2, "one mail a reader");
    println!(
        "an undisturbed night took {took:?} and dropped {} files",
        calm.dropped.len()
    );

    // A round is one night that is killed several times; each of its kills falls into another part of the night.
    let slot = took / u32::try_from(KILLS).expect("small");
    let mut draw = Draw(0x005e_ed0f_2026);
    let (mut kills, mut round) = (0, 0);
    while kills < KILLS {
        assert!(round < 3 * ROUNDS, "the night ends before it can be killed");
        stage.restore();
        let mails = stage.shop.world.inbox().len();
        let mut instants = Vec::new();
        let mut gone = Duration::ZERO;
        for part in 0..KILLS / ROUNDS {
            let number = u32::try_from(part * ROUNDS + round % ROUNDS).expect("small");
            let instant = slot.mul_f64(f64::from(number) + draw.next());
            if stage.killed_after(instant.saturating_sub(gone)).await {
                kills += 1;
                instants.push(instant);
            }
            gone = instant;
        }
        round += 1;
        stage.night();
        let mut left = stage.left(mails).await;
        let doubtful = take_doubtful(&mut left.state);
        let what = format!("killed after {instants:?} of {took:?}");
        assert_same(&calm.state, &left.state, &what);
        assert_eq!(
            calm.dropped.keys().collect::<Vec<_>>(),
            left.dropped.keys().collect::<Vec<_>>(),
            "{what}: each file once, nothing left over"
        );
        assert!(calm.dropped == left.dropped, "{what}: a file has other bytes");
        for id in calm.mails.keys() {
            let arrived = left.mails.get(id).copied().unwrap_or(0);
            if doubtful.contains(id) {
                assert!(
                    arrived <= 1,
                    "{what}: a doubtful mail is not sent again by itself"
                );
            } else {
                assert_eq!(arrived, 1, "{what}: {id}");
            }
        }
    }
}
