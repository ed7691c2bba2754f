public import DualWriteCore

/// What is decided was written by a newer version of the program, and this one does not understand it.
public struct NewerRecord: Error, Sendable, CustomStringConvertible {
    /// Where.
    public let cluster: Cluster
    /// What it does not understand.
    public let reason: String

    /// What is the case.
    public var description: String {
        "what the replicas have decided cannot be read in the \(self.cluster) cluster: \(self.reason)"
    }
}
