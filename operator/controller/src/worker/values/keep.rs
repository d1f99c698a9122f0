//! How long values outlive what referred to them.

/// What stays in an engine's Secret that nothing refers to any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::worker) struct Keep {
    /// Which settings.
    pub(in crate::worker) settings: KeptSettings,
    /// Whether what stands for keys of Secrets stays: pods may serve what was published before.
    pub(in crate::worker) references: bool,
}

/// Which settings stay that the Engine does not take from a Secret any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::worker) enum KeptSettings {
    /// All of them: what runs goes on with what it has.
    All,
    /// Those that are followed at run time and that the pod template gives now: pods of an earlier one have them from
    /// nowhere else, and would refuse everybody's tokens. Here they win over the template, so that all pods change at once.
    Moved,
    /// None.
    Gone,
}

impl Keep {
    /// Whatever is there.
    pub(in crate::worker) const ALL: Self = Self {
        settings: KeptSettings::All,
        references: true,
    };
}
