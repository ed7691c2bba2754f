/// Where a cluster keeps what the replicas share. A call may fail, may have been done although it failed, and may be done later.
public protocol SharedRegister: Sendable {
    /// The row, where there is one, and the list of replicas.
    ///
    /// - Parameter isSerial: whether what is on its way must be ended first; else it may be missing.
    func read(isSerial: Bool) async throws -> (row: RegisterRow?, entries: [ReplicaEntry])

    /// Writes the row if its revision is that of `expected`, or, with nil, if there is none.
    func write(expected: RegisterRow?, _ row: RegisterRow) async throws

    /// Says that a replica lives, and what it says of itself.
    func announce(_ entry: ReplicaEntry, times: Replica.Times) async throws

    /// Takes a replica from the list.
    func leave(_ id: String) async throws

    /// Notes a change for people; the same one more than once is one.
    func note(_ record: SharedRecord) async throws
}

/// Why a call to a register was not done, or nobody knows whether it was. Holds no secret.
public struct RegisterFault: Error, Sendable, CustomStringConvertible {
    /// Whose fault it is.
    public enum Kind: Sendable, Hashable {
        /// Nothing was heard of the cluster: it may be away, or this replica may be.
        case silent
        /// The cluster has answered, and does not do it.
        case refused
        /// The same, because the role lacks the right to.
        case rights
        /// It says something that this version does not understand: others may have decided what is not known here.
        case newer
    }

    /// Whose fault it is.
    public let kind: Kind
    /// What happened.
    public let description: String

    /// A fault.
    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
