//! What the configuration file may say. The comment of a field is its documentation for people.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;

use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, ForwarderId, SourceId, WarehouseCode};
use crate::money::{Currency, Money};
use crate::order::gate::{Rates, ValuePolicy};
use crate::order::labels::ScanBack;
use crate::order::{ExportFacts, Gs1Prefix, Parties, Party, Term};
use crate::secret::Secret;
use crate::wording::Lang;

/// Who the seller is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSection {
    /// Key of this seller in the store. Never change it once data is there.
    pub id: AccountId,
    /// Name shown in mails.
    pub name: String,
    /// Language of texts without a recipient: `zh-CN` or `en`.
    #[serde(default)]
    pub language: Lang,
    /// Zone of the seller's working day: civil dates of nights, plans and mails.
    #[serde(default = "shanghai")]
    pub zone: Tz,
}

fn shanghai() -> Tz {
    Tz::Asia__Shanghai
}

/// Where facts live.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreSection {
    /// `sqlite:PATH` (relative to this file) or `postgres://user:password@host/database`.
    pub url: Secret,
}

impl Default for StoreSection {
    fn default() -> Self {
        Self {
            url: Secret::new("sqlite:data/linkstar.db"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// A night that was slept through is recorded as skipped.
    None,
    /// Only the newest missed night runs.
    Latest,
    /// Every missed night runs, oldest first.
    All,
}

/// When the night runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NightSection {
    /// Civil time in the account's zone.
    #[serde(with = "hour_minute")]
    pub at: NaiveTime,
    /// Somebody must have got the mail by then; otherwise each reader is told, and `status` says so.
    #[serde(with = "hour_minute")]
    pub mail_by: NaiveTime,
    /// What to do about nights during which the daemon did not run.
    pub catch_up: CatchUp,
    /// Missed nights older than this are skipped, and recorded as such.
    pub max_age_days: u32,
    /// Seconds between two looks at what is due.
    pub poll_seconds: u64,
}

impl Default for NightSection {
    fn default() -> Self {
        Self {
            at: NaiveTime::from_hms_opt(6, 30, 0).unwrap_or(NaiveTime::MIN),
            mail_by: NaiveTime::from_hms_opt(9, 0, 0).unwrap_or(NaiveTime::MIN),
            catch_up: CatchUp::Latest,
            max_age_days: 7,
            poll_seconds: 10,
        }
    }
}

mod hour_minute {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub fn serialize<S: Serializer>(time: &NaiveTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time.format("%H:%M").to_string())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        NaiveTime::parse_from_str(&text, "%H:%M").map_err(|_| D::Error::custom("a time such as \"06:30\""))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// Begin in clear, refuse to go on without STARTTLS (port 587).
    Starttls,
    /// TLS from the first byte (port 465).
    Implicit,
}

/// How mail leaves.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSection {
    pub host: String,
    pub port: u16,
    #[serde(default = "starttls")]
    pub tls: MailTls,
    pub user: String,
    /// `${env:NAME}` or `${file:PATH}`.
    pub password: Secret,
    /// A certificate authority of one's own, PEM.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// `linkstar <replenish@example.com>`
    pub from: String,
    #[serde(default)]
    pub recipients: Vec<Recipient>,
}

fn starttls() -> MailTls {
    MailTls::Starttls
}

/// One reader of the daily mail.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    pub address: String,
    #[serde(default)]
    pub language: Lang,
    /// Only lines of this owner (负责人); all when empty.
    #[serde(default)]
    pub owner: Option<String>,
}

