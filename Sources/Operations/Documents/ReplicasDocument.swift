/// The replicas that change their write mode together: what `GET /v1/replicas` answers.
public struct ReplicasDocument: Codable, Sendable, Equatable {
    /// One of them.
    public struct Replica: Codable, Sendable, Equatable {
        /// Its name.
        public var id: String
        /// Its admin port.
        public var address: String
        /// The epoch in which it acts; nil while it has not joined.
        public var appliedEpoch: Int64?
        /// `live`, `behind` where it lives and does not act in the epoch yet that is decided, or `silent` where it was not heard
        /// of for too long.
        public var state: String
        /// Whether it is the one that answers here.
        public var isThisOne: Bool
        /// Why it does not act in the epoch that is decided; nil where it does.
        public var fault: String?
        /// Acknowledged writes that it owes the source, and the target.
        public var owedSource: Int64
        /// See ``owedSource``.
        public var owedTarget: Int64

        /// A replica.
        public init(
            id: String,
            address: String,
            appliedEpoch: Int64?,
            state: String,
            isThisOne: Bool,
            fault: String?,
            owedSource: Int64,
            owedTarget: Int64
        ) {
            self.id = id
            self.address = address
            self.appliedEpoch = appliedEpoch
            self.state = state
            self.isThisOne = isThisOne
            self.fault = fault
            self.owedSource = owedSource
            self.owedTarget = owedTarget
        }
    }

    /// A cluster whose control state cannot be read.
    public struct Fault: Codable, Sendable, Equatable {
        /// `source` or `target`.
        public var cluster: String
        /// Why.
        public var reason: String

        /// A fault.
        public init(cluster: String, reason: String) {
            self.cluster = cluster
            self.reason = reason
        }
    }

    /// `file` where this replica has a write mode of its own, `cluster` where all have one.
    public var control: String
    /// The epoch that is decided, as far as this replica knows.
    public var epoch: Int64
    /// Its stage: a write mode, or `ReadsFirst` between DualWriteSync and ShadowPrimary.
    public var stage: String
    /// Tables with a mode of their own, the first ``PhaseDocument/overridesMax`` of them; nil where there are none. A replica has
    /// these when it acts in ``epoch``, and else those of the epoch in which it acts.
    public var overrides: [TableOverride]?
    /// Overrides that are left out.
    public var overridesLeftOut: Int?
    /// Modes that replicas prepare for; nil where there are none.
    public var preparing: String?
    /// All that the clusters know of.
    public var replicas: [Replica]
    /// Clusters whose control state could not be read the last time.
    public var unreadable: [Fault]
    /// Why this replica refuses requests; nil where it does not.
    public var lapse: String?

    /// Whether all that live act in the epoch that is decided, and this one takes requests.
    public var isWhole: Bool { self.lapse == nil && !self.replicas.contains { $0.state == "behind" } }

    /// A document.
    public init(
        control: String,
        epoch: Int64,
        stage: String,
        preparing: String? = nil,
        replicas: [Replica] = [],
        unreadable: [Fault] = []
    ) {
        self.control = control
        self.epoch = epoch
        self.stage = stage
        self.preparing = preparing
        self.replicas = replicas
        self.unreadable = unreadable
    }
}
