import CQLSyntax
import Testing

@testable import DualWriter

struct PreparedRegistryTests {
    /// Registers a text at a moment, counted in the registry's own unit.
    @discardableResult
    private static func register(_ text: String, in registry: PreparedRegistry, at moment: Int64) -> StatementID {
        let id = StatementID(keyspace: nil, text: text)
        _ = registry.register(id, at: moment << 20) {
            KnownStatement(text: text, keyspace: nil, analysis: StatementAnalysis.analyze(text))
        }
        return id
    }

    @Test func `ids are stable, and differ by keyspace and text`() {
        let id = StatementID(keyspace: "ks", text: "SELECT a FROM t")
        #expect(id == StatementID(keyspace: "ks", text: "SELECT a FROM t"))
        let others = [
            StatementID(keyspace: nil, text: "SELECT a FROM t"), StatementID(keyspace: "", text: "SELECT a FROM t"),
            StatementID(keyspace: "kt", text: "SELECT a FROM t"), StatementID(keyspace: "ks", text: "SELECT b FROM t"),
            StatementID(keyspace: "ksS", text: "ELECT a FROM t"),
        ]
        #expect(Set(others + [id]).count == 6)
        // sha256 of eight bytes 0xff and "SELECT 1", first 16 bytes: computed with coreutils.
        let reference: [UInt8] = [
            0x69, 0x5a, 0xf3, 0xf0, 0x0a, 0x22, 0xb1, 0xa5, 0xb6, 0xd5, 0xbe, 0xd1, 0x90, 0x46, 0xa6, 0xbb,
        ]
        reference.withUnsafeBytes { #expect(StatementID(keyspace: nil, text: "SELECT 1") == StatementID($0)) }
        id.withShortBytes { bytes in
            #expect(bytes.count == 18 && bytes[0] == 0 && bytes[1] == 16)
            #expect(StatementID(UnsafeRawBufferPointer(rebasing: bytes[2...])) == id)
            #expect(StatementID(UnsafeRawBufferPointer(rebasing: bytes[1...])) == nil)
        }
    }

    @Test func `the least recently used statement goes first`() {
        let registry = PreparedRegistry(entriesMax: 3, bytesMax: 1_000)
        let ids = (0..<3).map { Self.register("statement \($0)", in: registry, at: Int64($0)) }
        registry.statement(ids[0])?.use(at: 10 << 20)
        let last = Self.register("statement 3", in: registry, at: 11)
        #expect(registry.count == 3)
        #expect(registry.statement(ids[1]) == nil)
        #expect([ids[0], ids[2], last].allSatisfy { registry.statement($0) != nil })
        #expect(registry.texts(bytesMax: 1_000).map(\.text) == ["statement 3", "statement 0", "statement 2"])
        #expect(registry.texts(bytesMax: 25).map(\.text) == ["statement 3", "statement 0"])
        #expect(registry.arrivals == 4)
    }

    @Test func `texts are bounded in bytes, whatever is newest stays`() {
        let registry = PreparedRegistry(entriesMax: 100, bytesMax: 10)
        let small = Self.register("12345", in: registry, at: 2)
        let large = Self.register("123456789012", in: registry, at: 1)
        #expect(registry.statement(small) == nil)
        #expect(registry.statement(large) != nil)
    }

    @Test func `a statement that is registered again is the same one`() {
        let registry = PreparedRegistry(entriesMax: 10, bytesMax: 1_000)
        let id = Self.register("SELECT 1", in: registry, at: 1)
        let known = registry.statement(id)
        Self.register("SELECT 1", in: registry, at: 2)
        #expect(registry.statement(id) === known && registry.arrivals == 1 && known?.lastUse == 2)
    }

    @Test func `what may hold a password is not kept`() {
        let registry = PreparedRegistry(entriesMax: 10, bytesMax: 1_000)
        Self.register("ALTER ROLE a WITH PASSWORD = 'secret'", in: registry, at: 1)
        Self.register("SELECT a FROM t", in: registry, at: 2)
        #expect(registry.texts(bytesMax: 1_000) == [PreparedText(keyspace: nil, text: "SELECT a FROM t", metadata: 0)])
    }
}
