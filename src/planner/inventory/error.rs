//! What the functions of this room refuse, by the name of what is wrong.

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InventoryError {
    #[error("{parameter} must be {wanted}, got {got}")]
    Parameter {
        parameter: &'static str,
        wanted: &'static str,
        got: f64,
    },
    #[error("{what} has {has} entries where {wants} are needed")]
    Length {
        what: &'static str,
        wants: usize,
        has: usize,
    },
    #[error("{what} would need {needs} cells, more than the {most} allowed")]
    TooLarge {
        what: &'static str,
        needs: f64,
        most: usize,
    },
    #[error("the network is no tree: {reason}")]
    NoTree { reason: &'static str },
    #[error("{what} did not settle within {rounds} rounds")]
    NoConvergence { what: &'static str, rounds: usize },
}

type Checked = Result<(), InventoryError>;

fn check(sound: bool, parameter: &'static str, wanted: &'static str, got: f64) -> Checked {
    if sound && got.is_finite() {
        return Ok(());
    }
    Err(InventoryError::Parameter {
        parameter,
        wanted,
        got,
    })
}

pub(super) fn finite(parameter: &'static str, got: f64) -> Checked {
    check(true, parameter, "a finite number", got)
}

pub(super) fn positive(parameter: &'static str, got: f64) -> Checked {
    check(got > 0.0, parameter, "above 0", got)
}

pub(super) fn not_negative(parameter: &'static str, got: f64) -> Checked {
    check(got >= 0.0, parameter, "at least 0", got)
}

/// A share strictly between nothing and all.
pub(super) fn share(parameter: &'static str, got: f64) -> Checked {
    check(got > 0.0 && got < 1.0, parameter, "above 0 and below 1", got)
}

pub(super) fn length(what: &'static str, wants: usize, has: usize) -> Checked {
    if wants == has {
        return Ok(());
    }
    Err(InventoryError::Length { what, wants, has })
}
