import CQLClient
import CQLProtocol
import DualWriteCore
import DualWriter
import Logging
import NIOCore
import NIOPosix
import Testing

/// A proxy between two scripted servers, over real sockets.
struct ProxyHarness {
    let proxy: DualWriterService
    let source: ScriptedServer
    let target: ScriptedServer
    let group: any EventLoopGroup

    var address: SocketAddress {
        get throws { try #require(self.proxy.boundAddress) }
    }

    func client() async throws -> TestClient { try await TestClient.start(on: try self.address, group: self.group) }

    /// Runs `body` with a proxy that is connected to both servers, then stops everything.
    static func run(
        mode: WriteMode,
        sourcePeers: [ScriptedServer] = [],
        configure: (inout DualWriterConfiguration) -> Void = { _ in },
        isUp: (DualWriterStatus) -> Bool = { $0.legs.allSatisfy(\.isConnected) },
        _ body: (ProxyHarness) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let source = ScriptedServer(name: "source", salt: 1)
        let target = ScriptedServer(name: "target", salt: 2)
        try await source.start(on: group)
        try await target.start(on: group)
        source.setPeers(sourcePeers.map(\.port))
        let result: Result<Void, any Error>
        do {
            try await RunningProxy.run(
                between: (host: "127.0.0.1", port: source.port),
                and: (host: "127.0.0.1", port: target.port),
                mode: mode,
                configure: configure,
                isUp: isUp
            ) { proxy in
                try await body(ProxyHarness(proxy: proxy, source: source, target: target, group: group))
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await source.kill()
        await target.kill()
        try result.get()
    }
}

/// Waits until something holds that no event tells of; fails when it has not after a minute.
func eventually(
    _ condition: () async throws -> Bool,
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("still not so after a minute", sourceLocation: sourceLocation)
}

func query(_ text: String, _ values: [String] = [], timestamp: Int64? = nil) -> Request {
    var parameters = QueryParameters(consistency: .localQuorum)
    if !values.isEmpty { parameters.values = .positional(values.map { .value(ByteBuffer(string: $0)) }) }
    parameters.defaultTimestamp = timestamp
    return .query(Query(text, parameters: parameters))
}
