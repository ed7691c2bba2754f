import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Operations

extension FakeSidecar: LiveSource {
    func reading(lookingAtTables: Bool) async -> LiveReading {
        LiveReading(
            at: "2026-11-26T03:29:23.123Z",
            status: await self.status(),
            phase: await self.phase(),
            journal: lookingAtTables ? await self.journal() : nil,
            dirty: [],
            validationPercentage: 5,
            traffic: TrafficReading(at: .now, legs: [], tables: [], skipped: 0)
        )
    }
}

struct TrafficWindowTests {
    private static let start = ContinuousClock.now

    private static func reading(_ second: Int, writes: UInt64, fast: UInt64 = 0, slow: UInt64 = 0) -> TrafficReading {
        let none = HistogramSnapshot(bounds: [0.001, 0.01, 0.1], counts: [0, 0, 0, 0], sum: 0)
        var latency = none
        latency.counts = [0, fast, slow, 0]
        let leg = TrafficReading.Leg(
            cluster: "source",
            writes: writes,
            writeErrors: 0,
            reads: 0,
            readErrors: 0,
            writeLatency: latency,
            readLatency: none
        )
        return TrafficReading(at: Self.start + .seconds(second), legs: [leg], tables: [], skipped: 0)
    }

    @Test func `one reading tells no rate, two do`() throws {
        var window = TrafficWindow()
        window.add(Self.reading(0, writes: 100))
        #expect(window.document.legs.first?.writesPerSecond == nil)
        window.add(Self.reading(2, writes: 150))
        let leg = try #require(window.document.legs.first)
        #expect(leg.writesPerSecond == 25)
        #expect(leg.readsPerSecond == 0)
        #expect(leg.readP99Ms == nil)
    }

    @Test func `only the last ten seconds count, and a counter that begins anew is no negative rate`() {
        var window = TrafficWindow()
        for second in 0...30 { window.add(Self.reading(second, writes: UInt64(second) * (second < 20 ? 1_000 : 10))) }
        #expect(window.document.windowSeconds == 10)
        #expect(window.document.legs.first?.writesPerSecond == 10)
        window.add(Self.reading(31, writes: 0))
        #expect(window.document.legs.first?.writesPerSecond == 0)
    }

    @Test func `quantiles are of what came within the window, interpolated in their bucket`() throws {
        var window = TrafficWindow()
        window.add(Self.reading(0, writes: 0, fast: 1_000, slow: 1_000))
        window.add(Self.reading(1, writes: 0, fast: 1_100, slow: 1_000))
        let leg = try #require(window.document.legs.first)
        // The 50th and the 99th of 100 between 1 and 10 ms.
        #expect(leg.writeP50Ms == 5.5)
        #expect(leg.writeP99Ms == 9.91)
    }
}

struct EventListenersTests {
    @Test func `there is room for so many, and again when one leaves`() throws {
        var listeners = EventListeners<Int>(countMax: 1, stuckMax: .seconds(5))
        let first = try #require(listeners.add {})
        #expect(listeners.isFull)
        #expect(listeners.add {} == nil)
        listeners.remove(first.number)
        #expect(listeners.add {} != nil)
    }

    @Test func `who does not take an event for too long is closed, and one event is all that is kept for it`()
        async throws
    {
        let start = ContinuousClock.now
        var listeners = EventListeners<Int>(countMax: 2, stuckMax: .seconds(5))
        let closed = Mutex(0)
        let stuck = try #require(listeners.add { closed.withLock { $0 += 1 } })
        let quick = try #require(listeners.add { Issue.record("one that keeps up was closed") })
        var taken = quick.events.makeAsyncIterator()
        for second in 0..<8 {
            let tooSlow = listeners.offer(second, now: start + .seconds(second))
            #expect(await taken.next() == second)
            // The first is kept, the second stands in front of the door since second 1.
            #expect(tooSlow.count == (second == 6 ? 1 : 0))
            for listener in tooSlow { listener.close() }
        }
        #expect(closed.withLock { $0 } == 1)
        var left: [Int] = []
        for await event in stuck.events { left.append(event) }
        #expect(left == [0])
    }
}

