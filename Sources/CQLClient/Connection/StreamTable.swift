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

    private var tickets: [UInt64]
    private var freeStreams: [Int16]

    /// - Parameter capacity: at most 32 768 (native protocol v4 §2.3).
    init(capacity: Int) {
        let capacity = min(max(1, capacity), 32_768)
        self.tickets = Array(repeating: Self.free, count: capacity)
        // Low ids first: the table's hot part stays small.
        self.freeStreams = (0..<capacity).reversed().map { Int16($0) }
    }

    /// Streams that are taken.
    var inUse: Int { self.tickets.count - self.freeStreams.count }
    /// Whether no stream is left.
    var isFull: Bool { self.freeStreams.isEmpty }

    /// Takes a stream for a request.
    mutating func take(_ ticket: UInt64) -> Int16? {
        guard let stream = self.freeStreams.popLast() else { return nil }
        self.tickets[Int(stream)] = ticket
        return stream
    }

    /// The ticket of an answer, whose stream is free from here on; nil where the stream was not taken.
    mutating func release(_ stream: Int16) -> UInt64? {
        guard stream >= 0, Int(stream) < self.tickets.count else { return nil }
        let ticket = self.tickets[Int(stream)]
        guard ticket != Self.free else { return nil }
        self.tickets[Int(stream)] = Self.free
        self.freeStreams.append(stream)
        return ticket
    }

    /// Drops the answer to come, where the stream still belongs to the request.
    mutating func abandon(_ ticket: UInt64, stream: Int16) {
        guard stream >= 0, Int(stream) < self.tickets.count, self.tickets[Int(stream)] == ticket else { return }
        self.tickets[Int(stream)] = Self.abandoned
    }

    /// All tickets that still wait for an answer; the table is empty afterwards.
    mutating func drain() -> [(stream: Int16, ticket: UInt64)] {
        var waiting: [(stream: Int16, ticket: UInt64)] = []
        for stream in self.tickets.indices where self.tickets[stream] != Self.free {
            let ticket = self.tickets[stream]
            self.tickets[stream] = Self.free
            self.freeStreams.append(Int16(stream))
            if ticket < Self.reservedFrom { waiting.append((Int16(stream), ticket)) }
        }
        return waiting
    }
}
