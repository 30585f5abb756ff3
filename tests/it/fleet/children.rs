//! Processes that are waited for and killed, and when.

use std::io::Read as _;
use std::process::{Child, ExitStatus};
use std::time::Duration;

/// A number from the environment, for the big run.
pub fn size(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

/// Kills as `kill -9` does; true when it was still running.
pub fn kill(child: &mut Child) -> bool {
    let running = child.try_wait().expect("a child").is_none();
    child.kill().expect("a signal");
    child.wait().expect("an end");
    running
}

/// Waits for the process to end by itself.
pub async fn ended(child: &mut Child, seconds: u64, what: &str) -> ExitStatus {
    let mut left = seconds * 20;
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return status;
        }
        assert!(left > 0, "{what}: does not end in {seconds} s");
        left -= 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// [`ended`], well.
pub async fn ended_well(mut child: Child, what: &str) {
    let status = ended(&mut child, 120, what).await;
    let mut said = String::new();
    if let Some(mut errors) = child.stderr.take() {
        errors.read_to_string(&mut said).expect("what it said");
    }
    assert!(matches!(status.code(), Some(0 | 1)), "{what}: {status}\n{said}");
}

/// A generator of its own: the instants must be the same in every run of the test.
pub struct Draw(pub u64);

impl Draw {
    /// From 0 up to and without 1.
    pub fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        f64::from(u32::try_from(self.0 >> 40).expect("24 bits")) / f64::from(1_u32 << 24)
    }

    pub fn below(&mut self, longest: Duration) -> Duration {
        longest.mul_f64(self.next())
    }
}
