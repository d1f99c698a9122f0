//! Statuses: what became of an object, per engine that serves it and as a whole.

use crate::shape::{choice, part};

part! {
    /// What became of the object.
    pub struct ObjectStatus {
        /// `metadata.generation` of the object that this status is about.
        #[schemars(extend("format" = "int64"))]
        pub observed_generation: Option<i64>,
        /// `Ready`, over all engines that select the object, and `Stalled` where waiting does not help.
        pub conditions: Option<Vec<Condition>>,
        /// What each engine that selects the object makes of it.
        pub engines: Option<Vec<EngineVerdict>>,
    }
}

part! {
    /// What one engine makes of the object.
    pub struct EngineVerdict {
        /// The namespace of the engine.
        pub namespace: String,
        /// The name of the engine.
        pub name: String,
        /// `Accepted` and `Programmed`.
        pub conditions: Vec<Condition>,
    }
}

part! {
    /// One condition, with the meaning of Kubernetes' own.
    pub struct Condition {
        /// Which one.
        #[serde(rename = "type")]
        #[schemars(rename = "type")]
        pub kind: ConditionType,
        /// Whether it holds.
        pub status: ConditionStatus,
        /// Why, in one word.
        pub reason: Reason,
        /// Why, in words, with the field path and the fix.
        pub message: String,
        /// `metadata.generation` of the object that the condition is about.
        #[schemars(extend("format" = "int64"))]
        pub observed_generation: i64,
        /// When `status` last changed.
        #[schemars(extend("format" = "date-time"))]
        pub last_transition_time: String,
    }
}

choice! {
    /// The conditions that exist. The names are frozen: tools wait for them.
    pub enum ConditionType {
        /// Valid, and its references resolve.
        Accepted,
        /// Its part is in the generation that all ready pods serve.
        Programmed,
        /// Both, for every engine that selects the object.
        Ready,
        /// The object itself, or what it names in the database, has to be changed: waiting does not help. There only
        /// while that is so; tools that wait give up at once.
        Stalled,
    }
}

choice! {
    /// Whether a condition holds.
    pub enum ConditionStatus {
        /// It holds.
        True,
        /// It does not hold.
        False,
        /// Not known yet.
        Unknown,
    }
}

choice! {
    /// Why a condition is what it is. The names are frozen.
    pub enum Reason {
        /// Accepted: valid, and its references resolve.
        Accepted,
        /// Accepted is false: a field has a wrong value, or fields contradict each other.
        Invalid,
        /// Accepted is false: a reference leads nowhere, or to another namespace without a `ReferenceGrant`.
        RefNotResolved,
        /// Accepted is false: an object that this one needs is not accepted itself.
        DependencyFailed,
        /// Accepted is false: an older object declares the same thing.
        Duplicate,
        /// Accepted is false: the database does not have what the object names, or the engine refuses it.
        Refused,
        /// Programmed: every ready pod serves it.
        Programmed,
        /// Programmed is false: some pods do not serve it yet.
        Pending,
        /// Programmed is false: the engine has no ready pod.
        NoReadyPod,
        /// Programmed is false: the object is not accepted.
        NotAccepted,
        /// Programmed is false: the engine does not serve this kind, or a field of it, yet.
        NotSupported,
        /// Ready is false: no engine selects the object.
        NotSelected,
        /// Ready: accepted and served by every engine that selects the object.
        Ready,
    }
}

part! {
    /// What became of an engine.
    pub struct EngineStatus {
        /// `metadata.generation` of the engine that this status is about.
        #[schemars(extend("format" = "int64"))]
        pub observed_generation: Option<i64>,
        /// `Accepted`, `Programmed` and `Ready`, and `Stalled` where waiting does not help.
        pub conditions: Option<Vec<Condition>>,
        /// The number of pods.
        pub replicas: Option<i32>,
        /// The number of ready pods.
        pub ready_replicas: Option<i32>,
        /// The label selector of the pods, as a text, for the scale subresource.
        pub selector: Option<String>,
        /// The hash of the generation that was published last.
        pub generation_hash: Option<String>,
        /// The number of objects that the engine selects.
        pub objects: Option<i32>,
    }
}
