import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import Operations

/// The same requests against the router in this process and against a socket.
enum Setup: String, CaseIterable, Sendable {
    case router
    case live

    var testing: TestingSetup {
        switch self {
        case .router: .router
        case .live: .live
        }
    }
}

/// Tests that ask an admin port, behind which is a sidecar that only remembers.
protocol AdminPortTests {}

extension AdminPortTests {
    static var token: String { "correct horse" }

    func withServer(
        _ setup: Setup,
        token: String? = Self.token,
        _ body: @Sendable @escaping (any TestClientProtocol, FakeSidecar) async throws -> Void
    ) async throws {
        let sidecar = FakeSidecar()
        let metrics = MetricsRegistry()
        metrics.register { $0.gauge("up", help: "", 1) }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = AdminServer(
            configuration: .init(host: "127.0.0.1", port: 0, token: { token }),
            control: sidecar,
            health: sidecar,
            metrics: metrics,
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        )
        try await server.application().test(setup.testing) { client in try await body(client, sidecar) }
    }

    static var authorized: HTTPFields { [.authorization: "Bearer \(Self.token)"] }

    static func object(_ response: TestResponse) -> [String: JSONValue] {
        let value = try? JSONDecoder().decode(JSONValue.self, from: Data(response.body.readableBytesView))
        guard case .object(let object) = value else { return [:] }
        return object
    }

    static func fault(_ response: TestResponse) -> ErrorDocument.Fault? {
        (try? DocumentCoding.decode(ErrorDocument.self, from: Data(response.body.readableBytesView)))?.error
    }
}
