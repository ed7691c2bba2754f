import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Operations
import Synchronization

/// Listens to the events of every replica, and asks for what they do not carry. Thread-safe.
final class WatchFeed: Sendable {
    /// Between two questions for verdict, reports and tables, which cost the sidecar more than an event.
    static var interval: Duration { .seconds(2) }
    /// Before somebody who does not answer is asked again.
    static var pause: Duration { .seconds(1) }
    /// An event comes each second; a connection without one for so long is given up.
    static var silence: TimeAmount { .seconds(10) }

    private struct Heard {
        var replica: WatchModel.Replica
        /// The last event as it came.
        var event: [UInt8] = []
        var at: ContinuousClock.Instant?
    }

    private struct State {
        var heard: [Heard]
        var version = 0
    }

    private let clients: [AdminClient]
    private let state: Mutex<State>

    init(_ clients: [AdminClient]) {
        self.clients = clients
        self.state = Mutex(State(heard: clients.map { Heard(replica: .init(name: $0.name)) }))
    }

    /// A number that grows with all that is heard.
    var version: Int { self.state.withLock { $0.version } }

    /// Whether every replica has told something, or that it does not answer.
    var isComplete: Bool {
        self.state.withLock { $0.heard.allSatisfy { $0.at != nil || $0.replica.problem != nil } }
    }

    /// What is known now.
    func model(at: String, now: ContinuousClock.Instant = .now) -> WatchModel {
        let heard = self.state.withLock { $0.heard }
        let replicas = heard.map { one in
            var replica = one.replica
            if let at = one.at { replica.age = (now - at) / .seconds(1) }
            return replica
        }
        return WatchModel(replicas: replicas, at: at)
    }

    /// The last events as one line of JSON.
    func json(at: String, now: ContinuousClock.Instant = .now) -> String {
        let heard = self.state.withLock { $0.heard }
        let entries = heard.map { one in
            var replica = one.replica
            if let at = one.at { replica.age = (now - at) / .seconds(1) }
            let fate =
                replica.trouble.map { "\"error\":{\"message\":\(ReplicaDocument.string($0))}" }
                ?? "\"answer\":\(String(decoding: one.event, as: UTF8.self))"
            return "{\"endpoint\":\(ReplicaDocument.string(replica.name)),\(fate)}"
        }
        return "{\"at\":\(ReplicaDocument.string(at)),\"replicas\":[\(entries.joined(separator: ","))]}"
    }

    /// Listens until it is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for (index, client) in self.clients.enumerated() {
                group.addTask { await self.listen(to: client, index) }
                group.addTask { await self.question(client, index) }
            }
        }
    }

    private func change(_ index: Int, _ body: (inout Heard) -> Void) {
        self.state.withLock { state in
            body(&state.heard[index])
            state.version += 1
        }
    }

    private func listen(to client: AdminClient, _ index: Int) async {
        while !Task.isCancelled {
            do {
                try await self.events(of: client, index)
                self.change(index) { $0.replica.problem = "it has ended the connection" }
            } catch let failure as AdminFailure {
                self.change(index) { $0.replica.problem = failure.message }
            } catch {
                let words = client.silence(error).message.split(separator: "\n").first.map(String.init)
                if !Task.isCancelled { self.change(index) { $0.replica.problem = words ?? "no answer" } }
            }
            try? await Task.sleep(for: Self.pause)
        }
    }

    private func events(of client: AdminClient, _ index: Int) async throws {
        var configuration = try client.configuration()
        configuration.timeout.read = Self.silence
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let request = HTTPClientRequest(url: client.base + "/v1/events")
            let response = try await http.execute(request, deadline: .distantFuture)
            guard response.status == .ok else {
                throw AdminFailure(
                    code: Exit.unavailable,
                    message: "GET /v1/events answered \(response.status.code) \(response.status.reasonPhrase)"
                )
            }
            var parser = ServerSentEvents()
            for try await piece in response.body {
                guard let event = try parser.feed(piece.readableBytesView).last else { continue }
                let live = try DocumentCoding.decode(LiveDocument.self, from: Data(event))
                self.change(index) { heard in
                    heard.replica.live = live
                    heard.replica.problem = nil
                    heard.event = event
                    heard.at = .now
                }
            }
        } catch {
            try? await http.shutdown()
            throw error
        }
        try await http.shutdown()
    }

    private func question(_ client: AdminClient, _ index: Int) async {
        while !Task.isCancelled {
            // In the last mode there is no next step, and the question is refused.
            let verdict = try? await client.ask("/v1/phase/verdict", as: VerdictDocument.self).0
            let reports = try? await client.ask("/v1/reports", as: ReportsDocument.self).0
            let tables = try? await client.ask("/v1/tables", as: TablesDocument.self).0
            self.change(index) { heard in
                heard.replica.verdict = verdict
                heard.replica.reports = reports ?? heard.replica.reports
                heard.replica.tables = tables ?? heard.replica.tables
            }
            try? await Task.sleep(for: Self.interval)
        }
    }
}
