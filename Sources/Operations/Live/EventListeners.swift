/// Who listens to the events, and who of them does not keep up. Nothing is kept for a listener but the one event that it has yet
/// to take. It knows no clock and no socket.
struct EventListeners<Event: Sendable> {
    /// The end that events are put in at.
    struct Listener {
        let events: AsyncStream<Event>.Continuation
        /// Ends the connection, whatever is still to be written.
        let close: @Sendable () -> Void
        /// Since when nothing could be put in; nil while it keeps up.
        var stuckSince: ContinuousClock.Instant?
    }

    let countMax: Int
    let stuckMax: Duration
    private var listeners: [Int: Listener] = [:]
    private var added = 0

    init(countMax: Int, stuckMax: Duration) {
        self.countMax = countMax
        self.stuckMax = stuckMax
    }

    var isEmpty: Bool { self.listeners.isEmpty }
    var isFull: Bool { self.listeners.count >= self.countMax }

    /// The events from now on, and the number under which it is removed; nil where there is no room.
    mutating func add(close: @escaping @Sendable () -> Void) -> (number: Int, events: AsyncStream<Event>)? {
        guard !self.isFull else { return nil }
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingOldest(1))
        self.added += 1
        self.listeners[self.added] = Listener(events: continuation, close: close)
        return (self.added, stream)
    }

    mutating func remove(_ number: Int) { self.listeners.removeValue(forKey: number)?.events.finish() }

    /// Offers an event to all; who has not taken the one before for too long is removed and returned, to be closed.
    mutating func offer(_ event: Event, now: ContinuousClock.Instant) -> [Listener] {
        var tooSlow: [Listener] = []
        for (number, listener) in self.listeners {
            guard case .dropped = listener.events.yield(event) else {
                self.listeners[number]?.stuckSince = nil
                continue
            }
            let since = listener.stuckSince ?? now
            self.listeners[number]?.stuckSince = since
            guard now - since >= self.stuckMax else { continue }
            tooSlow.append(listener)
            self.remove(number)
        }
        return tooSlow
    }

    mutating func removeAll() {
        for listener in self.listeners.values { listener.events.finish() }
        self.listeners = [:]
    }
}
