//! Many nights in one process: memory and file descriptors stay where they were.
//!
//! The big run: `LINKSTAR_NIGHTS=1000 cargo test --test it fleet::memory`.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use linkstar::clock::FixedClock;
use linkstar::config;
use linkstar::http::Pace;
use linkstar::night::{Night, StepState, Tools};
use linkstar::store::Store;

use super::children::size;
use crate::services::{services, unique};

/// Between the early point and the last one; fragments of the allocator included.
const MOST_GROWTH_KIB: i64 = 12 * 1024;

/// Resident KiB and open file descriptors of this process.
fn now() -> (i64, i64) {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .expect("VmRSS");
    let open = fs::read_dir("/proc/self/fd").expect("Linux").count();
    (resident, i64::try_from(open).expect("few"))
}

/// Runs in a process of its own, started by the test below: other tests would be measured with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by memory_is_flat_over_many_nights"]
async fn many_nights_in_this_process() {
    let Some(services) = services() else { return };
    let nights = i32::try_from(size("LINKSTAR_NIGHTS", 60)).expect("few");
    let home = tempfile::tempdir().expect("a folder");
    let reader = format!("nights-{}-{}@lanting.example", std::process::id(), unique());
    let (login, place) = services
        .smtp_url
        .trim_start_matches("smtp://")
        .rsplit_once('@')
        .expect("a login");
    let (user, password) = login.split_once(':').expect("a password");
    fs::write(home.path().join("password"), password).expect("a secret");
    let text = format!(
        "[account]\nid = 'main'\nname = 'x'\n[mail]\nhost = '127.0.0.1'\nport = {}\ntls = 'starttls'\nuser = '{user}'\npassword = '${{file:password}}'\nca_file = '{}'\nfrom = 'linkstar <bot@lanting.example>'\n[[mail.recipients]]\naddress = '{reader}'\n",
        place.rsplit_once(':').expect("a port").1,
        services.tls_ca.display(),
    );
    let config = config::load_text("linkstar.toml", &text, home.path(), &|_| None).expect("a configuration");
    let tools = Tools::new(&config, Pace::Skip).expect("tools");
    let store = Store::open(&config.store_url()).await.expect("a store");
    let first: chrono::DateTime<chrono::Utc> = "2026-05-04T00:10:00Z".parse().expect("an instant");
    let clock = Arc::new(FixedClock::new(first));
    let early_at = nights / 4;
    let mut early = (0, 0);
    for day in 0..nights {
        clock.set(first + chrono::Duration::days(i64::from(day)));
        let night = Night {
            store: &store,
            clock: &*clock,
            config: &config,
            tools: &tools,
            dry_run: false,
        };
        let report = night.run(night.today()).await.expect("the store works");
        assert_eq!(report.state(), StepState::Done, "{report:?}");
        if day == early_at {
            early = now();
        }
    }
    let late = now();
    println!(
        "nights {nights}: after night {early_at} {} KiB and {} descriptors, after the last {} KiB and {}",
        early.0, early.1, late.0, late.1
    );
    assert!(
        late.0 - early.0 < MOST_GROWTH_KIB,
        "memory grows: {early:?} then {late:?}"
    );
    assert!(
        late.1 <= early.1 + 2,
        "descriptors are left open: {early:?} then {late:?}"
    );
    store.close().await;
}

#[test]
fn memory_is_flat_over_many_nights() {
    if services().is_none() {
        return;
    }
    let out = Command::new(std::env::current_exe().expect("this test binary"))
        .args([
            "--exact",
            "fleet::memory::many_nights_in_this_process",
            "--ignored",
            "--nocapture",
        ])
        .output()
        .expect("the test binary runs");
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(
        out.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&out.stderr)
    );
    for line in said.lines().filter(|line| line.contains("descriptors")) {
        println!("{line}");
    }
}
