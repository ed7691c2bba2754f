import CQLProtocol
import DualWriteCore
import NIOCore
import Testing

/// What a client meets that begins with another version, or with no frame at all; compared with what Cassandra 4.1 did.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct NegotiationTests {
    private static let folder = Fixtures.wire("cassandra-4.1")

    /// The first frame that comes back for these bytes, and a connection that goes on: OPTIONS of version 4 is answered.
    private static func answer(to bytes: [UInt8], _ harness: ProxyHarness) async throws -> [UInt8] {
        let client = try await TestClient.connect(to: try harness.address, on: harness.group)
        client.sendRaw(bytes)
        try await eventually { client.firstBytes.count > 8 }
        let first = client.firstBytes
        let next = try await TestClient.connect(to: try harness.address, on: harness.group)
        next.sendRaw(bytes)
        try await eventually { next.firstBytes.count == first.count }
        next.sendRaw([0x04, 0, 0, 2, 0x05, 0, 0, 0, 0])
        let supported: [UInt8] = [0x84, 0, 0, 2, 0x06]
        try await eventually { next.firstBytes.dropFirst(first.count).starts(with: supported) }
        await client.close()
        await next.close()
        return first
    }

    private static func error(_ frame: [UInt8]) throws -> ErrorMessage? {
        var reader = FrameReader()
        reader.append(ByteBuffer(bytes: frame))
        guard let raw = try reader.nextFrame(), case .error(let error) = try ResponseFrame(decoding: raw).response
        else {
            return nil
        }
        return error
    }

    /// The same opcode and error code as recorded. What differs: the versions that are named, and the answer's own version,
    /// because 5 and 6 are not spoken here; the stream, which is the request's (see `DualWriterLoop.accepts`).
    @Test(.enabled(if: folder != nil, "the recorded conversations are not here"), arguments: ["01", "02", "04"])
    func `an unknown version is answered as Cassandra answers it`(connection: String) async throws {
        let folder = try #require(Self.folder) + "/negotiate"
        let asked = try Fixtures.bytes("\(folder)/\(connection)-c2s.bin")
        let recorded = try Fixtures.bytes("\(folder)/\(connection)-s2c.bin")
        try await ProxyHarness.run(mode: .primaryOnly) { harness in
            let answer = try await Self.answer(to: asked, harness)
            #expect(answer[0] == 0x84 && answer[3] == asked[3] && answer[4] == recorded[4])
            let (ours, theirs) = (try Self.error(answer), try Self.error(recorded))
            #expect(ours?.code == theirs?.code)
            guard connection == "01" else { return }
            let common = "Invalid or unsupported protocol version (66); supported versions are (3/v3, 4/v4"
            #expect(ours?.message == common + ")" && theirs?.message.hasPrefix(common) == true)
        }
    }

    /// Recorded by hand from Cassandra 4.1.7: an error in the header of these versions, on stream 0; what follows is read anew.
    @Test(arguments: [UInt8(1), 2]) func `versions 1 and 2 are answered in their own short header`(
        version: UInt8
    ) async throws {
        try await ProxyHarness.run(mode: .primaryOnly) { harness in
            // OPTIONS as these versions write it: eight bytes.
            let answer = try await Self.answer(to: [version, 0, 1, 0x05, 0, 0, 0, 0], harness)
            let text = "Invalid or unsupported protocol version (\(version)); supported versions are (3/v3, 4/v4)"
            let length = UInt8(4 + 2 + text.utf8.count)
            let header: [UInt8] = [0x80 | version, 0, 0, 0, 0, 0, 0, length]
            #expect(answer == header + [0, 0, 0, 0x0a, 0, UInt8(text.utf8.count)] + Array(text.utf8))
        }
    }

    @Test func `other words than frames are answered, and do not hang`() async throws {
        try await ProxyHarness.run(mode: .primaryOnly) { harness in
            let browser = try await TestClient.connect(to: try harness.address, on: harness.group)
            browser.sendRaw(Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
            await browser.closed()
            #expect(try Self.error(browser.firstBytes)?.message.contains("unsupported protocol version (71)") == true)
            let response = try await Self.answer(to: [0x84, 0, 0, 1, 0x05, 0, 0, 0, 0], harness)
            let direction = "Wrong protocol direction (expected REQUEST, got RESPONSE) for opcode 5 (OPTIONS)"
            #expect(try Self.error(response)?.message == direction)
            let opcode = try await Self.answer(to: [0x04, 0, 0, 1, 0x55, 0, 0, 0, 0], harness)
            #expect(try Self.error(opcode)?.message == "Unknown opcode 85")
            let startup = try await Self.answer(to: [0x04, 0, 0, 1, 0x01, 0, 0, 0, 2, 0, 0], harness)
            #expect(try Self.error(startup)?.message == "Missing value CQL_VERSION in STARTUP message")
        }
    }

    @Test func `versions may change until STARTUP and not after it`() async throws {
        try await ProxyHarness.run(mode: .primaryOnly) { harness in
            let client = try await TestClient.connect(to: try harness.address, on: harness.group)
            _ = try await client.ask(.options, version: .v4)
            #expect(try await client.ask(.startup(["CQL_VERSION": "3.0.0"]), version: .v3) == .ready)
            guard case .error(let error) = try await client.ask(query("SELECT key FROM system.local")) else {
                Issue.record("a frame of another version is accepted")
                return
            }
            #expect(error.message.contains("Got 4/v4 but previous messages on this connection had version 3/v3"))
        }
    }
}
