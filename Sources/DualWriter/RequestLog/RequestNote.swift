import CQLClient
import DualWriteCore

/// What the log of requests wants to know of a request beyond what the request knows itself.
///
/// Bound to the loop, as the request is; it stays with the pooled request, so that logging allocates it once.
final class RequestNote {
    /// The number in the request's id; 0 as long as nothing of it was logged.
    var id: UInt64 = 0
    /// Whether it is logged, whatever becomes of it.
    var isChosen = false
    /// The trace that it belongs to.
    var context: TraceContext?
    /// The nodes that have answered it last.
    var nodes = PerCluster<NodeID?>(both: nil)
    /// When they did.
    var answeredAt = PerCluster<Int64>(both: 0)
    /// The code of the error that the client got.
    var errorCode: Int32?
    /// What the shadow answered last, where it refused.
    var shadowErrorCode: Int32?

    func begin(isChosen: Bool, context: TraceContext?) {
        self.id = 0
        self.isChosen = isChosen
        self.context = context
        self.nodes = PerCluster(both: nil)
        self.answeredAt = PerCluster(both: 0)
        self.errorCode = nil
        self.shadowErrorCode = nil
    }
}
