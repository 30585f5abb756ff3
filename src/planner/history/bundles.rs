//! Sets that are sold as one and packed from several: their sales are their components' sales.

use std::collections::BTreeMap;

use crate::ids::Sku;

/// Components of each set, with units in one set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundles(BTreeMap<Sku, Vec<(Sku, i64)>>);

/// Sets of sets deeper than this go in a circle.
const DEEPEST: usize = 5;

impl Bundles {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn add(&mut self, set: Sku, component: Sku, units: i64) {
        self.0.entry(set).or_default().push((component, units));
    }

    #[must_use]
    pub fn is_set(&self, sku: &Sku) -> bool {
        self.0.contains_key(sku)
    }

    /// What so many units of an item take off the shelf: itself, or the components of a set, sets of sets opened.
    #[must_use]
    pub fn opened(&self, sku: &Sku, units: i64) -> Vec<(Sku, i64)> {
        let mut opened = BTreeMap::new();
        self.open(sku, units, 0, &mut opened);
        opened.into_iter().collect()
    }

    fn open(&self, sku: &Sku, units: i64, depth: usize, into: &mut BTreeMap<Sku, i64>) {
        match self.0.get(sku).filter(|_| depth < DEEPEST) {
            Some(components) => {
                for (component, each) in components {
                    self.open(component, units.saturating_mul(*each), depth + 1, into);
                }
            }
            None => {
                let sum = into.entry(sku.clone()).or_default();
                *sum = sum.saturating_add(units);
            }
        }
    }

    /// Sets that contain themselves.
    #[must_use]
    pub fn circles(&self) -> Vec<&Sku> {
        let reaches = |from: &Sku| {
            let mut seen = Vec::new();
            let mut open: Vec<&Sku> = self
                .0
                .get(from)
                .into_iter()
                .flatten()
                .map(|(sku, _)| sku)
                .collect();
            while let Some(sku) = open.pop() {
                if sku == from {
                    return true;
                }
                if !seen.contains(&sku) {
                    seen.push(sku);
                    open.extend(self.0.get(sku).into_iter().flatten().map(|(sku, _)| sku));
                }
            }
            false
        };
        self.0.keys().filter(|sku| reaches(sku)).collect()
    }

    /// Takes sets out: a set that contains itself has no components.
    pub fn remove(&mut self, set: &Sku) {
        self.0.remove(set);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sku(text: &str) -> Sku {
        Sku::new(text).unwrap()
    }

    #[test]
    fn r13_a_set_sells_its_components_and_a_set_of_sets_theirs() {
        let mut bundles = Bundles::default();
        bundles.add(sku("SET"), sku("CUP"), 4);
        bundles.add(sku("SET"), sku("BOX"), 1);
        bundles.add(sku("DUO"), sku("SET"), 2);
        assert_eq!(
            bundles.opened(&sku("DUO"), 3),
            [(sku("BOX"), 6), (sku("CUP"), 24)]
        );
        assert_eq!(bundles.opened(&sku("CUP"), 3), [(sku("CUP"), 3)]);
        assert!(bundles.circles().is_empty());
        bundles.add(sku("SET"), sku("DUO"), 1);
        assert_eq!(bundles.circles(), [&sku("DUO"), &sku("SET")]);
    }
}
