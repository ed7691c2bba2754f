import CQLSyntax
import Testing

@testable import DualWriter

struct PreparedRegistryTests {
    private static func entry(_ text: String) -> PreparedRegistry.Entry {
        .init(text: text, keyspace: nil, analysis: StatementAnalysis.analyze(text))
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
        let ids = (0..<4).map { StatementID(keyspace: nil, text: "statement \($0)") }
        for index in 0..<3 { registry.register(Self.entry("statement \(index)"), as: ids[index]) }
        #expect(registry.entry(ids[0])?.text == "statement 0")
        registry.register(Self.entry("statement 3"), as: ids[3])
        #expect(registry.count == 3)
        #expect(registry.entry(ids[1]) == nil)
        #expect(registry.entry(ids[0]) != nil && registry.entry(ids[2]) != nil && registry.entry(ids[3]) != nil)
    }

    @Test func `texts are bounded in bytes, whatever is newest stays`() {
        let registry = PreparedRegistry(entriesMax: 100, bytesMax: 10)
        let small = StatementID(keyspace: nil, text: "12345")
        let large = StatementID(keyspace: nil, text: "123456789012")
        registry.register(Self.entry("12345"), as: small)
        registry.register(Self.entry("123456789012"), as: large)
        #expect(registry.entry(small) == nil)
        #expect(registry.entry(large) != nil)
    }
}
