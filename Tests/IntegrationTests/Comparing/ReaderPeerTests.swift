import EmbeddedNode
import FoundationEssentials
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Two readers as processes, one near the target, and what may be wrong between them: never a false difference.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ReaderPeerTests {
    private static let tls = Repository.root + "/Fixtures/tls"

    /// A reader near the target, with the port on which it listens.
    private static func peer(
        _ clusters: ReaderClusters,
        port: Int = 0,
        settings: [String] = []
    ) async throws -> (process: ChildProcess, port: Int) {
        let all = ["admin.token=secret", "state_dir=\(clusters.folder.path)/peer"] + settings
        var arguments = clusters.arguments(["digests", "--cluster", "target"], settings: all)
        arguments = arguments.map { $0 == "admin.listen=127.0.0.1:0" ? "admin.listen=127.0.0.1:\(port)" : $0 }
        let process = try ChildProcess(arguments)
        let listening = #/admin port listens address=\S*:(\d+)\n/#
        try await eventually { process.errors.contains(listening) }
        let text = try #require(process.errors.firstMatch(of: listening)?.output.1, "\(process.errors)")
        return (process, try #require(Int(text)))
    }

    private static func end(_ peer: ChildProcess) async {
        peer.signal(SIGTERM)
        _ = await peer.result()
    }

    private static func compare(_ clusters: ReaderClusters, _ url: String, _ settings: String...) async throws
        -> ChildProcess.Result
    {
        let all = ["peer.url=\(url)", "peer.token=secret", "connect.wait_ms=1"] + settings
        return try await clusters.run(["compare", "--keyspace", "shop"], settings: all)
    }

    // MARK: TLS and tokens

    @Test func `over TLS both check each other, and what does not fit is refused by name before anything is read`()
        async throws
    {
        let clusters = try await ReaderClusters()
        try await ReaderClusters.write(73, "drift", clusters.atTarget, seconds: 1)
        let (peer, port) = try await Self.peer(
            clusters,
            settings: [
                "admin.tls.certificate_file=\(Self.tls)/node.pem", "admin.tls.key_file=\(Self.tls)/node.key",
                "admin.tls.client_ca_file=\(Self.tls)/authority.pem",
            ]
        )
        let url = "https://127.0.0.1:\(port)"
        let trusted = "peer.ca=\(Self.tls)/authority.pem"
        func shown(_ name: String) -> [String] {
            ["peer.certificate=\(Self.tls)/\(name).pem", "peer.key=\(Self.tls)/\(name).key"]
        }
        let own = shown("client")
        let right = try await Self.compare(clusters, url, trusted, own[0], own[1])
        #expect(right.code == 1 && right.output.contains("key (7), row (3), v"), "\(right.errors)")
        #expect(right.output.contains("by digests:"), "\(right.output)")

        let stranger = "peer.ca=\(Self.tls)/stranger.pem"
        let unknown = shown("unknown-client")
        for (name, settings) in [
            ("another authority", [stranger] + own), ("the system's authorities", own), ("no certificate", [trusted]),
            ("a certificate of another authority", [trusted] + unknown),
        ] {
            let all = ["peer.url=\(url)", "peer.token=secret", "connect.wait_ms=1"] + settings
            let refused = try await clusters.run(["compare", "--keyspace", "shop"], settings: all)
            #expect(refused.code == 69, "\(name): \(refused.code) \(refused.output) \(refused.errors)")
            #expect(refused.errors.contains("no peer answers at \(url)"), "\(name): \(refused.errors)")
            #expect(refused.output.isEmpty, "\(name)")
        }
        // Spoken to without TLS it says nothing that could be mistaken for an answer.
        let plain = try await Self.compare(clusters, "http://127.0.0.1:\(port)")
        #expect(plain.code == 69 && plain.output.isEmpty, "\(plain.errors)")
        let wrong = try await clusters.run(
            ["compare", "--keyspace", "shop"],
            settings: ["peer.url=\(url)", "peer.token=wrong", trusted] + own
        )
        #expect(wrong.code == 78 && wrong.errors.contains("peer.token_file"), "\(wrong.code) \(wrong.errors)")
        #expect(!wrong.errors.contains("wrong\""), "the token is not shown: \(wrong.errors)")
        let missing = try await clusters.run(
            ["compare", "--keyspace", "shop"],
            settings: ["peer.url=\(url)", "peer.ca=\(Self.tls)/nowhere.pem", "peer.token=secret"]
        )
        #expect(missing.code == 78 && missing.errors.contains("nowhere.pem"), "\(missing.errors)")
        await Self.end(peer)

        // A certificate that was made for another machine.
        let (elsewhere, other) = try await Self.peer(
            clusters,
            settings: [
                "admin.tls.certificate_file=\(Self.tls)/elsewhere.pem", "admin.tls.key_file=\(Self.tls)/elsewhere.key",
            ]
        )
        let refused = try await Self.compare(clusters, "https://127.0.0.1:\(other)", trusted)
        #expect(refused.code == 69 && refused.output.isEmpty, "\(refused.code) \(refused.errors)")
        await Self.end(elsewhere)
        await clusters.stop()
    }

    // MARK: Peers that die

    /// Kills the reader behind in the middle of a part: when it has answered its first question, which nobody hears.
    private static func deadly(_ peer: ChildProcess, port: Int) async throws -> TamperingPeer {
        let isDead = Mutex(false)
        return try await TamperingPeer(before: "http://127.0.0.1:\(port)") { exchange in
            guard exchange.isQuestion, !isDead.withLock({ $0 }) else { return nil }
            isDead.withLock { $0 = true }
            peer.signal(SIGKILL)
            return .close
        }
    }

    @Test func `a peer that is killed in the middle of a part is waited for, and the part is compared by the next one`()
        async throws
    {
        let clusters = try await ReaderClusters()
        try await ReaderClusters.write(73, "drift", clusters.atTarget, seconds: 1)
        let (peer, port) = try await Self.peer(clusters)
        let between = try await Self.deadly(peer, port: port)
        let settings = ["peer.url=\(between.url)", "peer.token=secret"]
        let comparing = try ChildProcess(clusters.arguments(["compare", "--keyspace", "shop"], settings: settings))
        _ = await peer.result()
        let (next, _) = try await Self.peer(clusters, port: port)
        let end = await comparing.result()
        #expect(end.code == 1, "\(end.output) \(end.errors)")
        #expect(end.output.contains("value: 1 difference") && end.output.contains("by digests:"), "\(end.output)")
        #expect(!end.output.contains("without the peer"), "\(end.output)")
        await Self.end(next)
        await between.stop()
        await clusters.stop()
    }

    @Test(arguments: [true, false])
    func `a peer that stays away ends as incomplete, or is done without where that is allowed`(isRequired: Bool)
        async throws
    {
        let clusters = try await ReaderClusters()
        let (peer, port) = try await Self.peer(clusters)
        let between = try await Self.deadly(peer, port: port)
        let end = try await Self.compare(clusters, between.url, "peer.required=\(isRequired)", "retries.ranges=2")
        _ = await peer.result()
        #expect(end.code == (isRequired ? 74 : 0), "\(end.output) \(end.errors)")
        let words = isRequired ? "no peer answers at \(between.url)" : "without the peer"
        #expect(end.output.contains(words), "\(end.output)")
        await between.stop()
        await clusters.stop()
    }

    // MARK: Peers that answer rubbish

    private struct Rubbish: Sendable, CustomTestStringConvertible {
        let name: String
        /// What an exit code may be where the peer is required: never one of a verdict that nobody can give.
        let codes: Set<Int32>
        let tamper: TamperingPeer.Tamper
        var testDescription: String { self.name }

        init(_ name: String, _ codes: Set<Int32>, _ tamper: @escaping TamperingPeer.Tamper) {
            (self.name, self.codes, self.tamper) = (name, codes, tamper)
        }
    }

    /// Base64 of `count` digests that nobody's rows have.
    private static func digests(_ count: Int) -> String {
        Data((0..<(16 * count)).map { UInt8(truncatingIfNeeded: $0 &* 37) }).base64EncodedString()
    }

    private static let rubbish: [Rubbish] = [
        .init("a page", [78]) { _ in .body(.ok, "<html>It works!</html>") },
        .init("an error without words", [69]) { _ in .body(.internalServerError, "") },
        .init("another service", [78]) { _ in .body(.notFound, #"{"status": "no"}"#) },
        .init("a clock before all time", [78]) { exchange in
            exchange.isQuestion
                ? nil : .body(.ok, exchange.answer.replacing(#/"clock_ms":\d+/#, with: "\"clock_ms\":\(Int64.min)"))
        },
        .init("another version", [78]) { exchange in
            exchange.isQuestion ? nil : .body(.ok, exchange.answer.replacing(#/"version":\d+/#, with: #""version":99"#))
        },
        .init("connections that end", [69]) { _ in .close },
        .init("silence", [69]) { _ in .silence },
        .init("questions answered with a page", [74]) { $0.isQuestion ? .body(.ok, "<html>") : nil },
        .init("questions answered with nothing", [74]) { $0.isQuestion ? .body(.ok, "{}") : nil },
        .init("no digests", [74]) { $0.isQuestion ? .body(.ok, #"{"digests": "", "bytes": 1}"#) : nil },
        .init("half a digest", [74]) { $0.isQuestion ? .body(.ok, #"{"digests": "AAAA", "bytes": 1}"#) : nil },
        .init("too many digests", [74]) { exchange in
            exchange.isQuestion ? .body(.ok, #"{"digests": "\#(Self.digests(7))", "bytes": 1}"#) : nil
        },
        .init("more bytes than there are", [74]) { exchange in
            exchange.isQuestion ? .body(.ok, #"{"digests": "\#(Self.digests(1))", "bytes": 9223372036854775807}"#) : nil
        },
        .init("fewer than no bytes", [74]) { exchange in
            exchange.isQuestion ? .body(.ok, #"{"digests": "\#(Self.digests(1))", "bytes": -1}"#) : nil
        },
        .init("lives instead of digests", [74]) { $0.isQuestion ? .body(.ok, #"{"lives": [null]}"#) : nil },
        .init("reading without end", [74]) { $0.isQuestion ? .body(.ok, #"{"reading_rows": 5}"#) : nil },
        .init("reading backwards", [74]) { exchange in
            exchange.isQuestion ? .body(.ok, #"{"reading_rows": \#(-exchange.number)}"#) : nil
        },
    ]

    @Test
    func `answers that are none end by their name or with the peer left out, and are never taken for differences`()
        async throws
    {
        let clusters = try await ReaderClusters()
        let (peer, port) = try await Self.peer(clusters)
        for rubbish in Self.rubbish {
            let tampering = try await TamperingPeer(before: "http://127.0.0.1:\(port)", rubbish.tamper)
            let settings = ["retries.ranges=2", "peer.timeout_ms=1000"]
            let required = try await Self.compare(
                clusters,
                tampering.url,
                settings[0],
                settings[1],
                "state_dir=\(clusters.folder.path)/a"
            )
            #expect(
                rubbish.codes.contains(required.code),
                "\(rubbish.name): \(required.code) \(required.output) \(required.errors)"
            )
            let words = required.output + required.errors
            #expect(words.contains("the peer") || words.contains(tampering.url), "\(rubbish.name): \(words)")
            let without = try await Self.compare(
                clusters,
                tampering.url,
                settings[0],
                settings[1],
                "peer.required=false",
                "state_dir=\(clusters.folder.path)/b"
            )
            #expect(without.code == 0, "\(rubbish.name): \(without.code) \(without.output) \(without.errors)")
            #expect(without.output.contains("without the peer"), "\(rubbish.name): \(without.output)")
            // The next one begins anew.
            for name in ["a", "b"] { try? FileManager.default.removeItem(atPath: "\(clusters.folder.path)/\(name)") }
            await tampering.stop()
        }
        await Self.end(peer)
        await clusters.stop()
    }

    @Test func `digests that are wrong cost reads, and hide or invent nothing that is looked at`() async throws {
        let clusters = try await ReaderClusters()
        try await ReaderClusters.write(73, "drift", clusters.atTarget, seconds: 1)
        let (peer, port) = try await Self.peer(clusters)
        let lying = try await TamperingPeer(before: "http://127.0.0.1:\(port)") { exchange in
            guard let text = exchange.answer.firstMatch(of: #/"digests":"([^"]*)"/#)?.output.1 else { return nil }
            let count = (Data(base64Encoded: String(text.filter { $0 != "\\" })) ?? Data()).count / 16
            return .body(.ok, #"{"digests": "\#(Self.digests(count))", "bytes": 7}"#)
        }
        let end = try await Self.compare(clusters, lying.url)
        #expect(end.code == 1 && end.output.contains("value: 1 difference"), "\(end.output) \(end.errors)")
        #expect(end.output.contains("1 row differs"), "\(end.output)")
        await lying.stop()

        // One that takes its time for each answer, but gets on.
        clusters.target.setFaults([FaultRule(.textContains("token("), .delay(.milliseconds(300)))])
        let slow = try await Self.compare(clusters, "http://127.0.0.1:\(port)", "peer.timeout_ms=1000")
        #expect(slow.code == 1 && slow.output.contains("value: 1 difference"), "\(slow.output) \(slow.errors)")
        await Self.end(peer)
        await clusters.stop()
    }
}
