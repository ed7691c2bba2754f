import Synchronization

/// How many clients the process has, over all loops.
///
/// Thread-safe; touched when a connection comes or goes, never per frame.
final class ClientGate: Sendable {
    private let openMax: Int
    private let refusalsMax: Int
    private let open = Atomic(0)

    init(_ limits: DualWriterLimits) {
        self.openMax = limits.clientConnectionsMax
        self.refusalsMax = limits.clientRefusalsMax
    }

    /// Whether so many clients are connected that one of them has to go.
    var isCrowded: Bool { self.open.load(ordering: .relaxed) > self.openMax }

    /// Counts a client in; false, and not counted, where there is not even room to tell it no.
    func enter() -> Bool {
        guard self.open.add(1, ordering: .relaxed).newValue <= self.openMax + self.refusalsMax else {
            self.open.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    /// Counts a client out.
    func leave() { self.open.subtract(1, ordering: .relaxed) }
}