@Suite(.timeLimit(.minutes(1)))
struct LivePageTests: AdminPortTests {
    @Test func `the first event comes at once, and a change is told without waiting for the second`() async throws {
        let sidecar = FakeSidecar()
        let feed = EventFeed(source: sidecar)
        let (number, events) = try #require(feed.listen {})
        let running = Task { try await feed.run() }
        defer { running.cancel() }
        var modes: [String] = []
        for await event in events {
            let text = String(buffer: event)
            #expect(text.hasPrefix("event: status\ndata: {") && text.hasSuffix("}\n\n"))
            #expect(text.split(separator: "\n").count == 2)
            let document = try DocumentCoding.decode(
                LiveDocument.self,
                from: Data(text.utf8.dropFirst("event: status\ndata: ".utf8.count))
            )
            #expect(document.journal?.clusters.last?.records == 12)
            modes.append(document.status.mode)
            if modes.count == 1 { sidecar.with { $0.mode = "ShadowPrimary" } }
            if document.status.mode == "ShadowPrimary" { break }
        }
        #expect(modes.last == "ShadowPrimary")
        feed.leave(number)
    }

    @Test func `a listener too many is refused by name`() async throws {
        let sidecar = FakeSidecar()
        let routes = AdminRoutes(
            control: sidecar,
            health: sidecar,
            metrics: MetricsRegistry(),
            access: AdminAccess { nil },
            events: EventFeed(source: sidecar, listenersMax: 0)
        )
        try await Application(router: routes.router()).test(.router) { client in
            try await client.execute(uri: "/v1/events", method: .get) { response in
                #expect(response.status == .serviceUnavailable)
                #expect(Self.fault(response)?.code == "too_many_listeners")
            }
        }
    }

    @Test func `the page and all that it loads are served under a policy that allows nothing else`() async throws {
        try await self.withServer(.live) { client, _ in
            let page = try await client.execute(uri: "/", method: .get) { response in
                #expect(response.headers[.contentType] == "text/html; charset=utf-8")
                #expect(response.headers[.contentSecurityPolicy] == PageFiles.policy)
                return String(buffer: response.body)
            }
            #expect(!page.contains("style=") && !page.contains("<style") && !page.contains("onclick"))
            for file in PageFiles.parts {
                try await client.execute(uri: "/page/\(file.name)", method: .get) { response in
                    #expect(response.status == .ok)
                    #expect(response.headers[.contentType] == file.type)
                    #expect(response.headers[.xContentTypeOptions] == "nosniff")
                    let text = String(buffer: response.body)
                    #expect(!text.contains("innerHTML") && !text.contains("localStorage") && !text.contains("eval("))
                    for address in text.matches(of: #/(?:from|import) "\./([a-z.]+)"/#) {
                        #expect(PageFiles.parts.contains { $0.name == address.output.1 })
                    }
                }
            }
        }
    }

    @Test func `errors carry the headers too`() async throws {
        try await self.withServer(.live) { client, _ in
            for (path, method) in [("/nothing", HTTPRequest.Method.get), ("/v1/phase", .put), ("/v1/phase", .post)] {
                try await client.execute(uri: path, method: method) { response in
                    #expect(response.headers[.xContentTypeOptions] == "nosniff")
                    #expect(response.headers[.cacheControl] == "no-store")
                    #expect(response.headers[.contentSecurityPolicy] == AnswerHeaders.nothingAllowed)
                }
            }
        }
    }

    @Test func `headers beyond the limits are refused and the connection is closed`() async throws {
        try await self.withServer(.live) { client, _ in
            let port = try #require(client.port)
            let long = "X-Long: " + String(repeating: "x", count: AdminServer.headerBytesMax) + "\r\n"
            let many = (0...AdminServer.headersMax).map { "X-\($0): x\r\n" }.joined()
            for headers in [long, many] {
                let answer = try await Self.exchange(port: port, "GET /health HTTP/1.1\r\nHost: a\r\n\(headers)\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 400 "))
                #expect(answer.lowercased().contains("x-content-type-options: nosniff"))
            }
        }
    }

    /// Sends a text and reads until the other side closes.
    private static func exchange(port: Int, _ text: String) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            var answer = ByteBuffer()
            for try await part in inbound {
                answer.writeImmutableBuffer(part)
                if String(buffer: answer).contains("\r\n\r\n") { break }
            }
            return String(buffer: answer)
        }
    }
}
