import CQLSyntax
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Texts that real drivers sent and schemas that real servers took.
struct FixtureTests {
    private static let root: String? = {
        if let path = getenv("CLUSTER_SYNC_FIXTURES") { return String(cString: path) }
        let package = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let path = "/" + package + "/../shared/fixtures"
        return access(path, R_OK) == 0 ? path : nil
    }()

    private static func contents(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "rb") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return bytes
    }

    private static func entries(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

    /// Texts of uncompressed QUERY and PREPARE frames and of the text children of BATCH.
    private static func texts(ofFrames bytes: [UInt8]) -> [String] {
        var texts: [String] = []
        var at = 0
        while at + 9 <= bytes.count {
            let length = Self.integer(bytes[(at + 5)..<(at + 9)])
            let body = bytes[(at + 9)..<min(bytes.count, at + 9 + length)]
            if bytes[at + 1] == 0 {
                var start = body.startIndex
                let isBatch = bytes[at + 4] == 0x0D
                if isBatch { start += 4 }
                let isText = bytes[at + 4] == 0x07 || bytes[at + 4] == 0x09 || (isBatch && body[start - 1] == 0)
                if isText {
                    let count = Self.integer(body[start..<(start + 4)])
                    texts.append(String(decoding: body[(start + 4)..<(start + 4 + count)], as: UTF8.self))
                }
            }
            at += 9 + length
        }
        return texts
    }

    @Test(.enabled(if: FixtureTests.root != nil, "the recorded fixtures are not here"))
    func `every recorded text is parsed`() throws {
        let root = try #require(Self.root)
        var texts: Set<String> = []
        for server in Self.entries(root + "/wire") {
            for scenario in Self.entries("\(root)/wire/\(server)") {
                for file in Self.entries("\(root)/wire/\(server)/\(scenario)") where file.hasSuffix("-c2s.bin") {
                    texts.formUnion(Self.texts(ofFrames: Self.contents("\(root)/wire/\(server)/\(scenario)/\(file)")))
                }
            }
        }
        #expect(texts.count > 80)
        // The one mistake that was recorded on purpose.
        for text in texts.subtracting(["SELEC 1"]).sorted() {
            #expect(StatementAnalysis.analyze(text).precision == .parsed, "\(text)")
        }
    }

    @Test(.enabled(if: FixtureTests.root != nil, "the recorded fixtures are not here"))
    func `every schema is parsed`() throws {
        let root = try #require(Self.root)
        var count = 0
        for server in Self.entries(root + "/sstables") {
            let text = String(decoding: Self.contents("\(root)/sstables/\(server)/schema.cql"), as: UTF8.self)
            for statement in text.split(separator: ";") where statement.contains(where: { !$0.isWhitespace }) {
                count += 1
                #expect(StatementAnalysis.analyze(String(statement)).precision == .parsed, "\(statement)")
            }
        }
        #expect(count > 30)
    }
}
