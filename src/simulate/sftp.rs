//! The forwarder's SFTP server: one user, one key, a folder with `in` and `out`.
//!
//! Like OpenSSH it refuses a rename onto an existing name and offers `fsync@openssh.com` and
//! `posix-rename@openssh.com`.

use std::collections::HashMap;
use std::fs;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use russh::keys::{PrivateKey, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId};
use russh_sftp::protocol::{
    Attrs, Data, File, FileAttributes, Handle, Name, OpenFlags, Packet, Status, StatusCode, Version,
};
use russh_sftp::server::StatusReply;
use tokio::net::TcpListener;

use super::Shared;
use super::faults::FaultKind;

pub const USER: &str = "lanting";
const MAX_READ: u32 = 256 * 1024;
const MAX_HANDLES: usize = 64;

pub struct SftpServer {
    pub shared: Arc<Shared>,
    pub root: PathBuf,
    pub client_key: PublicKey,
    config: Mutex<Arc<Config>>,
}

fn config(host_key: PrivateKey) -> Arc<Config> {
    Arc::new(Config {
        keys: vec![host_key],
        auth_rejection_time: std::time::Duration::from_millis(50),
        auth_rejection_time_initial: Some(std::time::Duration::ZERO),
        nodelay: true,
        ..Config::default()
    })
}

impl SftpServer {
    pub fn new(shared: Arc<Shared>, root: PathBuf, client_key: PublicKey, host_key: PrivateKey) -> Self {
        Self {
            shared,
            root,
            client_key,
            config: Mutex::new(config(host_key)),
        }
    }

    /// New connections meet another host key from now on.
    pub fn change_host_key(&self, host_key: PrivateKey) {
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = config(host_key);
    }

    /// Accepts until the task is dropped; a session that fails ends alone.
    pub async fn run(self: Arc<Self>, listener: TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of descriptors, mostly: give the open sessions time to end.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            };
            let config = Arc::clone(&self.config.lock().unwrap_or_else(PoisonError::into_inner));
            let server = Arc::clone(&self);
            tokio::spawn(async move {
                let visitor = Visitor {
                    server,
                    channels: HashMap::new(),
                };
                match russh::server::run_stream(config, stream, visitor).await {
                    Ok(session) => {
                        if let Err(error) = session.await {
                            tracing::debug!(%error, "simulated SFTP session ended");
                        }
                    }
                    Err(error) => tracing::debug!(%error, "simulated SFTP session refused"),
                }
            });
        }
    }
}

struct Visitor {
    server: Arc<SftpServer>,
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl russh::server::Handler for Visitor {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let known = user == USER && key.public_key.key_data() == self.server.client_key.key_data();
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

    async fn channel_eof(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        session.close(channel)
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        match self.channels.remove(&id) {
            Some(channel) if name == "sftp" => {
                session.channel_success(id)?;
                let server = Arc::clone(&self.server);
                let files = Files {
                    server,
                    handles: HashMap::new(),
                    count: 0,
                };
                russh_sftp::server::run(channel.into_stream(), files).await;
                Ok(())
            }
            _ => session.channel_failure(id),
        }
    }
}

enum Opened {
    File {
        file: fs::File,
        path: PathBuf,
        room: Option<u64>,
    },
    Folder {
        entries: Option<Vec<File>>,
    },
}

struct Files {
    server: Arc<SftpServer>,
    handles: HashMap<String, Opened>,
    count: u64,
}

fn code(error: &std::io::Error) -> StatusReply {
    let code = match error.kind() {
        ErrorKind::NotFound => StatusCode::NoSuchFile,
        ErrorKind::PermissionDenied => StatusCode::PermissionDenied,
        _ => StatusCode::Failure,
    };
    code.with_message(error.to_string())
}

fn done(id: u32) -> Status {
    Status {
        id,
        status_code: StatusCode::Ok,
        error_message: "Success".to_owned(),
        language_tag: "en-US".to_owned(),
    }
}

/// Parts of a path below the root; `..` stops at the root.
fn parts(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts
}

impl Files {
    fn real(&self, path: &str) -> PathBuf {
        parts(path)
            .into_iter()
            .fold(self.server.root.clone(), |real, part| real.join(part))
    }

    /// A place where the visitor may change something: a name directly below `in` or `out`.
    fn writable(&self, path: &str) -> Result<PathBuf, StatusReply> {
        match parts(path).as_slice() {
            ["in" | "out", name] if !name.contains('\0') => Ok(self.real(path)),
            _ => Err(StatusCode::PermissionDenied.with_message("Permission denied")),
        }
    }

    fn keep(&mut self, opened: Opened) -> Result<String, StatusReply> {
        if self.handles.len() >= MAX_HANDLES {
            return Err(StatusCode::Failure.with_message("too many open handles"));
        }
        self.count += 1;
        let handle = format!("h{}", self.count);
        self.handles.insert(handle.clone(), opened);
        Ok(handle)
    }

    fn file(&mut self, handle: &str) -> Result<(&mut fs::File, &mut Option<u64>), StatusReply> {
        match self.handles.get_mut(handle) {
            Some(Opened::File { file, room, .. }) => Ok((file, room)),
            _ => Err(StatusCode::Failure.with_message("Invalid handle")),
        }
    }

    fn attributes(path: &Path) -> Result<FileAttributes, StatusReply> {
        fs::metadata(path)
            .map(|metadata| FileAttributes::from(&metadata))
            .map_err(|error| code(&error))
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
        let mut version = Version::new();
        for extension in ["fsync@openssh.com", "posix-rename@openssh.com"] {
            version.extensions.insert(extension.to_owned(), "1".to_owned());
        }
        Ok(version)
    }

