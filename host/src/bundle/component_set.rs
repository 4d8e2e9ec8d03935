//! Components of a cluster as sets of bits: who has what is asked for every class of nodes and every
//! thing that plugins add. Pure.

use std::collections::BTreeMap;

use super::node_classes::NodeClass;

/// Bits of a word.
const WORD_BITS: usize = 64;

/// The number of each component that any node has.
pub(super) struct ComponentNumbers<'a>(BTreeMap<&'a str, usize>);

/// Some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ComponentSet(Vec<u64>);

impl<'a> ComponentNumbers<'a> {
    /// Of all classes.
    pub(super) fn of(classes: &'a [NodeClass]) -> Self {
        let mut numbers = BTreeMap::new();
        for component in classes.iter().flat_map(|class| &class.components) {
            let next = numbers.len();
            numbers.entry(component.as_str()).or_insert(next);
        }
        Self(numbers)
    }

    /// Those of these names; names that no node has are left out.
    pub(super) fn set<'b>(&self, names: impl IntoIterator<Item = &'b String>) -> ComponentSet {
        let mut words = vec![0; self.0.len().div_ceil(WORD_BITS)];
        for number in names
            .into_iter()
            .filter_map(|name| self.0.get(name.as_str()))
        {
            words[number / WORD_BITS] |= 1 << (number % WORD_BITS);
        }
        ComponentSet(words)
    }

    /// Whether any node has it.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The names of these.
    pub(super) fn names(&self, set: &ComponentSet) -> Vec<&'a str> {
        let is_in = |number: usize| set.0[number / WORD_BITS] >> (number % WORD_BITS) & 1 == 1;
        let all = self.0.iter();
        all.filter(|(_, number)| is_in(**number))
            .map(|(name, _)| *name)
            .collect()
    }
}

impl ComponentSet {
    /// Whether one is in both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let mut words = self.0.iter().zip(&other.0);
        words.any(|(one, other)| one & other != 0)
    }

    /// Those that are not in the other.
    #[must_use]
    pub(super) fn without(&self, other: &Self) -> Self {
        let words = self.0.iter().zip(&other.0);
        Self(words.map(|(one, other)| one & !other).collect())
    }

    /// Those that are in one of both.
    #[must_use]
    pub(super) fn with(&self, other: &Self) -> Self {
        let words = self.0.iter().zip(&other.0);
        Self(words.map(|(one, other)| one | other).collect())
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_components_than_a_word_has_bits_are_told_apart() {
        let name = |at: usize| format!("c{at:03}");
        let class = |numbers: std::ops::Range<usize>| NodeClass {
            name: "any".to_owned(),
            group: "any".to_owned(),
            components: numbers.map(name).collect(),
            example: "any-1".to_owned(),
        };
        let classes = [class(0..70), class(60..130)];
        let numbers = ComponentNumbers::of(&classes);
        let (one, other) = (
            numbers.set(&classes[0].components),
            numbers.set(&classes[1].components),
        );
        assert!(one.meets(&other) && !numbers.set([&name(59)]).meets(&other));
        assert!(!numbers.set([&name(130)]).meets(&other) && !numbers.has("c130"));
        let alone = numbers.names(&other.without(&one));
        let wanted: Vec<String> = (70..130).map(name).collect();
        assert_eq!(alone, wanted);
        assert_eq!(numbers.names(&one.with(&other)).len(), 130);
        assert!(one.without(&one).is_empty() && !one.is_empty());
    }
}
