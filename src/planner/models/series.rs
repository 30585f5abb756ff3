//! What a series must be before a model reads it, and how a model says no.

/// Why a model or a score gives no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ModelError {
    #[error("series is empty")]
    Empty,
    #[error("value {index} of the series is not a finite number")]
    NotFinite { index: usize },
    #[error("value {index} of the series is negative: {value}")]
    Negative { index: usize, value: f64 },
    #[error("value {index} of the series is {value}: a multiplicative model needs values above zero")]
    NotPositive { index: usize, value: f64 },
    #[error("{model} needs at least {needs} periods, the series has {has}")]
    TooShort {
        model: &'static str,
        needs: usize,
        has: usize,
    },
    #[error("{parameter} must be {wanted}, got {got}")]
    Parameter {
        parameter: &'static str,
        wanted: &'static str,
        got: f64,
    },
    #[error("{what} has {has} values where {wants} are needed")]
    Length {
        what: &'static str,
        wants: usize,
        has: usize,
    },
    #[error("no model of the tournament could forecast this series")]
    NoModel,
}

/// Demand: at least one period, all finite, none negative (cancellations are netted before).
pub(super) fn demand(y: &[f64]) -> Result<(), ModelError> {
    if y.is_empty() {
        return Err(ModelError::Empty);
    }
    for (index, &value) in y.iter().enumerate() {
        if !value.is_finite() {
            return Err(ModelError::NotFinite { index });
        }
        if value < 0.0 {
            return Err(ModelError::Negative { index, value });
        }
    }
    Ok(())
}

pub(super) fn at_least(model: &'static str, y: &[f64], needs: usize) -> Result<(), ModelError> {
    if y.len() < needs {
        return Err(ModelError::TooShort {
            model,
            needs,
            has: y.len(),
        });
    }
    Ok(())
}

/// A smoothing weight: above zero, at most one.
pub(super) fn weight(parameter: &'static str, got: f64) -> Result<(), ModelError> {
    if got > 0.0 && got <= 1.0 {
        return Ok(());
    }
    Err(ModelError::Parameter {
        parameter,
        wanted: "above 0 and at most 1",
        got,
    })
}

/// A length of a window or of a season, in periods.
pub(super) fn periods(parameter: &'static str, got: usize) -> Result<(), ModelError> {
    if got >= 1 {
        return Ok(());
    }
    Err(ModelError::Parameter {
        parameter,
        wanted: "at least 1",
        got: 0.0,
    })
}

/// How far ahead a forecast may reach, in periods.
pub(super) fn horizon(got: usize) -> Result<(), ModelError> {
    if got <= 100_000 {
        return Ok(());
    }
    Err(ModelError::Parameter {
        parameter: "horizon",
        wanted: "at most 100000 periods",
        got: got as f64,
    })
}

pub(super) fn mean(y: &[f64]) -> f64 {
    y.iter().sum::<f64>() / y.len() as f64
}

pub(super) fn constant(y: &[f64]) -> bool {
    y.windows(2).all(|pair| pair[0] == pair[1])
}
