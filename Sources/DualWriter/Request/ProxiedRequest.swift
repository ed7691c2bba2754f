import CQLClient
import CQLProtocol
import DualWriteCore
import NIOCore
import ShadowJournal

/// One request on its way: from the client's frame to its answer and, where a copy is owed, to the shadow's.
///
/// Pooled by ``RequestTable`` and bound to its loop. It holds only facts; ``DualWriterLoop`` decides with the pure types of
/// `DualWriteCore` and does the sending.
final class ProxiedRequest {
    /// What is known of one leg's part in the request.
    struct Leg {
        enum State: UInt8 {
            /// Nothing was sent.
            case idle
            /// Waiting for a connection, or for a PREPARE that must come first.
            case waiting
            /// Sent; the answer is outstanding.
            case sent
            /// Answered with success.
            case succeeded
            /// Refused for certain.
            case refused
            /// Sent, and nobody knows whether it was applied.
            case unknown
        }

        var state = State.idle
        /// How often it was sent.
        var attempts: UInt8 = 0
        /// How often its connection, or that of its PREPARE, was lost before the answer.
        var losses: UInt8 = 0
        var stream: Int16 = 0
        var connection: UpstreamConnection?
        var sentAt: Int64 = 0
        /// How near to its data it was sent last.
        var reach = DualWriterLoop.Reach.untold
        /// Whether an attempt was sent whose outcome nobody knows, and another one was made.
        var mayHaveHappened = false
        /// Whether nobody waits for it, so that it may leave together with what comes later.
        var mayWait = false
        /// Whether it finds out for the others if the cluster is back.
        var isProbe = false
        /// The statement for whose PREPARE this leg holds the stream.
        var preparing: PreparedStatement?
        /// Where the journal of this cluster holds the request, as long as it does.
        var record: JournalPosition?

        /// Makes the leg ready for a turn of its own; the record stays.
        mutating func begin() {
            self.state = .idle
            self.attempts = 0
            self.losses = 0
            self.stream = 0
            if self.connection != nil { self.connection = nil }
            self.sentAt = 0
            self.reach = .untold
            self.mayHaveHappened = false
            self.mayWait = false
            self.isProbe = false
            if self.preparing != nil { self.preparing = nil }
        }

        mutating func recycle() {
            self.begin()
            self.record = nil
        }
    }

    /// Whose turn it is.
    enum Stage: UInt8 {
        /// The client waits.
        case client
        /// The client has its answer; the request waits in a shadow lane, or is on its way from there.
        case shadow
        /// No client: the proxy itself reads, to compare what the clusters have.
        case comparison
    }

    let slot: UInt32
    var generation: UInt32 = 0
    var isInUse = false

    // What the client sent.
    var client: ClientConnection?
    var clientStream: Int16 = 0
    var flags: FrameFlags = []
    var consistency = Consistency.one
    var batchWriteType = WriteType.batch
    var opcode = Opcode.query
    var body = RetainedBody()
    /// The custom payload in front of the body, where the client sent one.
    var payload: ByteBuffer?
    var receivedAt: Int64 = 0
    /// When it was written, in milliseconds since 1970: its life, where it has a limited one, counts from here.
    var writtenAt: Int64 = 0
    /// The length of the message as it came.
    var bytesReceived = 0

    // What it is.
    var kind = RequestKind.plainWrite
    /// The mode of its tables when it came.
    var tableStage = ModeStage.primaryOnly
    /// Whether some of its tables have no shadow, so that a part of it is copied at most.
    var isMixed = false
    /// Whether it reads rows of a tenant that goes ahead of its table.
    var isCanary = false
    var plan = RoutePlan.single(.source)
    /// Whether it may be sent again after nobody knows what became of it.
    var isIdempotent = false
    var isWrite = false
    var statement: PreparedStatement?
    var children: [PreparedStatement] = []
    var identity: ClientIdentity?
    /// The token of the partition that it is about, once it was asked for.
    var token: Int64?
    /// Where a client's own PREPARE went, to note the id that this node gave.
    var preparedAt: NodeID?

    // How far it is.
    var stage = Stage.client
    /// By ``Cluster/rawValue``.
    private let legs: UnsafeMutablePointer<Leg>
    var deadline = Int64.max
    /// Whether a failure of the shadow alone is an error to the client; fixed when the request begins, as its plan is.
    var waitsForBoth = false
    /// What the shadow gets, where it gets a copy after the primary.
    var copy = RoutePlan.Copy.repeatable
    /// Whether it is in a shadow lane, waiting or on its way.
    var isInLane = false
    /// The bytes of it that the lane's account holds; its body may become another one meanwhile.
    var bytesInLane = 0
    /// When it was put into a shadow lane.
    var queuedAt: Int64 = 0

    /// What the answer is compared for, where the proxy itself asks.
    var comparison: ReadComparison?

    /// What the log of requests keeps of it; of an earlier request where ``isNoted`` is false.
    var note: RequestNote?
    var isNoted = false

    /// The first of two answers, kept until the second is there.
    var answer = RetainedBody()
    var answerFlags: FrameFlags = []
    var answerOpcode = Opcode.result

    init(slot: UInt32) {
        self.slot = slot
        self.legs = .allocate(capacity: 2)
        self.legs.initialize(repeating: Leg(), count: 2)
    }

    deinit {
        self.legs.deinitialize(count: 2)
        self.legs.deallocate()
    }

    /// The request's part on a cluster, in its place: a copy would count its references, a coroutine would allocate.
    subscript(cluster: Cluster) -> Leg {
        @inline(__always) unsafeAddress { UnsafePointer(self.legs + Int(cluster.rawValue)) }
        @inline(__always) unsafeMutableAddress { self.legs + Int(cluster.rawValue) }
    }

    /// The version in which clusters answer it.
    var version: ProtocolVersion { self.identity?.key.version ?? .v4 }

    var isFence: Bool { self.kind.isFence }

    func ticket(_ purpose: RequestTicket.Purpose, _ cluster: Cluster) -> UInt64 {
        RequestTicket(slot: self.slot, generation: self.generation, purpose: purpose, leg: cluster.rawValue).rawValue
    }

    /// Keeps one of two answers until the other one is there.
    func keep(answer body: UnsafeRawBufferPointer, opcode: Opcode, flags: FrameFlags) {
        self.answer.assign(body)
        self.answerOpcode = opcode
        self.answerFlags = flags
    }

    /// Makes the object blank for its next use and its tickets stale.
    func recycle() {
        self.generation = (self.generation &+ 1) & 0x00ff_ffff
        self.isInUse = false
        self.client = nil
        self.body.reset()
        if self.payload != nil { self.payload = nil }
        self.answer.reset()
        if self.preparedAt != nil { self.preparedAt = nil }
        self.token = nil
        self.statement = nil
        if !self.children.isEmpty { self.children.removeAll(keepingCapacity: true) }
        self.identity = nil
        if self.comparison != nil { self.comparison = nil }
        self.legs[0].recycle()
        self.legs[1].recycle()
        self.stage = .client
        self.isInLane = false
        self.deadline = .max
        self.isIdempotent = false
        self.isWrite = false
        self.isNoted = false
        self.isMixed = false
        self.isCanary = false
    }
}
