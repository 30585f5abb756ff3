//! Who does and pays what under a trade term (R24).

use serde::Serialize;

use super::model::Term;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Seller,
    /// Whoever is importer of record at the destination.
    Importer,
}

/// Responsibilities between the seller and the importer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Responsibilities {
    pub export_declarant: Role,
    pub main_carriage: Role,
    pub insurance: Option<Role>,
    pub import_clearance: Role,
    pub duty_and_vat: Role,
    /// EXW: the goods are fetched at the factory, so its address must be known.
    pub pickup_address_required: bool,
}

/// The matrix of Incoterms 2020.
#[must_use]
pub fn responsibilities(term: Term) -> Responsibilities {
    use Role::{Importer, Seller};
    let delivered = Responsibilities {
        export_declarant: Seller,
        main_carriage: Seller,
        insurance: None,
        import_clearance: Importer,
        duty_and_vat: Importer,
        pickup_address_required: false,
    };
    match term {
        Term::Exw => Responsibilities {
            export_declarant: Importer,
            main_carriage: Importer,
            pickup_address_required: true,
            ..delivered
        },
        Term::Fca | Term::Fob => Responsibilities {
            main_carriage: Importer,
            ..delivered
        },
        Term::Cif | Term::Cip => Responsibilities {
            insurance: Some(Seller),
            ..delivered
        },
        Term::Dap | Term::Dpu => delivered,
        Term::Ddp => Responsibilities {
            import_clearance: Seller,
            duty_and_vat: Seller,
            ..delivered
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r24_ddp_leaves_duty_with_the_seller_and_ddu_is_read_as_dap() {
        assert_eq!(responsibilities(Term::Ddp).duty_and_vat, Role::Seller);
        assert_eq!(Term::parse(" ddu "), Some(Term::Dap));
        assert_eq!(responsibilities(Term::Dap).duty_and_vat, Role::Importer);
        assert!(responsibilities(Term::Exw).pickup_address_required);
        assert_eq!(Term::parse("DDX"), None);
    }
}