/// What every stocking order needs and no plan knows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderSection {
    /// Default trade term; DDU is read as DAP.
    #[serde(default, with = "term_text")]
    pub term: Option<Term>,
    /// Currency of declared values.
    #[serde(default)]
    pub currency: Option<Currency>,
    #[serde(default)]
    pub shipper: Party,
    /// Importer of record by destination country (ISO 3166 alpha-2).
    #[serde(default)]
    pub importer: BTreeMap<String, Party>,
    /// Who else stands on the papers, by role, for every destination.
    #[serde(default)]
    pub parties: Parties,
    /// The same by destination country; a role named here goes before the one for every destination.
    #[serde(default)]
    pub parties_in: BTreeMap<String, Parties>,
    /// The seller's company number at GS1: packed cartons and pallets get serial shipping container codes of it.
    #[serde(default, with = "prefix_text")]
    pub gs1_prefix: Option<Gs1Prefix>,
    /// What every export declaration of this seller says.
    #[serde(default)]
    pub export: ExportFacts,
    /// One unit of a currency in the order's, so that costs in another one can be held against declared values.
    #[serde(default)]
    pub rates: Rates,
    /// From where on a declared value looks too low.
    #[serde(default)]
    pub value: ValuePolicy,
    /// A folder of rule packs of one's own; a pack takes the place of the shipped one with its id.
    #[serde(default)]
    pub rules: Option<PathBuf>,
    /// A file of one's own with rates of duty and taxes at the border, beside those that ship with linkstar.
    #[serde(default)]
    pub border: Option<PathBuf>,
    /// The domestic warehouse: its newest stock says what can be packed.
    #[serde(default)]
    pub ships_from: Option<WarehouseCode>,
    /// Whether goods wait for their labels to be scanned back; a forwarder may want it otherwise.
    #[serde(default)]
    pub scan_back: ScanBack,
}

impl OrderSection {
    /// Parties by role of an order to a country.
    #[must_use]
    pub fn parties_to(&self, country: &str) -> Parties {
        let mut parties = self.parties.clone();
        parties.extend(self.parties_in.get(country).cloned().unwrap_or_default());
        parties
    }
}

mod prefix_text {
    use serde::{Deserialize, Deserializer, Serialize as _, Serializer, de::Error as _};

    use crate::order::Gs1Prefix;

    pub fn serialize<S: Serializer>(prefix: &Option<Gs1Prefix>, serializer: S) -> Result<S::Ok, S::Error> {
        prefix.as_ref().map(Gs1Prefix::as_str).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Gs1Prefix>, D::Error> {
        Option::<String>::deserialize(deserializer)?
            .map(|text| Gs1Prefix::new(&text).ok_or_else(|| D::Error::custom("7 to 10 digits, in quotes")))
            .transpose()
    }
}

mod term_text {
    use serde::{Deserialize, Deserializer, Serialize as _, Serializer, de::Error as _};

    use crate::order::Term;

    pub fn serialize<S: Serializer>(term: &Option<Term>, serializer: S) -> Result<S::Ok, S::Error> {
        term.map(Term::code).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Term>, D::Error> {
        Option::<String>::deserialize(deserializer)?
            .map(|text| {
                Term::parse(&text).ok_or_else(|| {
                    D::Error::custom("one of EXW FCA FOB CIF CIP DAP DPU DDP (DDU is read as DAP)")
                })
            })
            .transpose()
    }
}

/// Where people drop answers and reports.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InboxSection {
    /// Edited suggestion workbooks (决定 column filled in) and receipt reports go here.
    pub folder: PathBuf,
    /// A file is read once it was seen twice, so many seconds apart, with the same size and time.
    pub settle_seconds: u64,
    /// The daemon looks into the forwarders' folders so often between two nights; 0 leaves it to the night.
    pub receive_every_minutes: u32,
}

impl Default for InboxSection {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("inbox"),
            settle_seconds: 2,
            receive_every_minutes: 15,
        }
    }
}

/// How long what is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ArchiveSection {
    /// A file of retention rules of one's own; those that ship with linkstar when left out.
    pub retention: Option<PathBuf>,
}

/// How early deadlines are told, and what the words of trackers mean.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeadlineSection {
    /// A file of one's own in place of the rules that ship with linkstar.
    pub rules: Option<PathBuf>,
    /// Words of one's own beside those that ship with linkstar.
    pub milestones: Option<PathBuf>,
    /// Certificates, registrations and contracts with their last days: CSV or XLSX.
    pub certificates: Option<PathBuf>,
    /// What a warehouse asks of those who come for a slot, by its code.
    pub appointment: BTreeMap<WarehouseCode, AppointmentTerms>,
    /// Who is told of what is urgent and nobody has taken on.
    pub escalation: Option<Escalation>,
}

