//! The kinds by name.

use std::fmt;

macro_rules! kinds {
    ($($(#[$meta:meta])* $kind:ident = $plural:literal,)*) => {
        /// A kind of group `rowlock.dev`, in the order of their documentation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$meta])* $kind,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The name, as in `kind:`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => stringify!($kind),)* }
            }

            /// The plural, as in paths of the API and file names.
            pub fn plural(self) -> &'static str {
                match self { $(Self::$kind => $plural,)* }
            }
        }
    };
}

kinds! {
    /// A deployment of the engine, its settings and what it serves.
    Engine = "engines",
    /// A database.
    Source = "sources",
    /// A tracked table or view.
    Table = "tables",
    /// What one role may do with one table.
    Permission = "permissions",
    /// A tracked function.
    Function = "functions",
    /// A native query.
    NativeQuery = "nativequeries",
    /// A logical model.
    LogicalModel = "logicalmodels",
    /// An action.
    Action = "actions",
    /// Types that several actions share.
    ActionTypes = "actiontypes",
    /// A remote schema.
    RemoteSchema = "remoteschemas",
    /// What one role sees of a remote schema.
    RemoteSchemaPermission = "remoteschemapermissions",
    /// A webhook called after rows change.
    EventTrigger = "eventtriggers",
    /// A webhook called by a schedule.
    CronTrigger = "crontriggers",
    /// A role that has the permissions of others.
    InheritedRole = "inheritedroles",
    /// Saved queries.
    QueryCollection = "querycollections",
    /// A saved query under a URL.
    RestEndpoint = "restendpoints",
    /// Limits on operations.
    APILimits = "apilimits",
    /// Consent to references from other namespaces.
    ReferenceGrant = "referencegrants",
}

impl Kind {
    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
