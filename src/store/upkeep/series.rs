//! Packed series against the sales days they were made from.

use super::{Checked, Part, checked};
use crate::args;
use crate::ids::{AccountId, SourceId};
use crate::store::facts;
use crate::store::{Store, StoreError, Tx};

/// Everything that has sales days, or says it has.
const SOURCES: &str = "SELECT account_id, source FROM sales_packed
     UNION SELECT account_id, source FROM sales_series
     UNION SELECT account_id, source FROM sales_day ORDER BY account_id, source";

/// One source after the other: what is held is the packed form of one.
pub(super) async fn check(tx: &mut Tx) -> Result<Checked, StoreError> {
    let mut findings = Vec::new();
    let mut years = 0;
    for row in tx.rows(SOURCES, args![]).await? {
        let (account, source): (String, String) = (row.get("account_id")?, row.get("source")?);
        match facts::compare(tx, &account, &source).await {
            Ok(compared) => {
                years += compared.years;
                findings.extend(compared.differences);
            }
            Err(error @ (StoreError::Column { .. } | StoreError::Corrupt { .. })) => {
                findings.push(format!("{account}: {source}: {error}"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(checked(Part::Series, years, years, findings))
}

/// What [`repack`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Repacked {
    pub sources: usize,
    pub years: usize,
}

/// Packs every series anew from the sales days, a source a transaction. May run beside everything else.
///
/// # Errors
/// When the engine refuses, or a day cannot be read; the sources before stay done.
pub async fn repack(store: &Store) -> Result<Repacked, StoreError> {
    let mut tx = store.read().await?;
    let sources = tx
        .rows(SOURCES, args![])
        .await?
        .iter()
        .map(|row| Ok((row.get("account_id")?, row.get("source")?)))
        .collect::<Result<Vec<(AccountId, SourceId)>, StoreError>>()?;
    drop(tx);
    let mut done = Repacked::default();
    for (account, source) in sources {
        let mut tx = store.write().await?;
        done.years += facts::repack(&mut tx, &account, &source).await?;
        tx.commit().await?;
        done.sources += 1;
    }
    Ok(done)
}
