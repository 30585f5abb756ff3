//! A world that is up: its servers, its addresses, its clock.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use chrono_tz::Europe::London;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::calendar::civil_day;

use super::faults::EndpointFault;
use super::forwarder::{Operator, Round};
use super::goods::{Assortment, catalog_files};
use super::inbox::{Inbox, Mail};
use super::sftp::SftpServer;
use super::truth::{OpeningFiles, Truth, TruthOptions, World};
use super::{Shared, WorldError, amazon, control, goodcang, inbox, keys, sftp};

/// What a world is made from. Same options and same actions, same world.
#[derive(Debug, Clone, PartialEq)]
pub struct WorldOptions {
    /// Holds the forwarder's folder, the mails, keys and certificates. Must be new or empty of them.
    pub dir: PathBuf,
    pub seed: u64,
    pub start: DateTime<Utc>,
    /// Days of order history before `start` the marketplace still reports.
    pub history_days: i64,
    /// Multiplies the probabilities of receipt faults.
    pub fault_factor: f64,
    /// Port of the control interface; 0 lets the system choose.
    pub control_port: u16,
}

impl WorldOptions {
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, seed: u64, start: DateTime<Utc>) -> Self {
        Self {
            dir: dir.into(),
            seed,
            start,
            history_days: 400,
            fault_factor: 1.0,
            control_port: 0,
        }
    }
}

/// Where everything is and what opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Endpoints {
    pub amazon_base: String,
    pub amazon_token_url: String,
    pub amazon_marketplace: String,
    pub amazon_client_id: String,
    pub amazon_client_secret: String,
    pub amazon_refresh_token: String,
    pub goodcang_base: String,
    pub goodcang_app_key: String,
    pub goodcang_app_token: String,
    pub goodcang_warehouse: String,
    pub sftp_host: String,
    pub sftp_port: u16,
    pub sftp_user: String,
    pub sftp_key_file: PathBuf,
    pub sftp_known_hosts: PathBuf,
    /// The folder the server shows as `/`, with `in` and `out`.
    pub sftp_folder: PathBuf,
    pub smtp_host: String,
    pub smtp_port: u16,
    pub smtp_user: String,
    pub smtp_password: String,
    pub smtp_ca_file: PathBuf,
    pub mail_folder: PathBuf,
    pub control_url: String,
    /// The seller's master data, as [`super::catalog_files`] gives it.
    pub catalog_folder: PathBuf,
    /// What the seller's own spreadsheet knew: `past_shipments.csv`, `open_shipments.csv`.
    pub opening_folder: PathBuf,
}

/// What happened while the world moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advance {
    pub now: DateTime<Utc>,
    #[serde(flatten)]
    pub forwarder: Round,
}

/// What the control interface and [`RunningWorld`] both act on.
pub struct Stage {
    pub shared: Arc<Shared>,
    pub inbox: Arc<Inbox>,
    operator: Mutex<Operator>,
    sftp: Arc<SftpServer>,
    host_keys: AtomicU64,
}

impl Stage {
    /// The operator reads what was dropped until now, then time passes, then he reports.
    pub fn advance_to(&self, to: DateTime<Utc>) -> Result<Advance, WorldError> {
        let mut operator = self.operator.lock().unwrap_or_else(PoisonError::into_inner);
        let mut round = Round::default();
        operator.take_in(&mut round)?;
        self.shared.with_world(|world| world.advance_to(to));
        operator.report(&mut round)?;
        Ok(Advance {
            now: self.shared.now(),
            forwarder: round,
        })
    }

    pub fn change_host_key(&self) {
        let number = self.host_keys.fetch_add(1, Ordering::Relaxed) + 1;
        self.sftp
            .change_host_key(keys::ssh_key(self.shared.seed, &format!("host {number}")));
    }
}

/// Servers on loopback. Stops when dropped.
pub struct RunningWorld {
    stage: Arc<Stage>,
    endpoints: Endpoints,
    tasks: Vec<JoinHandle<()>>,
}

