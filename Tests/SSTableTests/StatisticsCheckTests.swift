import FoundationEssentials
import SSTable
import TestSupport
import Testing

/// The times of an SSTable and what its statistics say of them.
@Suite(.enabled(if: RecordedTables.areThere, "the recorded fixtures are not here"))
struct StatisticsCheckTests {
    private static func check(_ path: String) throws(SSTableError) {
        let check = StatisticsCheck(try SSTable(dataFile: path))
        while try check.advance() {}
    }

    @Test(arguments: RecordedTables.all)
    func `what servers wrote is as their statistics say`(_ recorded: RecordedTables.Recorded) throws {
        try Self.check(recorded.data)
    }

    /// Bits of statistics that have no checksums: either the damage is found, or the columns are others, which the target's
    /// schema does not fit, or the rows are the same.
    @Test(arguments: [
        "mc/legacy_tables/legacy_mc_inaccurate_min_max", "mc/legacy_tables/legacy_mc_simple/",
        "me/legacy_tables/legacy_me_simple/",
    ])
    func `no bit of statistics without checksums moves a time unseen`(victim: String) throws {
        let recorded = try RecordedTables.named(victim)
        let folder = try TemporaryFolder()
        let original = try SSTableName(dataFile: recorded.data)
        let copy = "\(folder.path)/\(recorded.data.split(separator: "/").last ?? "")"
        for name in try FileManager.default.contentsOfDirectory(atPath: original.folder) where name.hasSuffix(".db") {
            try FileManager.default.copyItem(atPath: "\(original.folder)/\(name)", toPath: "\(folder.path)/\(name)")
        }
        var options = SSTableDump.Options(now: 0)
        options.rawTimes = true
        func rows() throws -> String { try RecordedTables.dump(try SSTable(dataFile: copy).scanner(), options) }
        let (columns, intact) = (try SSTable(dataFile: copy).header.columns, try rows())
        let file = URL(filePath: try SSTableName(dataFile: copy).path(.statistics))
        let bytes = try Data(contentsOf: file)
        var random = SeededRandom(seed: 3)
        // What rows are written by stands at the end.
        let header = (bytes.count - 120)..<bytes.count
        let places = Array(header) + (0..<40).map { _ in Int.random(in: 0..<bytes.count, using: &random) }
        var found = 0
        for place in places {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[place] ^= 1 << UInt8(bit)
                try damaged.write(to: file)
                do {
                    try Self.check(copy)
                } catch {
                    #expect(error.path.hasPrefix(folder.path))
                    found += 1
                    continue
                }
                guard try SSTable(dataFile: copy).header.columns == columns else { continue }
                let isEqual = try rows() == intact
                #expect(isEqual, "bit \(bit) of byte \(place)")
            }
        }
        #expect(found > 100)
    }
}
