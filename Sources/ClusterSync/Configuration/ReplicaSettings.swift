import CQLClient
import SharedState

/// Who else has the same write mode, and how they agree on it.
struct ReplicaSettings: Sendable {
    /// Where the write mode is decided.
    enum Control: String, Sendable { case file, cluster }

    var control: Control
    /// Nil: a name that the state folder keeps.
    var id: String?
    /// What others are told of the admin port; nil: the address that it listens on.
    var address: String?
    /// Replicas of one group have one write mode.
    var group: String
    var pollMilliseconds: Int
    var times: Replica.Times
    /// Whether the local data centre decides alone.
    var isLocal: Bool
    /// Of the keyspace, if it has to be made; nil: three replicas in the local data centre.
    var replication: String?

    init(_ values: inout ConfigurationValues) {
        self.control = Control(rawValue: values.choice("control")) ?? .file
        self.id = values.text("replica.id")
        self.address = values.text("replica.address")
        self.group = values.text("replica.group") ?? "default"
        self.pollMilliseconds = values.integer("replica.poll_ms")
        self.times = Replica.Times()
        self.times.lifeMilliseconds = Int64(values.integer("replica.life_ms"))
        self.times.deadlineMilliseconds = Int64(values.integer("replica.deadline_ms"))
        self.times.joinMilliseconds = Int64(values.integer("replica.join_ms"))
        self.isLocal = values.choice("replica.serial") == "local_serial"
        self.replication = values.text("replica.replication")
        if self.times.lifeMilliseconds < 4 * Int64(self.pollMilliseconds) {
            values.fault("replica.life_ms", "is less than four times replica.poll_ms (\(self.pollMilliseconds))")
        }
    }
}

extension ConfigurationKey {
    /// How replicas agree on their write mode.
    static let replica = [
        Self(
            path: "control",
            kind: .choice(["file", "cluster"]),
            fallback: "file",
            help: "Where the write mode is kept: by this sidecar alone, or in both clusters for all replicas at once."
        ),
        Self(
            path: "replica.id",
            kind: .text,
            fallback: nil,
            help: "The name of this replica among the others; without it one that the state folder keeps."
        ),
        Self(
            path: "replica.address",
            kind: .text,
            fallback: nil,
            help: "What the others tell people of its admin port; without it the address that it listens on."
        ),
        Self(
            path: "replica.group",
            kind: .text,
            fallback: "default",
            help:
                "Replicas of one group have one write mode; another migration between the same clusters is another group."
        ),
        Self.milliseconds("replica.poll_ms", "2000", "How often the clusters are asked what is decided."),
        Self.milliseconds(
            "replica.life_ms",
            "15000",
            "After how long without a sign of life a replica is taken for dead."
        ),
        Self.milliseconds(
            "replica.deadline_ms",
            "30000",
            "How long a change may wait for all replicas before it is taken back."
        ),
        Self.milliseconds(
            "replica.join_ms",
            "10000",
            "How long a start waits for both clusters before it goes on with one."
        ),
        Self(
            path: "replica.serial",
            kind: .choice(["serial", "local_serial"]),
            fallback: "serial",
            help: "Whether all data centres decide, or the local one; the same on all replicas."
        ),
        Self(
            path: "replica.replication",
            kind: .text,
            fallback: nil,
            help:
                "The replication of keyspace cluster_sync, if it has to be made; without it 3 in the local data centre."
        ),
    ]
}
