/// The requests on the way on one connection: a flat array by stream id and a stack of free ids.
///
/// A stream whose request was abandoned stays taken until its late answer comes: given out again earlier, that answer would
/// go to the wrong request.
struct StreamTable: ~Copyable {
    /// Marks a free stream.
    static var free: UInt64 { .max }
    /// Marks a stream whose answer is dropped.
    static var abandoned: UInt64 { .max - 1 }
    /// Tickets from here up are the connection's own.
    static var reservedFrom: UInt64 { .max - 15 }

    private let tickets: UnsafeMutableBufferPointer<UInt64>
    /// The first ``freeCount`` are free; the last of them is taken next.
    private let freeStreams: UnsafeMutablePointer<Int16>
    private var freeCount: Int

    /// - Parameter capacity: at most 32 768 (native protocol v4 §2.3).
    init(capacity: Int) {
        let capacity = min(max(1, capacity), 32_768)
        self.tickets = .allocate(capacity: capacity)
        self.tickets.initialize(repeating: Self.free)
        self.freeStreams = .allocate(capacity: capacity)
        // Low ids first: the table's hot part stays small.
        for index in 0..<capacity { (self.freeStreams + index).initialize(to: Int16(capacity - 1 - index)) }
        self.freeCount = capacity
    }

    deinit {
        self.tickets.deallocate()
        self.freeStreams.deallocate()
    }

    /// Streams that are taken.
    var inUse: Int { self.tickets.count - self.freeCount }
    /// Whether no stream is left.
    var isFull: Bool { self.freeCount == 0 }

    /// Takes a stream for a request.
    mutating func take(_ ticket: UInt64) -> Int16? {
        guard self.freeCount > 0 else { return nil }
        self.freeCount -= 1
        let stream = self.freeStreams[self.freeCount]
        self.tickets[Int(stream)] = ticket
        return stream
    }

    /// The ticket of an answer, whose stream is free from here on; nil where the stream was not taken.
    mutating func release(_ stream: Int16) -> UInt64? {
        guard stream >= 0, Int(stream) < self.tickets.count else { return nil }
        let ticket = self.tickets[Int(stream)]
        guard ticket != Self.free else { return nil }
        self.free(stream)
        return ticket
    }

    private mutating func free(_ stream: Int16) {
        self.tickets[Int(stream)] = Self.free
        precondition(self.freeCount < self.tickets.count, "a stream was freed twice")
        self.freeStreams[self.freeCount] = stream
        self.freeCount += 1
    }

    /// Drops the answer to come, where the stream still belongs to the request.
    mutating func abandon(_ ticket: UInt64, stream: Int16) {
        guard stream >= 0, Int(stream) < self.tickets.count, self.tickets[Int(stream)] == ticket else { return }
        self.tickets[Int(stream)] = Self.abandoned
    }

    /// All tickets that still wait for an answer; the table is empty afterwards.
    mutating func drain() -> [(stream: Int16, ticket: UInt64)] {
        var waiting: [(stream: Int16, ticket: UInt64)] = []
        for index in self.tickets.indices where self.tickets[index] != Self.free {
            let (stream, ticket) = (Int16(index), self.tickets[index])
            self.free(stream)
            if ticket < Self.reservedFrom { waiting.append((stream, ticket)) }
        }
        return waiting
    }
}