impl RunningWorld {
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.stage.shared.now()
    }

    /// Moves the world; touches the disk, so call it from a blocking context when that matters.
    ///
    /// # Errors
    /// When the forwarder's folder cannot be read or written.
    pub fn advance_to(&self, to: DateTime<Utc>) -> Result<Advance, WorldError> {
        self.stage.advance_to(to)
    }

    #[must_use]
    pub fn truth(&self) -> Truth {
        self.stage.shared.with_world(|world| world.truth())
    }

    #[must_use]
    pub fn opening_files(&self) -> OpeningFiles {
        self.stage
            .shared
            .with_world(|world| world.opening_files().clone())
    }

    #[must_use]
    pub fn inbox(&self) -> Vec<Mail> {
        self.stage.inbox.mails()
    }

    pub fn fault(&self, fault: EndpointFault) {
        self.stage.shared.faults.add(fault);
    }

    pub fn clear_faults(&self) {
        self.stage.shared.faults.clear();
    }

    /// New SSH connections meet another host key.
    pub fn change_host_key(&self) {
        self.stage.change_host_key();
    }

    /// Ends all servers and waits until their ports are free.
    pub async fn stop(mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
            // An aborted task answers with its cancellation, which is what we asked for.
            let _ = task.await;
        }
    }
}

impl Drop for RunningWorld {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn listen(what: &str, port: u16) -> Result<(TcpListener, SocketAddr), WorldError> {
    let failed = || WorldError::io(format!("listen for the simulated {what}"));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(failed())?;
    let address = listener.local_addr().map_err(failed())?;
    Ok((listener, address))
}

fn write(path: &Path, text: &str) -> Result<(), WorldError> {
    fs::write(path, text).map_err(WorldError::io(format!("write {}", path.display())))
}

/// Master data and opening state, for the import of a seller who starts with linkstar today.
fn write_files(dir: &Path, opening: &OpeningFiles) -> Result<(), WorldError> {
    let (catalog, folder) = (dir.join("catalog"), dir.join("opening"));
    for folder in [&catalog, &folder] {
        fs::create_dir_all(folder).map_err(WorldError::io(format!("make {}", folder.display())))?;
    }
    for (name, bytes) in catalog_files() {
        let path = catalog.join(name);
        fs::write(&path, bytes).map_err(WorldError::io(format!("write {}", path.display())))?;
    }
    write(&folder.join("past_shipments.csv"), &opening.past_shipments)?;
    write(&folder.join("open_shipments.csv"), &opening.open_shipments)
}

/// SSH clients refuse a private key that others can read.
fn write_secret(path: &Path, text: &str) -> Result<(), WorldError> {
    write(path, text)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))
            .map_err(WorldError::io(format!("protect {}", path.display())))?;
    }
    Ok(())
}

fn serve(listener: TcpListener, router: axum::Router, what: &'static str) -> JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, what, "simulated server ended");
        }
    })
}

