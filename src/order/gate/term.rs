//! Who does what under the term, and whether each of them is somebody (R24).

use super::{Finding, Gate, Level, Scene};
use crate::order::model::Party;
use crate::order::term::{Duty, Role, responsibilities};

pub(super) fn examine(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let order = scene.order;
    let duties = responsibilities(order.term);
    let term = order.term.code();
    let mut unresolved: Vec<(Role, Vec<&str>)> = Vec::new();
    for (duty, role) in duties.all() {
        // The filing is only asked for where there is one.
        if duty == Duty::SecurityFiler && scene.country() != "US" {
            continue;
        }
        if !is_named(party_of(scene, role)) {
            match unresolved.iter_mut().find(|(known, _)| *known == role) {
                Some((_, duties)) => duties.push(duty.code()),
                None => unresolved.push((role, vec![duty.code()])),
            }
        }
    }
    for (role, duties) in unresolved {
        let field = match role {
            Role::Seller => "shipper.name",
            Role::Importer => "importer.name",
        };
        let places = [("term", term), ("duties", &duties.join(", "))];
        findings.push(Finding::new(
            (Gate::Term, Level::Hold),
            order,
            "",
            (field, ""),
            ("term.party", &places),
        ));
    }
    if duties.pickup_address_required && order.shipper.address.lines.is_empty() {
        findings.push(Finding::new(
            (Gate::Term, Level::Hold),
            order,
            "",
            ("shipper.address", ""),
            ("term.pickup", &[]),
        ));
    }
}

fn party_of<'a>(scene: &Scene<'a>, role: Role) -> &'a Party {
    match role {
        Role::Seller => &scene.order.shipper,
        Role::Importer => &scene.order.importer,
    }
}

fn is_named(party: &Party) -> bool {
    !party.name.trim().is_empty() || !party.name_zh.trim().is_empty()
}
