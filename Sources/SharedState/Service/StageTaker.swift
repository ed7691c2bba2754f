public import DualWriteCore
public import NIOCore

/// The replica's own side: the proxy that acts in the modes that are decided, and the disk that keeps what must survive a
/// restart.
public protocol StageTaker: Sendable {
    /// Finds out whether the proposal's modes could be entered, and changes nothing: why not; nil where it could.
    func refusal(of proposal: Proposal) async -> String?

    /// Acts in the modes of a record from here on. It is decided: whatever would stand against it comes too late.
    func apply(_ record: SharedRecord) async throws

    /// It may act in its modes until a moment; from then on it must refuse requests, until it is told another one.
    ///
    /// - Parameter inPart: it may act for tables that are written to both clusters alone. What it was told of the others before
    ///   still counts.
    func mayAct(until moment: NIODeadline, inPart: Bool) async

    /// Acknowledged writes that each cluster is still owed.
    func owed() async -> PerCluster<Int64>
}

/// Where a replica keeps what must survive its restart.
public protocol ReplicaMemory: Sendable {
    /// Returns when the disk has it.
    func keep(_ kept: Replica.Kept) throws
}