/// Slots of one warehouse.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AppointmentTerms {
    /// What a missed slot costs: `{ amount = "80.00", currency = "GBP" }`.
    pub missed_fee: Option<Money>,
    /// Days of notice the warehouse wants before a truck comes; days on which it is closed do not count.
    pub notice_days: Option<u16>,
    /// Goods are taken so many days after the slot (a delivery window): 7 at Amazon for carriers that are not its partners.
    pub window_days: u16,
}

/// The second person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    pub to: String,
    #[serde(default)]
    pub language: Lang,
    /// After so many hours without an acknowledgement.
    pub after_hours: u16,
}

/// Under which rules somebody is asked to pay for what was lost.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimSection {
    /// Rows of one's own (contracts, policies, rates of the special drawing right) beside those that ship with linkstar.
    pub rules: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Logs on standard error.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSection {
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, or per module: `info,linkstar::http=debug`.
    pub level: String,
}

impl Default for LogSection {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: "info".to_owned(),
        }
    }
}

/// One store or one warehouse account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectorSection {
    pub id: SourceId,
    /// Name of a connector that ships with linkstar (`amazon-sp-api`, `goodcang`) or the path of a file of one's own.
    pub uses: String,
    /// Values the connector file asks for, e.g. `marketplace_id`.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// `${env:NAME}` or `${file:PATH}` each.
    #[serde(default)]
    pub secrets: BTreeMap<String, Secret>,
    /// The other system's fulfilment channel or warehouse code to our warehouse code.
    #[serde(default)]
    pub warehouses: BTreeMap<String, WarehouseCode>,
}

/// A forwarder (货代) and how its files travel.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForwarderSection {
    pub id: ForwarderId,
    pub name: String,
    /// Documents to drop, by mapping id; written in this order, dropped in this order.
    pub documents: Vec<String>,
    #[serde(default)]
    pub sftp: Option<SftpSection>,
    /// A local folder instead of SFTP, for forwarders that fetch.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    /// Whether goods wait for their labels to be scanned back; as `[order]` says when left out.
    #[serde(default)]
    pub scan_back: Option<ScanBack>,
    /// The file that takes back one that has left already.
    #[serde(default)]
    pub cancel: CancelSection,
}

/// What the forwarder reads as "do not use that file any more".
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CancelSection {
    /// `{name}` is the name of the file taken back, `{stem}` the same without its extension.
    pub name: String,
    /// `{name}`, `{sha256}`, `{reason}` and `{date}` are filled in. Left out: Chinese and English, one below the other.
    pub text: Option<String>,
}

impl Default for CancelSection {
    fn default() -> Self {
        Self {
            name: "CANCEL_{stem}.txt".to_owned(),
            text: None,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SftpSection {
    pub host: String,
    #[serde(default = "ssh_port")]
    pub port: u16,
    pub user: String,
    /// OpenSSH private key, ed25519 or ECDSA.
    pub key_file: PathBuf,
    /// The server's key must stand here; nothing is ever added to it.
    pub known_hosts: PathBuf,
    /// Where our files go, on their server.
    pub out_dir: String,
    /// Where their files for us lie, on their server.
    #[serde(default)]
    pub in_dir: Option<String>,
    /// A file of theirs is read once its size has stood still for so many seconds.
    #[serde(default = "settle_seconds")]
    pub settle_seconds: u64,
    /// At most so many bytes a second; unlimited when left out.
    #[serde(default)]
    pub bytes_per_second: Option<NonZeroU64>,
    /// At most so many files a minute, by all processes together; unlimited when left out.
    #[serde(default)]
    pub messages_per_minute: Option<NonZeroU32>,
}

fn settle_seconds() -> u64 {
    5
}

fn ssh_port() -> u16 {
    22
}
