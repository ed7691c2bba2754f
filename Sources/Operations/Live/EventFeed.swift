import NIOCore
import ServiceLifecycle
import Synchronization

/// Tells everybody who listens how the sidecar is: a document a second, and one at each change, made once for all of them.
///
/// Thread-safe. While nobody listens nothing is asked and nothing computed.
final class EventFeed: Service {
    /// Listeners at a time; more are answered 503.
    static var listenersMax: Int { 32 }
    /// How long a listener may leave an event untaken before its connection is closed.
    static var stuckMax: Duration { .seconds(5) }
    /// Between two documents where nothing changes.
    static var interval: Duration { .seconds(1) }
    /// Between two looks for changes.
    static var lookInterval: Duration { .milliseconds(250) }
    /// Between two looks into the journals for whose writes are owed, which take some of the data path's time.
    static var tablesInterval: Duration { .seconds(5) }

    static var contentType: String { "text/event-stream" }

    /// What was told last, and what the next document is computed from. Only ``run()`` touches it.
    private struct Memory {
        var window = TrafficWindow()
        var journal: JournalDocument?
        var lookedAtTables: ContinuousClock.Instant?
        var told: (at: ContinuousClock.Instant, urgent: [String])?
    }

    private struct State {
        var listeners: EventListeners<ByteBuffer>
        /// Whether somebody has come who has heard nothing yet.
        var hasNewcomer = false
    }

    private let source: any LiveSource
    private let state: Mutex<State>

    init(source: any LiveSource, listenersMax: Int = EventFeed.listenersMax, stuckMax: Duration = EventFeed.stuckMax) {
        self.source = source
        self.state = Mutex(State(listeners: EventListeners(countMax: listenersMax, stuckMax: stuckMax)))
    }

    var isFull: Bool { self.state.withLock { $0.listeners.isFull } }

    /// The events from now on; nil where there is no room. Whoever takes it calls ``leave(_:)`` in the end.
    func listen(close: @escaping @Sendable () -> Void) -> (number: Int, events: AsyncStream<ByteBuffer>)? {
        self.state.withLock { state in
            state.hasNewcomer = true
            return state.listeners.add(close: close)
        }
    }

    func leave(_ number: Int) { self.state.withLock { $0.listeners.remove(number) } }

    /// Tells until the end.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            var memory = Memory()
            while !Task.isCancelled {
                if self.state.withLock({ $0.listeners.isEmpty }) {
                    memory = Memory()
                } else {
                    await self.look(&memory)
                }
                try? await Task.sleep(for: Self.lookInterval)
            }
        }
        self.state.withLock { $0.listeners.removeAll() }
    }

    private func look(_ memory: inout Memory) async {
        let began = ContinuousClock.now
        let looksAtTables = memory.lookedAtTables.map { began - $0 >= Self.tablesInterval } ?? true
        let reading = await self.source.reading(lookingAtTables: looksAtTables)
        if looksAtTables {
            memory.lookedAtTables = began
            memory.journal = reading.journal
        }
        let hasNewcomer = self.state.withLock { state in
            defer { state.hasNewcomer = false }
            return state.hasNewcomer
        }
        let urgent = reading.urgent
        let isDue = memory.told.map { began - $0.at >= Self.interval || urgent != $0.urgent } ?? true
        guard isDue || hasNewcomer else { return }
        memory.told = (began, urgent)
        memory.window.add(reading.traffic)
        let document = LiveDocument(reading, journal: memory.journal, traffic: memory.window.document)
        self.tell(document, now: began)
    }

    private func tell(_ document: LiveDocument, now: ContinuousClock.Instant) {
        guard let line = try? DocumentCoding.encodeLine(document) else {
            preconditionFailure("a live document could not be written as JSON")
        }
        var event = ByteBuffer(string: "event: status\ndata: ")
        event.writeBytes(line)
        event.writeStaticString("\n\n")
        let tooSlow = self.state.withLock { $0.listeners.offer(event, now: now) }
        for listener in tooSlow { listener.close() }
    }
}
