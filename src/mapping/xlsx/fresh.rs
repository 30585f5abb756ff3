//! Being built.
use crate::mapping::definition::Assets;
use crate::mapping::value::Scope;
use crate::problem::Problem;
use serde::Deserialize;
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct XlsxNew {}
impl XlsxNew {
    pub(crate) fn prepare(&mut self, _file: &str, _shape: &Scope<'_>, _assets: Assets<'_>) -> Vec<Problem> {
        Vec::new()
    }
    pub(crate) fn faults(&self, _file: &str, _shape: &Scope<'_>) -> Vec<Problem> {
        Vec::new()
    }
    pub(crate) fn write(&self, _file: &str, _scope: &Scope<'_>) -> Result<Vec<u8>, Vec<Problem>> {
        Err(Vec::new())
    }
    pub(crate) fn check(&self, _name: &str, _bytes: &[u8], _scope: &Scope<'_>) -> Vec<Problem> {
        Vec::new()
    }
}
