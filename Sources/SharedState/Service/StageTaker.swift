public import DualWriteCore
public import NIOCore

/// The replica's own side: the proxy that acts in a stage, and the disk that keeps what must survive a restart.
public protocol StageTaker: Sendable {
    /// Finds out whether the proposal's stage could be entered, and changes nothing: why not; nil where it could.
    func refusal(of proposal: Proposal) async -> String?

    /// Acts in the stage of a record from here on. It is decided: whatever would stand against it comes too late.
    func apply(_ record: SharedRecord) async throws

    /// It may act in its stage until a moment; from then on it must refuse requests, until it is told another one.
    func mayAct(until moment: NIODeadline) async

    /// Acknowledged writes that each cluster is still owed.
    func owed() async -> PerCluster<Int64>
}

/// Where a replica keeps what must survive its restart.
public protocol ReplicaMemory: Sendable {
    /// Returns when the disk has it.
    func keep(_ kept: Replica.Kept) throws
}
