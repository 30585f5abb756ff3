//! Papers on their way to the forwarder.

use super::super::Night;
use super::super::amend::document_key;
use crate::config::ForwarderSection;
use crate::delivery::Channel;
use crate::store::orders::StoredDocument;
use crate::store::outbox::{self, Enqueued, NewMessage};
use crate::store::{StoreError, Tx};

/// Lets a stored paper go to the forwarder, once.
pub(in crate::night) async fn enqueue_document(
    night: &Night<'_>,
    tx: &mut Tx,
    forwarder: &ForwarderSection,
    document: &StoredDocument,
    bytes: &[u8],
) -> Result<(), StoreError> {
    let channel = if forwarder.sftp.is_some() {
        Channel::Sftp
    } else {
        Channel::Folder
    };
    let key = document_key(&document.order, document.revision, &document.document);
    let message = NewMessage {
        business_key: &key,
        channel,
        target: forwarder.id.as_str(),
        remote_name: &document.file_name,
        kind: "document",
        bytes,
        envelope: None,
        message_id: None,
        depends_on: None,
        run_after: night.now(),
    };
    match outbox::enqueue(tx, night.account(), &message, night.now()).await? {
        Enqueued::New | Enqueued::Already(_) => Ok(()),
        Enqueued::Taken { sha256, .. } => Err(StoreError::Corrupt {
            what: format!("outbox message `{key}`"),
            why: format!("the key is taken by other bytes ({sha256})"),
        }),
    }
}
