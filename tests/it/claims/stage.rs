//! A seller with one order at sea that arrived short.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{DateTime, NaiveDate, Utc};
use linkstar::claim::amount::Amount;
use linkstar::claim::state::{Asked, Claimed};
use linkstar::claim::{LossKind, Party};
use linkstar::clock::FixedClock;
use linkstar::config::{self, Config};
use linkstar::http::Pace;
use linkstar::ids::{AccountId, OrderNo, Sku};
use linkstar::money::{Currency, Money};
use linkstar::night::{Night, Tools, cases};
use linkstar::order::{OrderEvent, OrderEventKind, OrderState, StockingOrder};
use linkstar::reconcile::{Difference, DifferenceId, Kind, MatchKey, Standing};
use linkstar::store::{Store, Tx, catalog, differences, orders};
use rust_decimal::Decimal;
use tempfile::TempDir;

use crate::documents::goods;
use crate::night::shop::Ran;

/// Contracts, policies and rates of the seller's own.
pub const RULES: &str = include_str!("../../fixtures/claims/own.toml");

pub struct Stage {
    pub folder: TempDir,
    pub config_file: PathBuf,
    pub order: StockingOrder,
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// Noon of a day in London.
pub fn noon(text: &str) -> DateTime<Utc> {
    format!("{text}T12:00:00Z").parse().expect("an instant")
}

pub struct Opened {
    pub config: Config,
    pub tools: Tools,
    pub store: Store,
    pub clock: FixedClock,
}

impl Opened {
    pub fn night(&self) -> Night<'_> {
        Night {
            store: &self.store,
            clock: &self.clock,
            config: &self.config,
            tools: &self.tools,
            dry_run: false,
        }
    }

    pub fn account(&self) -> AccountId {
        self.config.account.id.clone()
    }

    /// What the reconciliation of a day says, and what it means for cases.
    pub async fn reconciled(&self, found: &[Difference], on: &str) -> cases::Followed {
        self.clock.set(noon(on));
        let night = self.night();
        let mut tx = self.store.write().await.expect("the store works");
        differences::save(&mut tx, night.account(), found, day(on), night.now())
            .await
            .expect("kept");
        let known = catalog::load(&mut tx, night.account(), day(on))
            .await
            .expect("a catalog");
        let followed = cases::follow(&night, &mut tx, &known).await.expect("followed");
        tx.commit().await.expect("committed");
        followed
    }
}

impl Stage {
    /// With a database of its own; SQLite when none is named.
    pub async fn new(url: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path();
        fs::write(home.join("claims.toml"), RULES).expect("a file");
        let url = url.map_or_else(|| "sqlite:linkstar.db".to_owned(), str::to_owned);
        let text = format!(
            "[account]\nid = 'main'\nname = 'Lumina'\nzone = 'Europe/London'\n\n[store]\nurl = '{url}'\n\n\
             [claims]\nrules = 'claims.toml'\n\n[log]\nlevel = 'warn'\n"
        );
        let config_file = home.join("linkstar.toml");
        fs::write(&config_file, text).expect("a file");
        let mut order = goods::usual();
        order.created_on = day("2026-09-01");
        order.ship_by = day("2026-09-03");
        order.eta = day("2026-10-10");
        let stage = Self {
            folder,
            config_file,
            order,
        };
        let opened = stage.open("2026-09-01").await;
        let mut tx = opened.store.write().await.expect("the store works");
        let account = opened.account();
        orders::create(
            &mut tx,
            &account,
            &stage.order,
            day("2026-10-20"),
            "wang",
            noon("2026-09-01"),
        )
        .await
        .expect("an order");
        let reached = |state, on: &str| OrderEvent {
            at: noon(on),
            by: "wang".to_owned(),
            kind: OrderEventKind::Reached { state },
        };
        orders::append(
            &mut tx,
            &account,
            &stage.order.number,
            reached(OrderState::HandedOver, "2026-09-03"),
        )
        .await
        .expect("handed over");
        tx.commit().await.expect("committed");
        opened.store.close().await;
        stage
    }

    pub async fn open(&self, on: &str) -> Opened {
        let config = config::load(&self.config_file).expect("a sound configuration");
        Opened {
            tools: Tools::new(&config, Pace::Skip).expect("tools"),
            store: Store::open(&config.store_url()).await.expect("the store opens"),
            clock: FixedClock::new(noon(on)),
            config,
        }
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_linkstar"));
        command
            .arg("--config")
            .arg(&self.config_file)
            .args(["--lang", "en"])
            .args(args)
            .stdin(Stdio::null())
            .current_dir(self.folder.path());
        command
    }

    pub fn linkstar(&self, args: &[&str]) -> Ran {
        crate::night::shop::run(&mut self.command(args))
    }

    pub fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).expect("a file");
        path.display().to_string()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// So many units of the first SKU are short, for good.
    pub fn short(&self, units: i64) -> Difference {
        self.difference(0, Kind::Short, None, units)
    }

    /// A carton that was never counted.
    pub fn carton(&self, number: usize) -> Difference {
        let carton = &self.order.cartons[number];
        self.difference(0, Kind::CartonMissing, Some(carton.mark.clone()), carton.units())
    }

    pub fn difference(&self, line: usize, kind: Kind, carton: Option<String>, units: i64) -> Difference {
        let line = &self.order.lines[line];
        let sku: Sku = line.goods.sku.clone();
        let order: OrderNo = self.order.number.clone();
        Difference {
            id: DifferenceId::of(&order, carton.as_deref(), &sku, kind, None),
            warehouse: self.order.warehouse.clone(),
            carton,
            kind,
            or: Vec::new(),
            units,
            shipped: line.units,
            received: line.units - units,
            standing: Standing::Final,
            confidence: 90,
            matched_by: Some(MatchKey::Sku),
            counted_as: None,
            expected: None,
            found: None,
            evidence: Vec::new(),
            last_event: Some(day("2026-10-14")),
            sku,
            order,
        }
    }
}

/// Everything a zip holds, unpacked below a folder.
pub fn unpack(zip: &Path, into: &Path) {
    let bytes = fs::read(zip).expect("readable");
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip");
    archive.extract(into).expect("unpacked");
}

pub async fn committed(tx: Tx) {
    tx.commit().await.expect("committed");
}

/// A claim against the warehouse, two pounds a unit.
pub fn asked(stage: &Stage, difference: &str, units: i64) -> Asked {
    let short = stage.short(units);
    Asked {
        case: "LS-20261122-001-L".to_owned(),
        order: short.order.clone(),
        warehouse: short.warehouse.clone(),
        kind: LossKind::Loss,
        party: Party::Warehouse,
        regime: "goodcang-contract".to_owned(),
        lines: vec![Claimed {
            difference: difference.to_owned(),
            sku: short.sku,
            units,
        }],
        beside: Vec::new(),
        amount: Amount {
            total: Money::new(Decimal::from(units * 2), Currency::GBP),
            terms: Vec::new(),
            uncovered: Vec::new(),
            row: "goodcang-contract".to_owned(),
            source: "contract".to_owned(),
        },
    }
}
