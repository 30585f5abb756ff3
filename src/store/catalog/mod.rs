//! Master data by effective date: added as versions, never changed.

mod codes;
mod records;

pub use codes::{Unmapped, UnmappedCode, import_codes, record_unmapped, unmapped};
pub use records::{ItemVersion, import_items, import_lanes, import_warehouses, item_versions};

use chrono::NaiveDate;

use super::{StoreError, Tx};
use crate::catalog::Catalog;
use crate::ids::AccountId;
use crate::problem::Problem;

/// What an import did. Rows with problems changed nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Records that were not known.
    pub new: usize,
    /// Known records that got a new version.
    pub changed: usize,
    pub same: usize,
    /// First those of the file itself, then those of its meeting with what is known.
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
}

impl ImportReport {
    /// Rows written: 0 when the same file comes twice.
    #[must_use]
    pub fn written(&self) -> usize {
        self.new + self.changed
    }
}

/// The catalog as it was known for a day.
///
/// # Errors
/// When the engine refuses, or a stored record cannot be read back.
pub async fn load(tx: &mut Tx, account: &AccountId, as_of: NaiveDate) -> Result<Catalog, StoreError> {
    let mut catalog = Catalog {
        codes: codes::load(tx, account).await?,
        ..Catalog::default()
    };
    for item in records::load::<crate::catalog::Item>(tx, account, as_of).await? {
        catalog.items.insert(item.sku.clone(), item);
    }
    for warehouse in records::load::<crate::catalog::Warehouse>(tx, account, as_of).await? {
        catalog.warehouses.insert(warehouse.code.clone(), warehouse);
    }
    catalog.lanes = records::load(tx, account, as_of).await?;
    catalog.sort_lanes();
    Ok(catalog)
}
