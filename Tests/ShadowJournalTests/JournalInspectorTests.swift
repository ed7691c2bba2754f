import ShadowJournal
import SystemPackage
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

struct JournalInspectorTests {
    let scratch = Scratch()

    private func inspect(_ path: String) throws -> JournalInspector { try JournalInspector(FilePath(path)) }

    private func fingerprint(_ path: String) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in Scratch.names(in: path) {
            let name = "\(path)/\(name)"
            if Scratch.isFolder(name) {
                files.merge(self.fingerprint(name)) { first, _ in first }
            } else {
                files[name] = Scratch.read(name)
            }
        }
        return files
    }

    @Test func `a living journal is shown as it is and not changed`() throws {
        let directory = try JournalDirectory(at: self.scratch.journal)
        let log = try directory.openLog(named: "target-0", configuration: small())
        let key = JournalKey(high: 1, low: 1)
        _ = try log.reserve(2_000, now: 0).get()
        Array("text".utf8).withUnsafeBytes { log.define(key, $0, time: 0) }
        let positions = try (0..<100).map { try log.add([UInt8](repeating: UInt8($0), count: 50), time: Int64($0)) }
        for position in positions.prefix(40) { log.setState(.finished, at: position) }
        let before = self.fingerprint(self.scratch.journal)

        let inspector = try self.inspect(self.scratch.journal)
        #expect(inspector.owner.isOwned && inspector.owner.pid == Int(getpid()) && inspector.wasClosed == nil)
        #expect(try inspector.logNames == ["target-0"])
        let summary = try inspector.summary(of: "target-0")
        #expect(summary.content.openRecords == 60 && summary.openBytes == 60 * 50 && summary.lastSequence == 100)
        #expect(summary.oldestOpen == 40 && summary.newest == 99 && summary.content.isComplete)
        #expect(summary.diskBytes == log.diskBytes)
        var seen: [UInt64] = []
        var texts = 0
        try inspector.forEachRecord(in: "target-0") { view, definition in
            seen.append(view.sequence)
            if definition(key).map(Array.init) == Array("text".utf8) { texts += 1 }
            return seen.count < 95
        }
        #expect(seen == Array(1...95), "finished ones too, and no further than asked")
        #expect(texts == positions.count { $0.segment == positions[0].segment })
        #expect(self.fingerprint(self.scratch.journal) == before)
    }

    @Test func `damage is shown, and the end of the owner`() throws {
        do {
            let directory = try JournalDirectory(at: self.scratch.journal)
            let log = try directory.openLog(named: "target-0", configuration: small())
            let positions = try (0..<10).map { try log.add([UInt8](repeating: UInt8($0), count: 50)) }
            log.close()
            try directory.close()
            #expect(try self.inspect(self.scratch.journal).wasClosed == true)
            let path = self.scratch.file(self.scratch.files()[0])
            var bytes = Scratch.read(path)
            bytes[positions[4].offset + 40] ^= 1
            Scratch.write(bytes, to: path)
        }
        let summary = try self.inspect(self.scratch.journal).summary(of: "target-0")
        #expect(summary.content.records == 9 && summary.content.damagedCount == 1)
        #expect(!self.inspectOwned())
        do { _ = try JournalDirectory(at: self.scratch.journal) }
        #expect(try self.inspect(self.scratch.journal).wasClosed == false)
    }

    private func inspectOwned() -> Bool { (try? self.inspect(self.scratch.journal))?.owner.isOwned ?? true }

    @Test func `what is no journal is refused in words`() throws {
        for path in ["/nonexistent/journal", "/etc/hostname", self.scratch.path] {
            #expect(throws: JournalError.self, "\(path)") { _ = try self.inspect(path) }
        }
        let directory = try JournalDirectory(at: self.scratch.journal)
        let inspector = try self.inspect(self.scratch.journal)
        #expect(throws: JournalError.self) { _ = try inspector.summary(of: "target-9") }
        #expect(throws: JournalError.self) { _ = try inspector.summary(of: "../journal") }
        withExtendedLifetime(directory) {}
    }

    @Test func `a writer at work is never mistaken for damage`() async throws {
        let directory = try JournalDirectory(at: self.scratch.journal)
        let log = try directory.openLog(named: "target-0", configuration: small(bytesMax: 64 << 10))
        let path = self.scratch.journal
        _ = try log.add([UInt8](repeating: 1, count: 100))
        async let looks = Self.look(at: path, times: 200)
        var waiting: [JournalPosition] = []
        for index in 0..<20_000 {
            waiting.append(try log.add([UInt8](repeating: 1, count: index % 300)))
            if waiting.count > 40 { log.setState(.finished, at: waiting.remove(at: index % 40)) }
        }
        let findings = try await looks
        #expect(findings == [])
    }

    @concurrent
    private static func look(at path: String, times: Int) async throws -> [String] {
        var findings: [String] = []
        for _ in 0..<times {
            let summary = try JournalInspector(FilePath(path)).summary(of: "target-0")
            if !summary.content.isComplete { findings.append("\(summary.content)") }
            var last: UInt64 = 0
            try JournalInspector(FilePath(path)).forEachRecord(in: "target-0") { view, _ in
                if view.sequence <= last { findings.append("\(view.sequence) after \(last)") }
                last = view.sequence
                return true
            }
        }
        return findings
    }
}
