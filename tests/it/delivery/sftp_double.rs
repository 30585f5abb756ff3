//! An SFTP server as some forwarders run it: it announces no extension and a rename takes the place of what stands
//! there. OpenSSH does neither.

use std::collections::HashMap;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use linkstar::transport::sftp::{Target, Tuning};
use russh::keys::PrivateKey;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::server::{Auth, ChannelOpenHandle, Config, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId};
use russh_sftp::protocol::{
    Attrs, Data, File, FileAttributes, Handle, Name, OpenFlags, Packet, Status, StatusCode, Version,
};
use russh_sftp::server::StatusReply;

/// What it was asked for.
#[derive(Default)]
pub struct Counts {
    pub renames: AtomicUsize,
    pub extended: AtomicUsize,
}

/// Runs until it is dropped.
pub struct Overwriting {
    task: tokio::task::JoinHandle<()>,
    pub counts: Arc<Counts>,
    pub folder: PathBuf,
    pub target: Target,
}

impl Drop for Overwriting {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

impl Overwriting {
    /// Serves `drop` below the folder.
    pub async fn start(home: &Path) -> Self {
        let folder = home.join("drop");
        std::fs::create_dir_all(&folder).expect("a folder");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (host_key, client_key) = (key(1), key(2));
        let key_file = home.join("key");
        let text = client_key.to_openssh(LineEnding::LF).expect("a key file");
        std::fs::write(&key_file, text.as_bytes()).expect("written");
        let known_hosts = home.join("known");
        let public = host_key.public_key().to_openssh().expect("a public key");
        std::fs::write(&known_hosts, format!("[127.0.0.1]:{port} {public}\n")).expect("written");
        let config = Arc::new(Config {
            keys: vec![host_key],
            auth_rejection_time_initial: Some(Duration::ZERO),
            nodelay: true,
            ..Config::default()
        });
        let counts = Arc::new(Counts::default());
        let (root, seen) = (home.to_owned(), Arc::clone(&counts));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let visitor = Visitor {
                    root: root.clone(),
                    counts: Arc::clone(&seen),
                    client: client_key.clone(),
                    channels: HashMap::new(),
                };
                let config = Arc::clone(&config);
                tokio::spawn(async move {
                    if let Ok(session) = russh::server::run_stream(config, stream, visitor).await {
                        let _ = session.await;
                    }
                });
            }
        });
        Self {
            task,
            counts,
            folder,
            target: Target {
                id: "huatuo".to_owned(),
                host: "127.0.0.1".to_owned(),
                port,
                user: "lanting".to_owned(),
                key_file,
                known_hosts,
                out_dir: "drop".to_owned(),
                in_dir: None,
                connect_timeout: Duration::from_secs(20),
                idle_timeout: Duration::from_secs(10),
                settle: Duration::ZERO,
                tuning: Tuning::default(),
            },
        }
    }
}

struct Visitor {
    root: PathBuf,
    counts: Arc<Counts>,
    client: PrivateKey,
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl russh::server::Handler for Visitor {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let known = key.public_key.key_data() == self.client.public_key().key_data();
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        _name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let Some(channel) = self.channels.remove(&id) else {
            return session.channel_failure(id);
        };
        session.channel_success(id)?;
        let files = Files {
            root: self.root.clone(),
            counts: Arc::clone(&self.counts),
            open: HashMap::new(),
            folders: HashMap::new(),
        };
        russh_sftp::server::run(channel.into_stream(), files).await;
        Ok(())
    }
}

struct Files {
    root: PathBuf,
    counts: Arc<Counts>,
    open: HashMap<String, std::fs::File>,
    folders: HashMap<String, Vec<File>>,
}

fn refused(error: &std::io::Error) -> StatusReply {
    let code = match error.kind() {
        std::io::ErrorKind::NotFound => StatusCode::NoSuchFile,
        std::io::ErrorKind::PermissionDenied => StatusCode::PermissionDenied,
        _ => StatusCode::Failure,
    };
    code.with_message(error.to_string())
}

fn done(id: u32) -> Status {
    Status {
        id,
        status_code: StatusCode::Ok,
        error_message: String::new(),
        language_tag: String::new(),
    }
}

