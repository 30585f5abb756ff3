//! What others call an order.

/// The kinds of names that others have for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReferenceKind {
    /// The warehouse's number of the announcement (入库单号).
    Inbound,
    /// The carrier's number of the booking (订舱号).
    Booking,
    /// A container (柜号).
    Container,
    /// A parcel or consignment (运单号).
    Tracking,
    /// An export declaration (报关单号).
    Declaration,
}

impl ReferenceKind {
    pub const ALL: [Self; 5] = [
        Self::Inbound,
        Self::Booking,
        Self::Container,
        Self::Tracking,
        Self::Declaration,
    ];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Booking => "booking",
            Self::Container => "container",
            Self::Tracking => "tracking",
            Self::Declaration => "declaration",
        }
    }

    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}
