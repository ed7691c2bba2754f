/// All requests that one loop holds, found by the slot in their ticket; requests are pooled, not allocated per frame.
///
/// Bound to the loop. The number of requests is limited by ``DualWriterLimits/requestsPerLoopMax``.
struct RequestTable: ~Copyable {
    private var slots: [ProxiedRequest] = []
    private var free: [UInt32] = []
    private let limit: Int

    /// Requests in use.
    private(set) var inUse = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// A blank request, or nil when the limit is reached.
    mutating func take() -> ProxiedRequest? {
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
        self.inUse += 1
        return request
    }

    /// Returns a request to the pool; tickets that still name it find nothing from here on.
    mutating func giveBack(_ request: ProxiedRequest) {
        precondition(request.isInUse, "a request was given back twice")
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

    /// Calls `body` for each request in use whose deadline has passed.
    func forEachExpired(now: Int64, _ body: (ProxiedRequest) -> Void) {
        for request in self.slots where request.isInUse && request.deadline <= now { body(request) }
    }
}
