import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import Operations

/// Tests that ask the admin port of a loader, behind which nothing is loaded.
protocol LoaderPortTests: AdminPortTests {}

extension LoaderPortTests {
    func withLoader(
        _ setup: Setup = .router,
        token: String? = Self.token,
        _ body: @Sendable @escaping (any TestClientProtocol, FakeLoader) async throws -> Void
    ) async throws {
        let loader = FakeLoader()
        let metrics = MetricsRegistry()
        metrics.register { page in LoaderMetrics.collect(await loader.status(), into: &page) }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = AdminServer(
            configuration: .init(host: "127.0.0.1", port: 0, token: { token }),
            loader: loader,
            log: loader,
            metrics: metrics,
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        )
        try await server.application().test(setup.testing) { client in try await body(client, loader) }
    }

    /// The answer to a POST with the token.
    @discardableResult
    func post(_ path: String, _ body: String = "", on client: any TestClientProtocol) async throws -> TestResponse {
        try await client.execute(
            uri: path,
            method: .post,
            headers: Self.authorized,
            body: body.isEmpty ? nil : ByteBuffer(string: body)
        ) { $0 }
    }

    func get(_ path: String, on client: any TestClientProtocol) async throws -> TestResponse {
        try await client.execute(uri: path, method: .get) { $0 }
    }
}
