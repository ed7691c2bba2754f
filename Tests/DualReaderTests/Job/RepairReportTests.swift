import LiveTables
import TestSupport
import Testing

@testable import DualReader

/// The file that tells of repairs.
struct RepairReportTests {
    @Test func `a report is put aside at its length, and the oldest ones go`() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/repairs.jsonl"
        let report = try RepairReport(path: path, rotation: .init(bytesMax: 20, kept: 2))
        for number in 0..<8 { try report.append(JSONLine(["n": .text("000\(number)")])) }
        try report.sync()
        // 13 bytes each, so that two lines are beyond the length.
        func lines(_ path: String) throws -> [String] {
            let text = try DurableFile.contents(path)
            return text.split(separator: "\n").map { String($0.dropFirst(9).prefix(1)) }
        }
        #expect(try lines(path) == ["6", "7"])
        #expect(try lines(path + ".1") == ["4", "5"])
        #expect(try lines(path + ".2") == ["2", "3"])
        #expect(try lines(path + ".3") == [])
        #expect(report.count == 8)
        let next = try RepairReport(path: path, rotation: .init(bytesMax: 20, kept: 2))
        try next.append(JSONLine(["n": .text("0008")]))
        #expect(try lines(path) == ["8"])
        #expect(try lines(path + ".1") == ["6", "7"])
    }
}
