import FoundationEssentials
import NIOCore
import TestSupport
import Testing

@testable import LiveTables
@testable import SSTableLoader

/// The file of what could not be written.
struct DeadLettersTests {
    private static func letter(_ number: Int) -> DeadLetters.Letter {
        DeadLetters.Letter(
            keyspace: "ks",
            table: "Q\"uoted",
            key: ByteBuffer(bytes: [0, UInt8(number)]),
            readableKey: ["a\nb", "\(number)"],
            statement: TargetStatement("UPDATE …", [ByteBuffer(bytes: [255]), nil], timestamp: 7),
            reason: "no",
            at: 9
        )
    }

    @Test func `each line is an object with all that is needed to write it later`() throws {
        let folder = try TemporaryFolder()
        let letters = try DeadLetters(path: "\(folder.path)/dead")
        try letters.append(Self.letter(1))
        try letters.sync()
        let line = try JSON.parse(String(contentsOfFile: letters.path, encoding: .utf8))
        let expected: [String: JSON] = [
            "keyspace": .text("ks"), "table": .text("Q\"uoted"), "key": .text("0x0001"),
            "readable_key": .array([.text("a\nb"), .text("1")]), "statement": .text("UPDATE …"),
            "values": .array([.text("0xff"), .null]), "timestamp": .integer(7), "reason": .text("no"),
            "at": .integer(9),
        ]
        #expect(line == .object(expected))
    }

    @Test func `a full file is kept under a number, and a new one is begun`() throws {
        let folder = try TemporaryFolder()
        var limits = DeadLetters.Limits()
        limits.fileBytesMax = 400
        for start in [0, 10] {
            // Another process goes on where one has ended.
            let letters = try DeadLetters(path: "\(folder.path)/dead", limits: limits)
            for number in 0..<10 { try letters.append(Self.letter(start + number)) }
            #expect(letters.count == 10)
        }
        var keys: Set<String> = []
        for name in folder.names(in: "") {
            let text = try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
            #expect(text.utf8.count <= 400 && text.hasSuffix("\n"))
            for line in text.split(separator: "\n") { keys.insert(try JSON.parse(String(line))["key"]?.string ?? "") }
        }
        #expect(keys.count == 20)
    }

    @Test func `a file that cannot be made is an error that names it`() {
        let error = #expect(throws: (any Error).self) { try DeadLetters(path: "/nowhere/dead") }
        #expect(error.map { "\($0)".contains("/nowhere/dead") } == true)
    }
}
