//! What a service manager wants to hear: one datagram each.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// Where it listens and how often it wants a sign of life; nothing outside of systemd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceManager {
    socket: String,
    /// Half of what it waits for.
    pub beat: Option<Duration>,
}

impl ServiceManager {
    /// From the environment systemd gives a service.
    #[must_use]
    pub fn find() -> Option<Self> {
        let variable = |name: &str| std::env::var(name).ok();
        Self::of(
            variable("NOTIFY_SOCKET"),
            variable("WATCHDOG_USEC"),
            variable("WATCHDOG_PID"),
        )
    }

    fn of(socket: Option<String>, usec: Option<String>, pid: Option<String>) -> Option<Self> {
        let socket = socket.filter(|socket| socket.starts_with(['/', '@']))?;
        let ours = pid.is_none_or(|pid| pid == std::process::id().to_string());
        let beat = usec
            .and_then(|usec| usec.parse::<u64>().ok())
            .filter(|usec| ours && *usec > 0)
            .map(|usec| Duration::from_micros(usec / 2));
        Some(Self { socket, beat })
    }

    /// `READY=1`, `WATCHDOG=1`, `STOPPING=1`. A manager that does not listen is no reason to stop.
    pub fn say(&self, what: &str) {
        if let Err(error) = self.send(what) {
            tracing::warn!(%error, what, "the service manager does not listen");
        }
    }

    fn send(&self, what: &str) -> std::io::Result<()> {
        let socket = UnixDatagram::unbound()?;
        match self.socket.strip_prefix('@') {
            #[cfg(target_os = "linux")]
            Some(name) => {
                use std::os::linux::net::SocketAddrExt as _;
                let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
                socket.send_to_addr(what.as_bytes(), &address)?;
            }
            _ => {
                socket.send_to(what.as_bytes(), &self.socket)?;
            }
        }
        Ok(())
    }
}

/// Bytes of memory this process has in RAM; `None` where the system does not say.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_hears_that_we_are_ready() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let heard = UnixDatagram::bind(&path).unwrap();
        let manager = ServiceManager::of(
            Some(path.display().to_string()),
            Some("30000000".to_owned()),
            None,
        )
        .unwrap();
        assert_eq!(manager.beat, Some(Duration::from_secs(15)));
        manager.say("READY=1");
        let mut bytes = [0; 64];
        let length = heard.recv(&mut bytes).unwrap();
        assert_eq!(&bytes[..length], b"READY=1");
    }

    #[test]
    fn without_a_socket_nothing_is_said_and_another_processes_watchdog_is_not_ours() {
        assert_eq!(ServiceManager::of(None, Some("1".to_owned()), None), None);
        assert_eq!(ServiceManager::of(Some("tcp".to_owned()), None, None), None);
        let other = ServiceManager::of(
            Some("@x".to_owned()),
            Some("1000".to_owned()),
            Some("1".to_owned()),
        );
        assert_eq!(other.unwrap().beat, None);
    }

    #[test]
    fn a_running_process_has_memory() {
        assert!(resident_bytes().unwrap() > 1_000_000);
    }
}
