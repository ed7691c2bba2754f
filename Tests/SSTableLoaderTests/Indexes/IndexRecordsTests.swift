import FoundationEssentials
import TestSupport
import Testing

@testable import LiveTables
@testable import SSTableLoader

@Suite struct IndexRecordsTests {
    private func index(_ name: String, _ options: [String: String] = ["target": "v"]) -> TableIndex {
        TableIndex(
            table: IndexedTable(keyspace: "k", name: "t\"\n\u{1}é"),
            name: name,
            kind: "CUSTOM",
            options: options,
            making: .statement("CREATE '\\' \(name)")
        )
    }

    @Test func `what is written is read again`() {
        var records = IndexRecords()
        records.put(self.index("a"), isOwed: true)
        records.put(self.index("b", ["target": #"{"pk":["p"]}"#, "": "\t"]), isOwed: false)
        records.put(self.index("a", [:]), isOwed: false)
        records.put(self.index("c"), isOwed: true)
        #expect(records.text.split(separator: "\n").count == 3)
        #expect(IndexRecords(lines: records.text) == records)
        #expect(records.owed.map(\.name) == ["c"])
        #expect(IndexRecords(lines: "") == IndexRecords())
    }

    @Test func `a line with one byte changed or cut off is damaged, kept, and hides no other`() {
        var records = IndexRecords()
        records.put(self.index("a"), isOwed: true)
        let line = Array(records.text.utf8.dropLast())
        records.put(self.index("b"), isOwed: true)
        let other = records.text.split(separator: "\n")[1]
        for position in line.indices {
            var changed = line
            changed[position] = changed[position] == 0x78 ? 0x79 : 0x78
            for bytes in [changed[...], line[..<position]] where !bytes.isEmpty {
                let text = String(decoding: bytes, as: UTF8.self)
                let read = IndexRecords(lines: text + "\n" + other + "\n")
                #expect(read.owed.map(\.name) == ["b"], "\(position)")
                #expect(read.damagedLines == [text])
                #expect(IndexRecords(lines: read.text) == read)
            }
        }
    }

    @Test(
        arguments: [
            "", "{", "[]", #"{"a":1}"#, #"{"a":"b"} c"#, #"{"a":"b","a":"c"}"#, #"{"a":"\x"}"#, #"{"a":"\ud800"}"#,
            #"{"a":["b",]}"#, #"{"a":{"b":["c"]}}"#, "{\"a\":\"\n\"}", #"{"a" "b"}"#, #"{"a":"\u12g4"}"#,
        ]
    )
    func `what is no object of texts is refused`(text: String) { #expect(JSONLine(text) == nil) }

    @Test func `every escape of a text is understood`() {
        let line = JSONLine(#" { "a" : "\"\\\/\b\f\n\r\t\u0041\ud83d\ude00é" , "b":[ ],"c":{"d":""} } "#)
        #expect(
            line?.fields == [
                "a": .text("\"\\/\u{8}\u{c}\n\r\tA😀é"), "b": .array([]), "c": .object(["d": ""]),
            ]
        )
    }

    @Test func `the file is there as a whole or not at all, and one at a time changes it`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/job"
        var file: IndexFile? = try IndexFile(folder: path)
        var records = IndexRecords()
        records.put(self.index("a"), isOwed: true)
        try file?.replace(with: records)
        #expect(try IndexFile.read(folder: path) == records)
        let error = #expect(throws: IndexError.self) { _ = try IndexFile(folder: path) }
        #expect(error?.code == .inUse)
        // What a process leaves that was killed while it wrote.
        try folder.put("job/indexes.jsonl.new", Data("{\"half".utf8))
        #expect(try file?.read() == records)
        records.put(self.index("b"), isOwed: true)
        try file?.replace(with: records)
        file = nil
        #expect(try IndexFile(folder: path).read() == records)
    }

    @Test func `a folder that cannot be written to is an error`() throws {
        let folder = try TemporaryFolder()
        try folder.put("file", Data())
        for path in [folder.path + "/file", folder.path + "/file/job", folder.path + "/no/job"] {
            let error = #expect(throws: IndexError.self) { _ = try IndexFile(folder: path) }
            #expect(error?.code == .file)
        }
    }
}
