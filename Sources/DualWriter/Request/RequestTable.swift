/// All requests that one loop holds, found by the slot in their ticket; requests are pooled, not allocated per frame.
///
/// Bound to the loop. The number of requests is limited by ``DualWriterLimits/requestsPerLoopMax``, that of their bytes by
/// ``DualWriterLimits/requestBytesPerLoopMax``.
struct RequestTable: ~Copyable {
    private var slots: [ProxiedRequest] = []
    private var free: [UInt32] = []
    private let limit: Int
    private let bytesMax: Int
    private var bytes = 0

    /// Requests in use.
    private(set) var inUse = 0

    init(limit: Int, bytesMax: Int) {
        self.limit = limit
        self.bytesMax = bytesMax
    }

    /// A blank request for a message of so many bytes, or nil when a limit is reached. A single request is always taken.
    mutating func take(bytes: Int) -> ProxiedRequest? {
        guard self.inUse == 0 || self.bytes + bytes <= self.bytesMax else { return nil }
        let request: ProxiedRequest
        if let slot = self.free.popLast() {
            request = self.slots[Int(slot)]
        } else {
            guard self.slots.count < self.limit else { return nil }
            request = ProxiedRequest(slot: UInt32(self.slots.count))
            self.slots.append(request)
        }
        precondition(!request.isInUse, "a request in the free list was in use")
        request.isInUse = true
        request.bytesReceived = bytes
        self.bytes += bytes
        self.inUse += 1
        return request
    }

    /// Returns a request to the pool; tickets that still name it find nothing from here on.
    mutating func giveBack(_ request: ProxiedRequest) {
        precondition(request.isInUse, "a request was given back twice")
        self.bytes -= request.bytesReceived
        request.recycle()
        self.inUse -= 1
        self.free.append(request.slot)
    }

    /// The request of a ticket, or nil when it is over.
    func request(for ticket: RequestTicket) -> ProxiedRequest? {
        guard Int(ticket.slot) < self.slots.count else { return nil }
        let request = self.slots[Int(ticket.slot)]
        return request.isInUse && request.generation == ticket.generation ? request : nil
    }

    /// The same, for the path that every answer takes: the table keeps its requests for as long as it is there.
    @inline(__always)
    func uncounted(for ticket: RequestTicket) -> Uncounted<ProxiedRequest>? {
        guard Int(ticket.slot) < self.slots.count else { return nil }
        let request = Uncounted(self.slots[Int(ticket.slot)])
        return request { $0.isInUse && $0.generation == ticket.generation } ? request : nil
    }

    /// How many requests in use are so.
    func count(where isSo: (ProxiedRequest) -> Bool) -> Int { self.slots.count { $0.isInUse && isSo($0) } }

    /// Calls `body` for each request in use whose deadline has passed.
    func forEachExpired(now: Int64, _ body: (ProxiedRequest) -> Void) {
        for request in self.slots where request.isInUse && request.deadline <= now { body(request) }
    }
}
