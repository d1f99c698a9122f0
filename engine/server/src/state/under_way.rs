//! Sources that are looked at or read, each by its name and the way to it: another way to a source is looked at beside it.

use std::collections::BTreeSet;

use crate::generation::SourceState;

/// See the module. Bounded by the sources of the document, and those that were reached in another way some seconds ago.
#[derive(Default)]
pub(super) struct UnderWay(Vec<Entry>);

/// Which sources are to be looked at.
pub(super) enum Begin {
    /// All that are not looked at yet.
    All,
    /// All: somebody asked, and those that are looked at already are looked at once more.
    Asked,
    /// These, of which somebody asked meanwhile. Nobody asks by it: one look would lead to the next for ever.
    These(BTreeSet<String>),
}

struct Entry {
    name: String,
    way: SourceState,
    /// Somebody asked for a look that begins from now on.
    wanted_again: bool,
}

impl Entry {
    fn is_of(&self, name: &str, way: &SourceState) -> bool {
        self.name == name && self.way.is_reached_like(way)
    }
}

impl UnderWay {
    /// The sources, of these, to which a look begins now.
    pub(super) fn begin(
        &mut self,
        which: &Begin,
        sources: impl IntoIterator<Item = (String, SourceState)>,
    ) -> Vec<(String, SourceState)> {
        let asked = matches!(which, Begin::Asked);
        let begins = |(name, source): &(String, SourceState)| {
            let is_meant = !matches!(which, Begin::These(named) if !named.contains(name));
            is_meant && self.begins(name, source, asked)
        };
        sources.into_iter().filter(begins).collect()
    }

    /// Whether a look at it is to begin. If one is under way and it was `asked` for, there is to be another after it.
    fn begins(&mut self, name: &str, way: &SourceState, asked: bool) -> bool {
        if let Some(entry) = self.0.iter_mut().find(|entry| entry.is_of(name, way)) {
            entry.wanted_again |= asked;
            return false;
        }
        self.0.push(Entry {
            name: name.to_owned(),
            way: way.clone(),
            wanted_again: false,
        });
        true
    }

    /// It has ended; whether there is to be another.
    pub(super) fn ended(&mut self, name: &str, way: &SourceState) -> bool {
        let at = self.0.iter().position(|entry| entry.is_of(name, way));
        at.is_some_and(|at| self.0.swap_remove(at).wanted_again)
    }
}

#[cfg(test)]
mod tests {
    use super::super::away::tests::source;
    use super::*;

    #[tokio::test]
    async fn another_way_is_looked_at_beside_it() {
        let (old, new) = (source("postgresql://a/d"), source("postgresql://b/d"));
        let mut under_way = UnderWay::default();
        assert!(under_way.begins("default", &old, false));
        assert!(!under_way.begins("default", &old, false));
        assert!(under_way.begins("default", &new, true));
        assert!(under_way.begins("other", &new, false));
        assert!(!under_way.ended("default", &old));
        assert!(under_way.begins("default", &old, false), "it had ended");
    }

    #[tokio::test]
    async fn who_asks_meanwhile_gets_another_look() {
        let source = source("postgresql://a/d");
        let mut under_way = UnderWay::default();
        assert!(under_way.begins("default", &source, true));
        assert!(!under_way.begins("default", &source, true));
        assert!(under_way.ended("default", &source));
        assert!(under_way.begins("default", &source, true));
        assert!(!under_way.ended("default", &source));
        assert!(!under_way.ended("default", &source));
    }

    #[tokio::test]
    async fn one_who_asks_gets_one_more_look_at_each() {
        let names = ["a", "b", "c"].map(str::to_owned);
        let all = || {
            names
                .iter()
                .map(|name| (name.clone(), source("postgresql://a/d")))
        };
        let mut under_way = UnderWay::default();
        assert_eq!(under_way.begin(&Begin::All, all()).len(), 3);
        assert!(under_way.begin(&Begin::Asked, all()).is_empty());
        // They end one after the other, the first again before the last.
        let mut looks: std::collections::VecDeque<_> = all().collect();
        let mut more = 0;
        while let Some((name, way)) = looks.pop_front() {
            if under_way.ended(&name, &way) {
                let begun = under_way.begin(&Begin::These(BTreeSet::from([name])), all());
                more += begun.len();
                looks.extend(begun);
            }
            assert!(more <= 3, "one look leads to the next");
        }
        assert_eq!(more, 3);
    }
}