    async fn open(
        &mut self,
        id: u32,
        filename: String,
        pflags: OpenFlags,
        _attrs: FileAttributes,
    ) -> Result<Handle, Self::Error> {
        let writing = pflags.contains(OpenFlags::WRITE) || pflags.contains(OpenFlags::APPEND);
        let path = if writing {
            self.writable(&filename)?
        } else {
            self.real(&filename)
        };
        let fault = if writing {
            self.server.shared.faults.take("sftp.write")
        } else {
            None
        };
        let room = match fault {
            Some(FaultKind::DiskFull { after_bytes }) => Some(after_bytes),
            Some(FaultKind::Unavailable) => return Err(StatusCode::Failure.with_message("Failure")),
            _ => None,
        };
        if path.is_dir() {
            return Err(StatusCode::Failure.with_message("Is a directory"));
        }
        let file = fs::OpenOptions::from(pflags)
            .open(&path)
            .map_err(|error| code(&error))?;
        let handle = self.keep(Opened::File { file, path, room })?;
        Ok(Handle { id, handle })
    }

    async fn close(&mut self, id: u32, handle: String) -> Result<Status, Self::Error> {
        self.handles.remove(&handle);
        Ok(done(id))
    }

    async fn read(&mut self, id: u32, handle: String, offset: u64, len: u32) -> Result<Data, Self::Error> {
        let (file, _) = self.file(&handle)?;
        file.seek(SeekFrom::Start(offset)).map_err(|error| code(&error))?;
        let mut data = Vec::new();
        file.take(len.min(MAX_READ).into())
            .read_to_end(&mut data)
            .map_err(|error| code(&error))?;
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
        let (file, room) = self.file(&handle)?;
        let end = offset.saturating_add(data.len() as u64);
        if room.is_some_and(|room| end > room) {
            return Err(StatusCode::Failure.with_message("No space left on device"));
        }
        file.seek(SeekFrom::Start(offset)).map_err(|error| code(&error))?;
        file.write_all(&data).map_err(|error| code(&error))?;
        Ok(done(id))
    }

    async fn lstat(&mut self, id: u32, path: String) -> Result<Attrs, Self::Error> {
        self.stat(id, path).await
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, Self::Error> {
        Ok(Attrs {
            id,
            attrs: Self::attributes(&self.real(&path))?,
        })
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Result<Attrs, Self::Error> {
        match self.handles.get(&handle) {
            Some(Opened::File { path, .. }) => Ok(Attrs {
                id,
                attrs: Self::attributes(path)?,
            }),
            _ => Err(StatusCode::Failure.with_message("Invalid handle")),
        }
    }

    async fn setstat(
        &mut self,
        id: u32,
        _path: String,
        _attrs: FileAttributes,
    ) -> Result<Status, Self::Error> {
        Ok(done(id))
    }

    async fn fsetstat(
        &mut self,
        id: u32,
        _handle: String,
        _attrs: FileAttributes,
    ) -> Result<Status, Self::Error> {
        Ok(done(id))
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, Self::Error> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.real(&path)).map_err(|error| code(&error))? {
            let entry = entry.map_err(|error| code(&error))?;
            let metadata = entry.metadata().map_err(|error| code(&error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            entries.push(File::new(name, FileAttributes::from(&metadata)));
        }
        entries.sort_by(|a, b| a.filename.cmp(&b.filename));
        let handle = self.keep(Opened::Folder {
            entries: Some(entries),
        })?;
        Ok(Handle { id, handle })
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Result<Name, Self::Error> {
        match self.handles.get_mut(&handle) {
            Some(Opened::Folder { entries }) => match entries.take() {
                Some(files) if !files.is_empty() => Ok(Name { id, files }),
                _ => Err(StatusReply::new(StatusCode::Eof)),
            },
            _ => Err(StatusCode::Failure.with_message("Invalid handle")),
        }
    }

    async fn remove(&mut self, id: u32, filename: String) -> Result<Status, Self::Error> {
        fs::remove_file(self.writable(&filename)?).map_err(|error| code(&error))?;
        Ok(done(id))
    }

    async fn realpath(&mut self, id: u32, path: String) -> Result<Name, Self::Error> {
        Ok(Name {
            id,
            files: vec![File::dummy(format!("/{}", parts(&path).join("/")))],
        })
    }

    /// Refuses an existing target in one step: a link cannot replace a name.
    async fn rename(&mut self, id: u32, oldpath: String, newpath: String) -> Result<Status, Self::Error> {
        let (old, new) = (self.writable(&oldpath)?, self.writable(&newpath)?);
        if self.server.shared.faults.take("sftp.rename").is_some() {
            return Err(StatusCode::Failure.with_message("Failure"));
        }
        fs::hard_link(&old, &new)
            .and_then(|()| fs::remove_file(&old))
            .map_err(|error| code(&error))?;
        Ok(done(id))
    }

    async fn extended(&mut self, id: u32, request: String, data: Vec<u8>) -> Result<Packet, Self::Error> {
        let mut texts = Texts(&data);
        match request.as_str() {
            "fsync@openssh.com" => {
                let handle = texts.next().ok_or(StatusReply::new(StatusCode::BadMessage))?;
                self.file(&handle)?.0.sync_all().map_err(|error| code(&error))?;
            }
            "posix-rename@openssh.com" => {
                let (Some(old), Some(new)) = (texts.next(), texts.next()) else {
                    return Err(StatusReply::new(StatusCode::BadMessage));
                };
                fs::rename(self.writable(&old)?, self.writable(&new)?).map_err(|error| code(&error))?;
            }
            _ => return Err(self.unimplemented()),
        }
        Ok(Packet::Status(done(id)))
    }
}

/// Length-prefixed texts of an SSH packet.
struct Texts<'a>(&'a [u8]);

impl Iterator for Texts<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (text, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }
}
