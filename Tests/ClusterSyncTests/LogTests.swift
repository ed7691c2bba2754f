import FoundationEssentials
import Logging
import Testing

@testable import ClusterSync

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// How log lines are written.
struct LogTests {
    private static func line(
        _ message: String,
        _ metadata: Logger.Metadata = [:],
        level: Logger.Level = .notice
    ) -> LogLine {
        LogLine(at: "2026-11-26T00:00:00.000Z", level: level, label: "test", message: message, metadata: metadata)
    }

    @Test func `a line says when, how severe, who and what`() {
        let line = Self.line("it happened", ["b": "two words", "a": "1", "c": "quote \" and \n"])
        #expect(
            line.text(as: .text)
                == "2026-11-26T00:00:00.000Z notice test: it happened a=1 b=\"two words\" c=\"quote \\\" and \\n\"\n"
        )
        #expect(
            line.text(as: .json)
                == #"{"at":"2026-11-26T00:00:00.000Z","level":"notice","logger":"test","message":"it happened","a":"1","#
                + #""b":"two words","c":"quote \" and \n"}"# + "\n"
        )
    }

    @Test(arguments: [LogFormat.text, .json])
    func `no line is longer than a pipe takes at once, and a cut one says so`(format: LogFormat) throws {
        let long = String(repeating: "\u{1}é", count: 2_000)
        var metadata: Logger.Metadata = [:]
        for index in 0..<20 { metadata["key\(index)"] = "\(long)" }
        let text = Self.line(long, metadata).text(as: format)
        #expect(text.utf8.count <= LogLine.bytesMax && text.hasSuffix("\n"))
        #expect(text.contains("cut"))
        if format == .json {
            let object = try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
            #expect(object["cut"] == "true" && object["level"] == "notice")
        }
    }

    @Test func `what is said again and again is held back and counted`() {
        var repeats = LogRepeats()
        let (key, other) = (
            LogRepeats.Key(level: .warning, label: "l", message: "down"),
            LogRepeats.Key(level: .warning, label: "l", message: "up")
        )
        let verdicts = (0..<LogRepeats.linesMax + 3).map { repeats.note(key, now: Int64($0)) }
        #expect(verdicts.prefix(LogRepeats.linesMax).allSatisfy { $0 == .write })
        #expect(verdicts.suffix(3) == [.holdBackAndAsk, .holdBack, .holdBack])
        let otherVerdict = repeats.note(other, now: 20)
        #expect(otherVerdict == .write)
        let due = [100, LogRepeats.windowNanoseconds, LogRepeats.windowNanoseconds * 2].map { repeats.due(now: $0) }
        #expect(due == [[], [.init(key: key, count: 3)], []], "said once, when the window is over")
        let later = repeats.note(key, now: LogRepeats.windowNanoseconds * 3)
        #expect(later == .write)
    }

    @Test func `kinds of lines that are counted are limited, and those with something to say stay`() {
        var repeats = LogRepeats()
        let loud = LogRepeats.Key(level: .warning, label: "l", message: "loud")
        for _ in 0...LogRepeats.linesMax { _ = repeats.note(loud, now: 0) }
        for index in 0..<LogRepeats.kindsMax * 3 {
            let verdict = repeats.note(.init(level: .info, label: "l", message: "kind \(index)"), now: 1)
            #expect(verdict == .write)
        }
        let due = repeats.due(now: LogRepeats.windowNanoseconds)
        #expect(due == [.init(key: loud, count: 1)])
    }

    /// A pipe, with what may be read of it.
    private struct Pipe: ~Copyable {
        let (reader, writer): (CInt, CInt)

        init() throws {
            var ends: [CInt] = [0, 0]
            try #require(pipe(&ends) == 0)
            (self.reader, self.writer) = (ends[0], ends[1])
            _ = fcntl(self.reader, F_SETFL, O_NONBLOCK)
        }

        deinit {
            close(self.reader)
            close(self.writer)
        }

        func read() -> String {
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            let count = bytes.withUnsafeMutableBytes { buffer in
                #if canImport(Glibc)
                Glibc.read(self.reader, buffer.baseAddress, buffer.count)
                #elseif canImport(Musl)
                Musl.read(self.reader, buffer.baseAddress, buffer.count)
                #else
                Darwin.read(self.reader, buffer.baseAddress, buffer.count)
                #endif
            }
            return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a log that nobody reads stops nobody, and says later what was lost`() throws {
        let pipe = try Pipe()
        let sink = LogSink(descriptor: pipe.writer)
        let value: Logger.MetadataValue = "\(String(repeating: "x", count: 1_000))"
        // A pipe holds 64 KiB: most of these lines find no room.
        for index in 0..<200 { sink.log(Self.line("line \(index)", ["value": value]), as: .text) }
        let dropped = sink.dropped
        #expect(dropped > 100 && dropped < 200)
        let before = pipe.read()
        #expect(before.split(separator: "\n").count == 200 - Int(dropped))
        sink.log(Self.line("again"), as: .text)
        let lines = pipe.read().split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.contains("lines of the log are lost: nobody took them lines=\(dropped)") == true)
        #expect(lines.last?.contains("again") == true)
        #expect(sink.dropped == dropped)
    }

    @Test func `the level is that of the sink, whenever it changes, unless a logger has its own`() throws {
        let pipe = try Pipe()
        let sink = LogSink(descriptor: pipe.writer)
        let logger = Logger(label: "one") { SinkLogHandler(label: $0, format: .text, sink: sink) }
        var own = logger
        own.logLevel = .error
        logger.debug("first")
        sink.level = .debug
        logger.debug("second")
        own.warning("third")
        sink.level = .warning
        logger.notice("fourth")
        own.error("fifth")
        let lines = pipe.read().split(separator: "\n").map { $0.split(separator: ": ").last.map(String.init) }
        #expect(lines == ["second", "fifth"])
    }

    @Test func `repeats are held back on their way to the sink, those about requests and notices are not`() throws {
        let pipe = try Pipe()
        let sink = LogSink(descriptor: pipe.writer)
        for index in 0..<30 { sink.log(Self.line("same", ["index": "\(index)"], level: .warning), as: .text) }
        #expect(sink.heldBack == UInt64(30 - LogRepeats.linesMax))
        for index in 0..<30 {
            sink.log(Self.line("request answered", ["request": "0-\(index)"], level: .info), as: .text)
            sink.log(Self.line("new certificates in use"), as: .text)
        }
        #expect(pipe.read().split(separator: "\n").count == LogRepeats.linesMax + 60)
    }
}