impl Files {
    fn real(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    fn file(&mut self, handle: &str) -> Result<&mut std::fs::File, StatusReply> {
        self.open
            .get_mut(handle)
            .ok_or_else(|| StatusCode::Failure.with_message("no such handle"))
    }
}

impl russh_sftp::server::Handler for Files {
    type Error = StatusReply;

    fn unimplemented(&self) -> Self::Error {
        StatusReply::new(StatusCode::OpUnsupported)
    }

    async fn init(
        &mut self,
        _version: u32,
        _offered: HashMap<String, String>,
    ) -> Result<Version, Self::Error> {
        Ok(Version::new())
    }

    async fn open(
        &mut self,
        id: u32,
        filename: String,
        pflags: OpenFlags,
        _attrs: FileAttributes,
    ) -> Result<Handle, Self::Error> {
        let file = std::fs::OpenOptions::from(pflags)
            .open(self.real(&filename))
            .map_err(|error| refused(&error))?;
        let handle = format!("h{id}");
        self.open.insert(handle.clone(), file);
        Ok(Handle { id, handle })
    }

    async fn close(&mut self, id: u32, handle: String) -> Result<Status, Self::Error> {
        self.open.remove(&handle);
        self.folders.remove(&handle);
        Ok(done(id))
    }

    async fn read(&mut self, id: u32, handle: String, offset: u64, len: u32) -> Result<Data, Self::Error> {
        let file = self.file(&handle)?;
        let mut data = Vec::new();
        file.seek(SeekFrom::Start(offset))
            .and_then(|_| file.take(u64::from(len)).read_to_end(&mut data))
            .map_err(|error| refused(&error))?;
        if data.is_empty() {
            return Err(StatusReply::new(StatusCode::Eof));
        }
        Ok(Data { id, data })
    }

    async fn write(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        data: Vec<u8>,
    ) -> Result<Status, Self::Error> {
        let file = self.file(&handle)?;
        file.seek(SeekFrom::Start(offset))
            .and_then(|_| file.write_all(&data))
            .map_err(|error| refused(&error))?;
        Ok(done(id))
    }

    async fn lstat(&mut self, id: u32, path: String) -> Result<Attrs, Self::Error> {
        let metadata = std::fs::symlink_metadata(self.real(&path)).map_err(|error| refused(&error))?;
        Ok(Attrs {
            id,
            attrs: FileAttributes::from(&metadata),
        })
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Result<Attrs, Self::Error> {
        let metadata = self.file(&handle)?.metadata().map_err(|error| refused(&error))?;
        Ok(Attrs {
            id,
            attrs: FileAttributes::from(&metadata),
        })
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, Self::Error> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(self.real(&path)).map_err(|error| refused(&error))? {
            let entry = entry.map_err(|error| refused(&error))?;
            let metadata = entry.metadata().map_err(|error| refused(&error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            entries.push(File::new(name, FileAttributes::from(&metadata)));
        }
        let handle = format!("h{id}");
        self.folders.insert(handle.clone(), entries);
        Ok(Handle { id, handle })
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Result<Name, Self::Error> {
        match self.folders.get_mut(&handle).map(std::mem::take) {
            Some(files) if !files.is_empty() => Ok(Name { id, files }),
            _ => Err(StatusReply::new(StatusCode::Eof)),
        }
    }

    async fn remove(&mut self, id: u32, filename: String) -> Result<Status, Self::Error> {
        std::fs::remove_file(self.real(&filename)).map_err(|error| refused(&error))?;
        Ok(done(id))
    }

    /// Takes the place of whatever stands there.
    async fn rename(&mut self, id: u32, oldpath: String, newpath: String) -> Result<Status, Self::Error> {
        self.counts.renames.fetch_add(1, Ordering::Relaxed);
        std::fs::rename(self.real(&oldpath), self.real(&newpath)).map_err(|error| refused(&error))?;
        Ok(done(id))
    }

    async fn extended(&mut self, _id: u32, _request: String, _data: Vec<u8>) -> Result<Packet, Self::Error> {
        self.counts.extended.fetch_add(1, Ordering::Relaxed);
        Err(self.unimplemented())
    }
}