/// Starts the world's servers on loopback, on ports the system chooses.
///
/// # Errors
/// When a folder, key or port cannot be had.
pub async fn start(options: WorldOptions) -> Result<RunningWorld, WorldError> {
    let dir = &options.dir;
    let (forwarder, mail) = (dir.join("forwarder"), dir.join("mail"));
    for folder in [&forwarder.join("in"), &forwarder.join("out"), &mail] {
        fs::create_dir_all(folder).map_err(WorldError::io(format!("make {}", folder.display())))?;
    }
    let assortment = Arc::new(Assortment::bundled()?);
    assortment.check_start(civil_day(options.start, London))?;
    let truth = TruthOptions {
        seed: options.seed,
        start: options.start,
        history_days: options.history_days,
        fault_factor: options.fault_factor,
    };
    let world = tokio::task::spawn_blocking(move || World::new(assortment, truth))
        .await
        .map_err(WorldError::setup("build the world"))?;
    write_files(dir, world.opening_files())?;
    let shared = Shared::new(options.seed, world);

    let (amazon_listener, amazon_at) = listen("marketplace", 0).await?;
    let (goodcang_listener, goodcang_at) = listen("warehouse", 0).await?;
    let (sftp_listener, sftp_at) = listen("forwarder", 0).await?;
    let (smtp_listener, smtp_at) = listen("mail server", 0).await?;
    let (control_listener, control_at) = listen("world's control", options.control_port).await?;

    let (key_file, known_hosts, ca_file) = (
        dir.join("sftp_key"),
        dir.join("known_hosts"),
        dir.join("mail_ca.pem"),
    );
    let client_key = keys::ssh_key(options.seed, "client");
    let host_key = keys::ssh_key(options.seed, "host 0");
    write_secret(&key_file, &keys::openssh(&client_key)?)?;
    write(&known_hosts, &keys::known_hosts(sftp_at.port(), &host_key)?)?;
    let (ca, tls) = keys::tls()?;
    write(&ca_file, &ca)?;

    let amazon_base = format!("http://{amazon_at}");
    let sftp_server = Arc::new(SftpServer::new(
        Arc::clone(&shared),
        forwarder.clone(),
        client_key.public_key().clone(),
        host_key,
    ));
    let inbox = Arc::new(Inbox::new(
        Arc::clone(&shared),
        mail.clone(),
        TlsAcceptor::from(tls),
    ));
    let stage = Arc::new(Stage {
        shared: Arc::clone(&shared),
        inbox: Arc::clone(&inbox),
        operator: Mutex::new(Operator::new(Arc::clone(&shared), &forwarder)),
        sftp: Arc::clone(&sftp_server),
        host_keys: AtomicU64::new(0),
    });
    let tasks = vec![
        serve(
            amazon_listener,
            amazon::router(Arc::clone(&shared), amazon_base.clone()),
            "marketplace",
        ),
        serve(goodcang_listener, goodcang::router(shared), "warehouse"),
        tokio::spawn(sftp_server.run(sftp_listener)),
        tokio::spawn(inbox.run(smtp_listener)),
        serve(control_listener, control::router(Arc::clone(&stage)), "control"),
    ];
    let endpoints = Endpoints {
        amazon_token_url: format!("{amazon_base}/auth/o2/token"),
        amazon_base,
        amazon_marketplace: amazon::MARKETPLACE.to_owned(),
        amazon_client_id: amazon::CLIENT_ID.to_owned(),
        amazon_client_secret: amazon::CLIENT_SECRET.to_owned(),
        amazon_refresh_token: amazon::REFRESH_TOKEN.to_owned(),
        goodcang_base: format!("http://{goodcang_at}/public_open"),
        goodcang_app_key: goodcang::APP_KEY.to_owned(),
        goodcang_app_token: goodcang::APP_TOKEN.to_owned(),
        goodcang_warehouse: goodcang::WAREHOUSE.to_owned(),
        sftp_host: "127.0.0.1".to_owned(),
        sftp_port: sftp_at.port(),
        sftp_user: sftp::USER.to_owned(),
        sftp_key_file: key_file,
        sftp_known_hosts: known_hosts,
        sftp_folder: forwarder,
        smtp_host: "localhost".to_owned(),
        smtp_port: smtp_at.port(),
        smtp_user: inbox::USER.to_owned(),
        smtp_password: inbox::PASSWORD.to_owned(),
        smtp_ca_file: ca_file,
        mail_folder: mail,
        control_url: format!("http://{control_at}"),
        catalog_folder: dir.join("catalog"),
        opening_folder: dir.join("opening"),
    };
    let addresses = dir.join("world.json");
    let running = RunningWorld {
        stage,
        endpoints,
        tasks,
    };
    let text = serde_json::to_string_pretty(running.endpoints())
        .map_err(WorldError::setup("write the addresses"))?;
    write_secret(&addresses, &text)?;
    Ok(running)
}
