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

impl Role {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Seller => "seller",
            Self::Importer => "importer",
        }
    }
}

/// Where the risk of loss passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskPoint {
    Factory,
    /// Handed to the carrier.
    Carrier,
    /// On board in the port of loading.
    OnBoard,
    /// At the destination, before it is unloaded.
    Destination,
    Unloaded,
}

impl RiskPoint {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Factory => "factory",
            Self::Carrier => "carrier",
            Self::OnBoard => "on_board",
            Self::Destination => "destination",
            Self::Unloaded => "unloaded",
        }
    }
}

/// A part in the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    ExportDeclarant,
    MainCarriage,
    Insurance,
    ImporterOfRecord,
    /// ISF at the border of the United States, ENS in Europe.
    SecurityFiler,
    DutyAndVat,
}

impl Duty {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ExportDeclarant => "export_declarant",
            Self::MainCarriage => "main_carriage",
            Self::Insurance => "insurance",
            Self::ImporterOfRecord => "importer_of_record",
            Self::SecurityFiler => "security_filer",
            Self::DutyAndVat => "duty_and_vat",
        }
    }
}

/// Responsibilities between the seller and the importer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Responsibilities {
    pub export_declarant: Role,
    pub main_carriage: Role,
    /// Nobody has to insure under most terms.
    pub insurance: Option<Role>,
    /// Who sees to the clearance. The importer of record is a named party under every term.
    pub import_clearance: Role,
    pub duty_and_vat: Role,
    pub risk_passes: RiskPoint,
    /// EXW: the goods are fetched at the factory, so its address must be known.
    pub pickup_address_required: bool,
    /// Duty and VAT are inside the forwarder's rate, and not a cost of our own to be shown beside it.
    pub duty_in_rate: bool,
}

impl Responsibilities {
    /// Every part and who plays it.
    pub fn all(&self) -> impl Iterator<Item = (Duty, Role)> {
        [
            (Duty::ExportDeclarant, Some(self.export_declarant)),
            (Duty::MainCarriage, Some(self.main_carriage)),
            (Duty::Insurance, self.insurance),
            (Duty::ImporterOfRecord, Some(Role::Importer)),
            (Duty::SecurityFiler, Some(Role::Importer)),
            (Duty::DutyAndVat, Some(self.duty_and_vat)),
        ]
        .into_iter()
        .filter_map(|(duty, role)| Some((duty, role?)))
    }
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
        risk_passes: RiskPoint::Destination,
        pickup_address_required: false,
        duty_in_rate: false,
    };
    match term {
        Term::Exw => Responsibilities {
            export_declarant: Importer,
            main_carriage: Importer,
            risk_passes: RiskPoint::Factory,
            pickup_address_required: true,
            ..delivered
        },
        Term::Fca => Responsibilities {
            main_carriage: Importer,
            risk_passes: RiskPoint::Carrier,
            ..delivered
        },
        Term::Fob => Responsibilities {
            main_carriage: Importer,
            risk_passes: RiskPoint::OnBoard,
            ..delivered
        },
        Term::Cif => Responsibilities {
            insurance: Some(Seller),
            risk_passes: RiskPoint::OnBoard,
            ..delivered
        },
        Term::Cip => Responsibilities {
            insurance: Some(Seller),
            risk_passes: RiskPoint::Carrier,
            ..delivered
        },
        Term::Dap => delivered,
        Term::Dpu => Responsibilities {
            risk_passes: RiskPoint::Unloaded,
            ..delivered
        },
        Term::Ddp => Responsibilities {
            import_clearance: Seller,
            duty_and_vat: Seller,
            duty_in_rate: true,
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
        assert!(
            responsibilities(Term::Ddp).duty_in_rate,
            "no duty line of our own"
        );
        assert_eq!(Term::parse(" ddu "), Some(Term::Dap));
        assert_eq!(responsibilities(Term::Dap).duty_and_vat, Role::Importer);
        assert!(!responsibilities(Term::Dap).duty_in_rate);
        assert!(responsibilities(Term::Exw).pickup_address_required);
        assert_eq!(Term::parse("DDX"), None);
    }

    #[test]
    fn r24_every_term_says_who_plays_every_part_and_only_cif_and_cip_insure() {
        for term in Term::ALL {
            let duties: Vec<Duty> = responsibilities(term).all().map(|(duty, _)| duty).collect();
            let insured = matches!(term, Term::Cif | Term::Cip);
            assert_eq!(duties.len(), if insured { 6 } else { 5 }, "{term:?}");
        }
        assert_eq!(responsibilities(Term::Fob).risk_passes, RiskPoint::OnBoard);
        assert_eq!(responsibilities(Term::Cif).risk_passes, RiskPoint::OnBoard);
    }
}
