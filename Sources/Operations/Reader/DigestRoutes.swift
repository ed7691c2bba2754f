import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// The paths by which a reader answers another one with digests. All of them need the token: each costs the cluster reads.
struct DigestRoutes: AdminPaths {
    /// The longest body of a question, in bytes.
    static var bodyBytesMax: Int { 1 << 20 }

    var paths: [String] { ["/v1/digests"] }

    let source: any DigestSource
    let access: AdminAccess

    func add(to router: Router<AdminContext>) {
        self.add(
            "/v1/digests",
            [
                .get: { request, context in
                    try self.access.checkMayChange(request, context)
                    let cluster = request.uri.queryParameters["cluster"].map { String($0) } ?? ""
                    return try Self.response(try await self.source.greeting(of: cluster))
                },
                .post: { request, context in
                    try self.access.checkMayChange(request, context)
                    let question = try await Self.question(request)
                    return try Self.response(try await self.source.answer(question))
                },
            ],
            to: router
        )
    }

    private static func response(_ document: some Encodable) throws -> Response {
        Response(
            status: .ok,
            headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: try DigestCoding.encode(document)))
        )
    }

    private static func question(_ request: Request) async throws -> DigestRequestDocument {
        let body: ByteBuffer
        do { body = try await request.body.collect(upTo: Self.bodyBytesMax) } catch is NIOTooManyBytesError {
            throw AdminError(.bodyTooLarge, "The body is longer than \(Self.bodyBytesMax) bytes.")
        }
        do {
            return try DocumentCoding.decode(DigestRequestDocument.self, from: Data(body.readableBytesView))
        } catch {
            throw AdminError(
                .invalidDocument,
                "The body is no question for digests of this version.",
                hint: "Let both readers have the same version of cluster-sync."
            )
        }
    }
}

/// The admin port of a reader that does nothing but answer with digests: health, metrics and ``DigestRoutes``.
struct DigestPortRoutes: AdminPaths {
    var paths: [String] {
        ["/health", "/health/liveness", "/health/readiness", "/metrics"] + self.digests.paths
    }

    let digests: DigestRoutes
    let readiness: @Sendable () async -> Readiness
    let metrics: MetricsRegistry

    func add(to router: Router<AdminContext>) {
        self.addHealth(
            { .document(ReadinessDocument(await self.readiness())) },
            readiness: self.readiness,
            metrics: self.metrics,
            to: router
        )
        self.digests.add(to: router)
    }
}

extension AdminError.Code {
    /// Two readers do not mean the same: other settings, columns, clusters or versions.
    public static var otherTerms: Self { .init(name: "other_terms", status: .conflict) }
    /// The cluster behind it cannot be read.
    public static var unreadable: Self { .init(name: "unreadable", status: .serviceUnavailable) }
}
